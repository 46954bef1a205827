"""How packages stand: what of them is on record, where tags point, what happened to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from monitor.model import Ownership
from monitor.store.artifacts import Artifacts
from monitor.store.keys import artifact_job, job_key
from monitor.store.records import FileRecord, PackageEvent, TrackedName
from monitor.store.tables import (
    ArtifactRow,
    DistTagRow,
    OrganisationRow,
    PackageEventRow,
    PackageRow,
    ReleaseRow,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

TAG_MOVED = "tag-moved"
_PROVEN = ("npm scope ", "npm maintainer ", "PyPI owner ", "provenance: ")
_MOST_RELEASES = 5_000
_GIVEN_UP = ("settled", "failed")


class Packages(Artifacts):
    """Packages, by ecosystem and name."""

    async def owners(self) -> dict[tuple[str, str], Ownership]:
        """Every package on record with whose it is."""
        query = sa.select(PackageRow, OrganisationRow.name).join(
            OrganisationRow, OrganisationRow.id == PackageRow.organisation_id
        )
        async with self.database.reading() as session:
            return {
                (row.ecosystem, row.name): Ownership(organisation=owner, reason=row.reason)
                for row, owner in await session.execute(query)
            }

    async def tracked_names(self) -> list[TrackedName]:
        """Every package that belongs to an organisation, with since when it is there."""
        published = sa.func.min(ReleaseRow.published_at)
        query = (
            sa.select(PackageRow, OrganisationRow.name, published)
            .join(OrganisationRow, OrganisationRow.id == PackageRow.organisation_id)
            .outerjoin(ReleaseRow, ReleaseRow.package_id == PackageRow.id)
            .where(OrganisationRow.name != "")
            .group_by(PackageRow.id, OrganisationRow.id)
        )
        async with self.database.reading() as session:
            return [
                TrackedName(
                    ecosystem=row.ecosystem,
                    name=row.name,
                    organisation=owner,
                    since=min(first or row.first_seen_at, row.first_seen_at),
                )
                for row, owner, first in await session.execute(query)
            ]

    async def people(self, ecosystem: str, organisation: str) -> set[str]:
        """Who published the packages on record that nobody else can publish as ours.

        That are those of a scope, or known by who publishes them: not by what they claim.
        """
        query = (
            sa.select(ReleaseRow.publisher, ReleaseRow.maintainers)
            .join(PackageRow, PackageRow.id == ReleaseRow.package_id)
            .join(OrganisationRow, OrganisationRow.id == PackageRow.organisation_id)
            .where(PackageRow.ecosystem == ecosystem, OrganisationRow.name == organisation)
            .where(sa.or_(*(PackageRow.reason.startswith(each) for each in _PROVEN)))
            .order_by(ReleaseRow.id.desc())
            .limit(_MOST_RELEASES)
        )
        async with self.database.reading() as session:
            rows = list(await session.execute(query))
        return {str(one) for publisher, others in rows for one in (publisher, *others) if one}

    async def releases(self, ecosystem: str, name: str) -> dict[str, str]:
        """The versions on record, each with the registry's last word on it (empty: it stands)."""
        query = (
            sa.select(ReleaseRow.version, ReleaseRow.withdrawal)
            .join(PackageRow, PackageRow.id == ReleaseRow.package_id)
            .where(PackageRow.ecosystem == ecosystem, PackageRow.name == name)
            .order_by(ReleaseRow.id)
        )
        async with self.database.reading() as session:
            return {row[0]: row[1] for row in await session.execute(query)}

    async def versions(self, ecosystem: str, name: str) -> set[str]:
        """The versions of a package that are on record."""
        return set(await self.releases(ecosystem, name))

    async def files(
        self, ecosystem: str, name: str, *, newest: int | None = None
    ) -> list[FileRecord]:
        """The files on record, in the order in which they were seen; only the ``newest`` ones."""
        query = (
            sa.select(ArtifactRow, ReleaseRow.version)
            .join(ReleaseRow, ReleaseRow.id == ArtifactRow.release_id)
            .join(PackageRow, PackageRow.id == ReleaseRow.package_id)
            .where(PackageRow.ecosystem == ecosystem, PackageRow.name == name)
            .order_by(ArtifactRow.id.desc())
            .limit(newest)
        )
        async with self.database.reading() as session:
            found = [
                FileRecord(
                    version=version,
                    filename=row.filename,
                    withdrawal=row.withdrawal,
                    first_seen_at=row.first_seen_at,
                    state=row.state,
                    reason=row.reason,
                )
                for row, version in await session.execute(query)
            ]
            return found[::-1]

    async def tags(self, ecosystem: str, name: str) -> dict[str, str]:
        """Where each tag of a package points."""
        query = (
            sa.select(DistTagRow.tag, DistTagRow.version)
            .join(PackageRow, PackageRow.id == DistTagRow.package_id)
            .where(PackageRow.ecosystem == ecosystem, PackageRow.name == name)
            .order_by(DistTagRow.tag)
        )
        async with self.database.reading() as session:
            return {row[0]: row[1] for row in await session.execute(query)}

    async def move_tags(
        self, ecosystem: str, name: str, moved: Mapping[str, tuple[str, str]], subject: str
    ) -> bool:
        """Tags point elsewhere: from and to, either may be empty. Each is an event on record.

        ``subject`` is what tells this move from an earlier one of the same tag (a revision).
        False if there is no such package on record, or nothing moved.
        """
        now = self.clock()
        async with self.database.writing() as session:
            package_id = await self._package_id(session, ecosystem, name)
            if package_id is None or not moved:
                return False
            for tag, (before, after) in moved.items():
                await self._point(session, package_id, tag, after, now)
                detail = {"tag": tag, "before": before, "after": after}
                event = PackageEvent(
                    kind=TAG_MOVED, subject=f"{tag} {subject}", at=now, detail=detail
                )
                await self._happened(session, package_id, event)
            return True

    async def happened(
        self, ecosystem: str, name: str, kind: str, subject: str, detail: Mapping[str, Any]
    ) -> bool:
        """Put on record what happened to a package; whether that is news.

        False as well if the package is not on record.
        """
        async with self.database.writing() as session:
            package_id = await self._package_id(session, ecosystem, name)
            if package_id is None:
                return False
            event = PackageEvent(kind=kind, subject=subject, at=self.clock(), detail=dict(detail))
            return await self._happened(session, package_id, event)

    async def count_events(self, kind: str, since: datetime) -> int:
        """How often this happened to any package since then."""
        query = (
            sa.select(sa.func.count())
            .select_from(PackageEventRow)
            .where(PackageEventRow.kind == kind, PackageEventRow.at >= since)
        )
        async with self.database.reading() as session:
            return int((await session.execute(query)).scalar_one())

    async def package_events(self, ecosystem: str, name: str) -> list[PackageEvent]:
        """What happened to a package, oldest first."""
        query = (
            sa.select(PackageEventRow)
            .join(PackageRow, PackageRow.id == PackageEventRow.package_id)
            .where(PackageRow.ecosystem == ecosystem, PackageRow.name == name)
            .order_by(PackageEventRow.number)
        )
        async with self.database.reading() as session:
            return [
                PackageEvent(kind=row.kind, subject=row.subject, at=row.at, detail=row.detail)
                for row in (await session.execute(query)).scalars()
            ]

    async def adopt(self, ecosystem: str, name: str, ownership: Ownership) -> None:
        """Put a package on record that has no release yet."""
        now = self.clock()
        async with self.database.writing() as session:
            await self._package(session, ecosystem, name, ownership, now)

    async def wanted_again(self, artifact_id: int) -> bool:
        """A file is back that was given up without its bytes: fetch it after all.

        False if its bytes are kept, or it is on its way anyway.
        """
        query = self.database.locked(sa.select(ArtifactRow).where(ArtifactRow.id == artifact_id))
        async with self.database.writing() as session:
            row: ArtifactRow = await self.one(session, query, f"artifact {artifact_id}")
            if row.evidence_key is not None or row.state not in _GIVEN_UP:
                return False
            now = self.clock()
            row.state, row.reason, row.rules_digest = "announced", "", ""
            job = artifact_job(row.id, row.identity, now)
            # The queue knows the key of the job that gave up.
            again = msgspec.structs.replace(job, key=job_key(job.key, now.isoformat()))
            await self._enqueue(session, [again])
            return True

    async def _package_id(self, session: AsyncSession, ecosystem: str, name: str) -> int | None:
        query = sa.select(PackageRow.id).where(
            PackageRow.ecosystem == ecosystem, PackageRow.name == name
        )
        return (await session.execute(query)).scalar()

    async def _point(
        self, session: AsyncSession, package_id: int, tag: str, version: str, now: datetime
    ) -> None:
        if not version:
            gone = sa.delete(DistTagRow).where(
                DistTagRow.package_id == package_id, DistTagRow.tag == tag
            )
            await session.execute(gone)
            return
        values = {"version": version, "moved_at": now}
        made = self.database.insert(DistTagRow).values(package_id=package_id, tag=tag, **values)
        keys = [DistTagRow.package_id, DistTagRow.tag]
        await session.execute(made.on_conflict_do_update(index_elements=keys, set_=values))

    async def _happened(self, session: AsyncSession, package_id: int, event: PackageEvent) -> bool:
        values = msgspec.structs.asdict(event)
        made = self.database.insert(PackageEventRow).values(package_id=package_id, **values)
        fresh = await session.execute(
            made.on_conflict_do_nothing().returning(PackageEventRow.number)
        )
        return fresh.first() is not None
