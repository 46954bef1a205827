"""Packages, their releases and files: from the announcement to the kept bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.store.core import absent, changed
from monitor.store.feeds import Feeds
from monitor.store.keys import WHEEL, artifact_identity, artifact_job
from monitor.store.nouns import past_of, release_of, stored_of
from monitor.store.records import Announced, Tracked
from monitor.store.tables import ArtifactRow, OrganisationRow, PackageRow, ReleaseRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from monitor.model import Artifact, Ownership, Release
    from monitor.store.records import Past, Stored

REMOVED = "removed"
"""The action of ``withdraw`` that a new announcement takes back: what is announced is there."""

RESTORED = "restored"
"""The action of ``withdraw`` that takes an earlier one back."""


class Artifacts(Feeds):
    """What was published, and how far the work on each file is."""

    async def announce(
        self,
        release: Release,
        ownership: Ownership,
        *,
        notice: str | None = None,
        priority: int = 0,
    ) -> list[Announced]:
        """Put a release and its files on record and enqueue an ``artifact`` job for each new one.

        A file is new if no file of this ecosystem, name, version, filename and announced digest is
        known: the same name with other bytes is another artifact. ``notice`` is resolved with it.
        """
        now = self.clock()
        announced: list[Announced] = []
        jobs = []
        async with self.database.writing() as session:
            package_id = await self._package(
                session, release.ecosystem, release.name, ownership, now
            )
            release_id = await self._release(session, package_id, release, now)
            for artifact in release.artifacts:
                entry = await self._artifact(session, release_id, artifact, now)
                announced.append(entry)
                if entry.is_new:
                    identity = artifact_identity(artifact)
                    jobs.append(artifact_job(entry.artifact_id, identity, now, priority))
            await self._enqueue(session, jobs)
            if notice is not None:
                await self._resolve(session, notice, "announced", now)
        return announced

    async def artifact(self, artifact_id: int) -> Stored:
        """What is on record of an artifact. Raises NotFoundError."""
        async with self.database.reading() as session:
            rows = await session.execute(whole().where(ArtifactRow.id == artifact_id))
            found = rows.first()
            if found is None:
                absent(f"artifact {artifact_id}")
            return stored_of(*found)

    async def sdist_of(self, artifact_id: int) -> Stored | None:
        """The file of the same release that is no wheel and whose bytes are kept, if there is one.

        Where a release has several (PyPI allowed that once), the latest.
        """
        own = sa.select(ArtifactRow.release_id).where(ArtifactRow.id == artifact_id)
        query = (
            whole()
            .where(ArtifactRow.release_id == own.scalar_subquery(), ArtifactRow.id != artifact_id)
            .where(ArtifactRow.filename.not_like(f"%{WHEEL}"))
        )
        return await self._latest_kept(query)

    async def _latest_kept(
        self, query: sa.Select[ArtifactRow, ReleaseRow, PackageRow, str]
    ) -> Stored | None:
        """Of these rows of ``whole()`` the latest whose bytes are kept."""
        query = query.where(ArtifactRow.evidence_key.is_not(None), ~ArtifactRow.is_evidence_going)
        async with self.database.reading() as session:
            found = (await session.execute(query.order_by(ArtifactRow.id.desc()).limit(1))).first()
            return stored_of(*found) if found is not None else None

    async def release(self, artifact_id: int) -> Release:
        """What the registry said of the release that an artifact belongs to, without its files.

        Raises NotFoundError.
        """
        async with self.database.reading() as session:
            found = (await session.execute(whole().where(ArtifactRow.id == artifact_id))).first()
            if found is None:
                absent(f"artifact {artifact_id}")
            return release_of(found[1], found[2])

    async def fetched(self, artifact_id: int, *, evidence_key: str, sha256: str, size: int) -> None:
        """The bytes are safe in the evidence store. A second time is harmless."""
        fetching = (
            sa.update(ArtifactRow)
            .where(ArtifactRow.id == artifact_id)
            .values(
                evidence_key=evidence_key,
                is_evidence_going=False,
                sha256=sha256,
                size=size,
                fetched_at=self.clock(),
                reason="",
                state=sa.case((ArtifactRow.state == "settled", "settled"), else_="fetched"),
            )
        )
        async with self.database.writing() as session:
            if not changed(await session.execute(fetching)):
                absent(f"artifact {artifact_id}")

    async def failed(self, artifact_id: int, reason: str) -> None:
        """Nothing more is tried with it (its job went to the dead letters); never if settled."""
        failing = (
            sa.update(ArtifactRow)
            .where(ArtifactRow.id == artifact_id, ArtifactRow.state != "settled")
            .values(state="failed", reason=reason)
        )
        async with self.database.writing() as session:
            await session.execute(failing)

    async def withdraw(
        self, ecosystem: str, name: str, version: str, filename: str | None, action: str
    ) -> int:
        """The registry took a release or one of its files back (``yanked``, ``removed`` ...).

        ``restored`` undoes it. Gives how many releases and files changed.
        """
        word = "" if action == RESTORED else action
        package = sa.select(PackageRow.id).where(
            PackageRow.ecosystem == ecosystem, PackageRow.name == name
        )
        releases = sa.select(ReleaseRow.id).where(
            ReleaseRow.package_id.in_(package), ReleaseRow.version == version
        )
        values = {"withdrawal": word, "withdrawn_at": self.clock() if word else None}
        files = sa.update(ArtifactRow).where(
            ArtifactRow.release_id.in_(releases), ArtifactRow.withdrawal != word
        )
        async with self.database.writing() as session:
            if filename is not None:
                files = files.where(ArtifactRow.filename == filename)
                return changed(await session.execute(files.values(values)))
            whole = sa.update(ReleaseRow).where(
                ReleaseRow.id.in_(releases), ReleaseRow.withdrawal != word
            )
            touched = changed(await session.execute(files.values(values)))
            return touched + changed(await session.execute(whole.values(values)))

    async def history(
        self, ecosystem: str, name: str, limit: int = 10, *, before: int | None = None
    ) -> list[Past]:
        """The latest settled artifacts of a package, newest first.

        ``before``: only those put on record before this artifact and of other versions.
        """
        query = (
            sa.select(ArtifactRow, ReleaseRow.version)
            .join(ReleaseRow, ReleaseRow.id == ArtifactRow.release_id)
            .join(PackageRow, PackageRow.id == ReleaseRow.package_id)
            .where(PackageRow.ecosystem == ecosystem, PackageRow.name == name)
            .where(ArtifactRow.state == "settled")
            .order_by(ArtifactRow.id.desc())
            .limit(limit)
        )
        if before is not None:
            own = sa.select(ArtifactRow.release_id).where(ArtifactRow.id == before)
            query = query.where(
                ArtifactRow.id < before, ArtifactRow.release_id.not_in(own.scalar_subquery())
            )
        async with self.database.reading() as session:
            return [past_of(row, version) for row, version in await session.execute(query)]

    async def tracked(self, since: datetime) -> list[Tracked]:
        """The releases first seen since then, oldest first: the registry is asked about them."""
        query = (
            sa.select(ReleaseRow, PackageRow, OrganisationRow.name)
            .join(PackageRow, PackageRow.id == ReleaseRow.package_id)
            .join(OrganisationRow, OrganisationRow.id == PackageRow.organisation_id)
            .where(ReleaseRow.first_seen_at >= since)
            .order_by(ReleaseRow.id)
        )
        async with self.database.reading() as session:
            return [
                Tracked(
                    ecosystem=package.ecosystem,
                    name=package.name,
                    version=release.version,
                    organisation=organisation,
                    first_seen_at=release.first_seen_at,
                    withdrawal=release.withdrawal,
                )
                for release, package, organisation in await session.execute(query)
            ]

    async def _package(
        self,
        session: AsyncSession,
        ecosystem: str,
        name: str,
        ownership: Ownership,
        now: datetime,
    ) -> int:
        made = self.database.insert(OrganisationRow).values(
            name=ownership.organisation, first_seen_at=now
        )
        await session.execute(made.on_conflict_do_nothing())
        owner = sa.select(OrganisationRow.id).where(OrganisationRow.name == ownership.organisation)
        owner_id = (await session.execute(owner)).scalar_one()
        upsert = self.database.insert(PackageRow).values(
            organisation_id=owner_id,
            ecosystem=ecosystem,
            name=name,
            reason=ownership.reason,
            first_seen_at=now,
        )
        upsert = upsert.on_conflict_do_update(
            index_elements=[PackageRow.ecosystem, PackageRow.name],
            set_={"organisation_id": owner_id, "reason": ownership.reason},
        )
        return int((await session.execute(upsert.returning(PackageRow.id))).scalar_one())

    async def _release(
        self, session: AsyncSession, package_id: int, release: Release, now: datetime
    ) -> int:
        told: dict[str, Any] = {
            "licence": release.licence,
            "repository": release.repository,
            "publisher": release.publisher,
            "maintainers": release.maintainers,
            "published_at": release.published_at,
        }
        made = self.database.insert(ReleaseRow).values(
            package_id=package_id, version=release.version, first_seen_at=now, withdrawal="", **told
        )
        is_removed = ReleaseRow.withdrawal == REMOVED
        back = {
            "withdrawal": sa.case((is_removed, ""), else_=ReleaseRow.withdrawal),
            "withdrawn_at": sa.case((is_removed, None), else_=ReleaseRow.withdrawn_at),
        }
        upsert = made.on_conflict_do_update(
            index_elements=[ReleaseRow.package_id, ReleaseRow.version], set_=told | back
        )
        return int((await session.execute(upsert.returning(ReleaseRow.id))).scalar_one())

    async def _artifact(
        self, session: AsyncSession, release_id: int, artifact: Artifact, now: datetime
    ) -> Announced:
        identity = artifact_identity(artifact)
        made = self.database.insert(ArtifactRow).values(
            release_id=release_id,
            identity=identity,
            filename=artifact.filename,
            purl=artifact.purl,
            url=artifact.url,
            digests=artifact.digests,
            announced_size=artifact.size,
            published_at=artifact.published_at,
            first_seen_at=now,
        )
        fresh = await session.execute(made.on_conflict_do_nothing().returning(ArtifactRow.id))
        new_id = fresh.scalar()
        if new_id is not None:
            return Announced(artifact_id=new_id, artifact=artifact, is_new=True)
        query = sa.select(ArtifactRow).where(ArtifactRow.identity == identity)
        row = (await session.execute(query)).scalar_one()
        is_back = row.withdrawal == REMOVED
        if is_back:
            row.withdrawal, row.withdrawn_at = "", None
        row.url = artifact.url
        return Announced(artifact_id=row.id, artifact=artifact, is_new=False, is_back=is_back)


def whole() -> sa.Select[ArtifactRow, ReleaseRow, PackageRow, str]:
    """Artifacts with all that ``stored_of`` needs."""
    return (
        sa.select(ArtifactRow, ReleaseRow, PackageRow, OrganisationRow.name)
        .join(ReleaseRow, ReleaseRow.id == ArtifactRow.release_id)
        .join(PackageRow, PackageRow.id == ReleaseRow.package_id)
        .join(OrganisationRow, OrganisationRow.id == PackageRow.organisation_id)
    )
