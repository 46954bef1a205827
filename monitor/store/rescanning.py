"""Artifacts that are to be looked at again, because what is looked for has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.store.core import changed
from monitor.store.outbox import Outbox
from monitor.store.tables import ArtifactRow, PackageRow, ReleaseRow
from monitor.store.tables_work import AuditRow

if TYPE_CHECKING:
    from datetime import datetime


class Rescanning(Outbox):
    """The way back from settled to unfinished; reconciliation gives each artifact its job."""

    async def rescan(
        self,
        rules_digest: str | None,
        *,
        actor: str,
        ecosystem: str = "",
        package: str = "",
        since: datetime | None = None,
    ) -> int:
        """Mark settled artifacts whose bytes are kept as unfinished; how many.

        ``rules_digest``: only those that were not scanned with these rules; None: all of them.
        """
        which = (
            sa.select(ArtifactRow.id)
            .join(ReleaseRow, ReleaseRow.id == ArtifactRow.release_id)
            .join(PackageRow, PackageRow.id == ReleaseRow.package_id)
            .where(ArtifactRow.state == "settled", ArtifactRow.evidence_key.is_not(None))
            .where(~ArtifactRow.is_evidence_going)
        )
        if rules_digest is not None:
            which = which.where(ArtifactRow.rules_digest != rules_digest)
        if package:
            which = which.where(PackageRow.ecosystem == ecosystem, PackageRow.name == package)
        if since is not None:
            which = which.where(ArtifactRow.first_seen_at >= since)
        again = sa.update(ArtifactRow).where(ArtifactRow.id.in_(which.scalar_subquery()))
        async with self.database.writing() as session:
            many = changed(await session.execute(again.values(state="fetched", reason="")))
            session.add(
                AuditRow(
                    at=self.clock(), actor=actor, action="rescan", subject=package, reason="",
                    detail={"artifacts": many},
                )
            )  # fmt: skip
            return many
