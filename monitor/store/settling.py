"""Settle: what came of an artifact, with everything that follows from it, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from monitor.model import Finding, Incident, IncidentChange, Job, TargetReport
from monitor.store.cases import Cases, Hearers
from monitor.store.core import absent
from monitor.store.keys import WHEEL, artifact_job
from monitor.store.records import Scan, Settled
from monitor.store.tables import ArtifactRow, FindingRow, PackageRow, ReleaseRow

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

Decide = Callable[[TargetReport, Sequence[Incident]], Sequence[IncidentChange]]
"""From the sealed report and all known incidents of its package: what changes. Pure and quick."""

_BATCH = 500


class Settling(Cases):
    """The end of an artifact's way."""

    async def settle(
        self,
        artifact_id: int,
        report: TargetReport,
        decide: Decide,
        scan: Scan,
        *,
        channels: Hearers = (),
    ) -> Settled:
        """Write findings, verdict, incidents, events, outgoing alerts and their jobs, or nothing.

        ``decide`` runs inside the transaction, which holds the package: two artifacts of a package
        that settle at once cannot both open the same incident. The report is sealed first, so no
        secret value goes any further. An artifact that was settled with the same rules stays as
        it is (``is_repeat``); with other rules its findings are replaced.
        """
        sealed = self.seal.report(report)
        async with self.database.writing() as session:
            row, package_id = await self._held(session, artifact_id)
            if row.state == "settled" and row.rules_digest == scan.rules_digest:
                return Settled(is_repeat=True)
            known = await self._known(session, package_id)
            changes = list(decide(sealed, known))
            await self._result(session, row, sealed, scan)
            again = await self._wheels_again(session, row) if scan.is_for_wheels else []
            outgoing = await self._record(session, package_id, changes, channels, artifact_id)
            return Settled(is_repeat=False, changes=changes, outgoing=outgoing, again=again)

    async def _held(self, session: AsyncSession, artifact_id: int) -> tuple[ArtifactRow, int]:
        """The artifact and its package's id; on PostgreSQL the package is locked."""
        query = (
            sa.select(ArtifactRow, ReleaseRow.package_id)
            .join(ReleaseRow, ReleaseRow.id == ArtifactRow.release_id)
            .where(ArtifactRow.id == artifact_id)
        )
        found = (await session.execute(query)).first()
        if found is None:
            absent(f"artifact {artifact_id}")
        row, package_id = found
        if not self.database.is_sqlite:
            package = sa.select(PackageRow.id).where(PackageRow.id == package_id)
            await session.execute(self.database.locked(package))
            await session.refresh(row)
        return row, package_id

    async def _wheels_again(self, session: AsyncSession, sdist: ArtifactRow) -> list[Job]:
        """From settled to unfinished, in one transaction with the sdist: no crash loses one."""
        sending = (
            sa.update(ArtifactRow)
            .where(ArtifactRow.release_id == sdist.release_id, ArtifactRow.id != sdist.id)
            .where(ArtifactRow.state == "settled", ArtifactRow.filename.like(f"%{WHEEL}"))
            .where(ArtifactRow.evidence_key.is_not(None), ~ArtifactRow.is_evidence_going)
            .values(state="fetched", reason="")
            .returning(ArtifactRow.id, ArtifactRow.identity)
        )
        now = self.clock()
        return [artifact_job(*row, now) for row in await session.execute(sending)]

    async def _result(
        self, session: AsyncSession, row: ArtifactRow, report: TargetReport, scan: Scan
    ) -> None:
        if row.settled_at is not None:
            await session.execute(sa.delete(FindingRow).where(FindingRow.artifact_id == row.id))
        findings = [_finding(row.id, finding) for finding in report.findings]
        for start in range(0, len(findings), _BATCH):
            await session.execute(sa.insert(FindingRow), findings[start : start + _BATCH])
        row.state = "settled"
        row.reason = ""
        row.settled_at = self.clock()
        row.rules_digest = scan.rules_digest
        row.status = report.status.value
        row.severity = report.verdict.severity.value
        row.summary = report.verdict.summary
        row.reasons = report.verdict.reasons
        row.posture = report.posture.value.value
        row.skipped = msgspec.to_builtins(report.skipped)
        row.members = report.members
        row.members_digest = scan.members_digest
        row.profile = scan.profile
        await session.flush()


def _finding(artifact_id: int, finding: Finding) -> dict[str, Any]:
    return {
        "artifact_id": artifact_id,
        "fingerprint": finding.fingerprint,
        "secret_fingerprint": finding.secret.fingerprint if finding.secret else None,
        "rule": finding.rule,
        "severity": finding.severity.value,
        "path": finding.path,
        "document": msgspec.to_builtins(finding),
    }
