"""Repositories: what their refs point to and pointed to, which commits and files were seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from monitor.model import CommitMark
from monitor.store.artifacts import Artifacts
from monitor.store.keys import artifact_identity, artifact_job
from monitor.store.records import Push, RepositoryRecord
from monitor.store.tables import ArtifactRow, PackageRow, ReleaseRow
from monitor.store.tables_repositories import BlobRow, CommitRow, RefRow, RepositoryRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from monitor.model import Job, Ownership, Release

_BATCH = 400
"""Rows of one statement: SQLite takes a bounded number of values."""

Item = TypeVar("Item")


class Repositories(Artifacts):
    """Commits are artifacts by the push: one release a push, one artifact in it."""

    async def repository(self, ecosystem: str, name: str) -> RepositoryRecord | None:
        """What is on record of a repository, or None before the first look."""
        query = (
            sa.select(RepositoryRow)
            .join(PackageRow, PackageRow.id == RepositoryRow.package_id)
            .where(PackageRow.ecosystem == ecosystem, PackageRow.name == name)
        )
        async with self.database.reading() as session:
            row = (await session.execute(query)).scalars().first()
            if row is None:
                return None
            refs = sa.select(RefRow).where(RefRow.package_id == row.package_id)
            found = list((await session.execute(refs)).scalars())
            return RepositoryRecord(
                package_id=row.package_id,
                address=row.address,
                head=row.head,
                first_looked_at=row.first_looked_at,
                refs={each.name: each.commit_id for each in found if each.left_at is None},
                left=frozenset(each.commit_id for each in found if each.left_at is not None),
            )

    async def record_look(
        self,
        about: Release,
        ownership: Ownership,
        refs: Mapping[str, str],
        pushes: Sequence[Push],
        *,
        address: str,
        priority: int = 0,
    ) -> int:
        """Keep what a look at a repository gave, all or nothing; the number of new artifacts.

        ``about`` names the repository; its version is the commit of the default branch. Each push
        becomes a release with one artifact, its job and its commits. Twice is harmless.
        """
        now = self.clock()
        jobs: list[Job] = []
        async with self.database.writing() as session:
            package_id = await self._package(session, about.ecosystem, about.name, ownership, now)
            await self._look(session, package_id, address, about.version, now)
            await self._refs(session, package_id, refs, now)
            for push in pushes:
                release_id = await self._release(session, package_id, push.release, now)
                (artifact,) = push.release.artifacts
                entry = await self._artifact(session, release_id, artifact, now)
                await self._commits(session, package_id, entry.artifact_id, push.marks)
                if entry.is_new:
                    identity = artifact_identity(artifact)
                    jobs.append(artifact_job(entry.artifact_id, identity, now, priority))
            await self._enqueue(session, jobs)
        return len(jobs)

    async def seen_commits(self, package_id: int, commits: Sequence[str]) -> set[str]:
        """Those of the commits that are part of an artifact already."""
        found: set[str] = set()
        async with self.database.reading() as session:
            for some in _batched(commits):
                query = sa.select(CommitRow.commit_id).where(
                    CommitRow.package_id == package_id, CommitRow.commit_id.in_(some)
                )
                found |= set((await session.execute(query)).scalars())
        return found

    async def left_behind(self, package_id: int, commits: Sequence[str]) -> set[str]:
        """Note that no ref leads to these commits any more; the versions that they are part of."""
        versions: set[str] = set()
        async with self.database.writing() as session:
            for some in _batched(commits):
                those = (CommitRow.package_id == package_id, CommitRow.commit_id.in_(some))
                fresh = (*those, ~CommitRow.is_away)
                query = (
                    sa.select(ReleaseRow.version)
                    .join(ArtifactRow, ArtifactRow.release_id == ReleaseRow.id)
                    .join(CommitRow, CommitRow.artifact_id == ArtifactRow.id)
                    .where(*fresh)
                )
                versions |= set((await session.execute(query)).scalars())
                await session.execute(sa.update(CommitRow).where(*fresh).values(is_away=True))
        return versions

    async def commit_marks(self, artifact_id: int) -> list[CommitMark]:
        """The commits that an artifact stands for, oldest first."""
        query = (
            sa.select(CommitRow)
            .where(CommitRow.artifact_id == artifact_id)
            .order_by(CommitRow.number)
        )
        async with self.database.reading() as session:
            return [
                CommitMark(commit=row.commit_id, ref=row.ref, is_away=row.is_away)
                for row in (await session.execute(query)).scalars()
            ]

    async def clean_blobs(
        self, package_id: int, rules_digest: str, blobs: Sequence[str]
    ) -> set[str]:
        """Those of the files that these rules found nothing in."""
        found: set[str] = set()
        async with self.database.reading() as session:
            for some in _batched(blobs):
                query = sa.select(BlobRow.blob_id).where(
                    BlobRow.package_id == package_id,
                    BlobRow.rules_digest == rules_digest,
                    BlobRow.blob_id.in_(some),
                )
                found |= set((await session.execute(query)).scalars())
        return found

    async def blobs_are_clean(
        self, package_id: int, rules_digest: str, blobs: Sequence[str]
    ) -> None:
        """Note the files in which these rules found nothing."""
        async with self.database.writing() as session:
            for some in _batched(blobs):
                made = self.database.insert(BlobRow).values(
                    [
                        {"package_id": package_id, "blob_id": blob, "rules_digest": rules_digest}
                        for blob in some
                    ]
                )
                upsert = made.on_conflict_do_update(
                    index_elements=[BlobRow.package_id, BlobRow.blob_id],
                    set_={"rules_digest": rules_digest},
                )
                await session.execute(upsert)

    async def _look(
        self, session: AsyncSession, package_id: int, address: str, head: str, now: datetime
    ) -> None:
        made = self.database.insert(RepositoryRow).values(
            package_id=package_id, address=address, head=head, first_looked_at=now, looked_at=now
        )
        upsert = made.on_conflict_do_update(
            index_elements=[RepositoryRow.package_id],
            set_={"address": address, "head": head, "looked_at": now},
        )
        await session.execute(upsert)

    async def _refs(
        self, session: AsyncSession, package_id: int, refs: Mapping[str, str], now: datetime
    ) -> None:
        own = RefRow.package_id == package_id
        query = sa.select(RefRow.name, RefRow.commit_id).where(own, RefRow.left_at.is_(None))
        before = {(name, commit) for name, commit in await session.execute(query)}
        present = set(refs.items())
        for name, commit in before - present:
            leaving = sa.update(RefRow).where(own, RefRow.name == name, RefRow.commit_id == commit)
            await session.execute(leaving.values(left_at=now))
        for some in _batched(sorted(present - before)):
            made = self.database.insert(RefRow).values(
                [
                    {
                        "package_id": package_id,
                        "name": name,
                        "commit_id": commit,
                        "seen_at": now,
                        "left_at": None,
                    }
                    for name, commit in some
                ]
            )
            upsert = made.on_conflict_do_update(
                index_elements=[RefRow.package_id, RefRow.name, RefRow.commit_id],
                set_={"left_at": None},
            )
            await session.execute(upsert)

    async def _commits(
        self, session: AsyncSession, package_id: int, artifact_id: int, marks: Sequence[CommitMark]
    ) -> None:
        for some in _batched(enumerate(marks)):
            made = self.database.insert(CommitRow).values(
                [
                    {
                        "package_id": package_id,
                        "commit_id": mark.commit,
                        "artifact_id": artifact_id,
                        "number": number,
                        "ref": mark.ref,
                        "is_away": mark.is_away,
                    }
                    for number, mark in some
                ]
            )
            await session.execute(made.on_conflict_do_nothing())


def _batched(items: Iterable[Item]) -> Iterator[list[Item]]:
    some: list[Item] = []
    for item in items:
        some.append(item)
        if len(some) == _BATCH:
            yield some
            some = []
    if some:
        yield some
