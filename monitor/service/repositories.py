"""Resolve, for repositories: what their refs lead to now and did not before becomes artifacts.

An artifact is a stretch of commits; each commit is part of one. The refs, the commits and the jobs
are one transaction, so that a crash repeats a look or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import LimitError, NotFoundError
from monitor.model import Artifact, CommitMark, Release
from monitor.registries.git_reading import OID
from monitor.registries.repository import HISTORY, named
from monitor.service import forges
from monitor.service.logs import logger
from monitor.service.polling import began_at
from monitor.store import Push
from monitor.watchers import actions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import Commit, Notice, Ownership
    from monitor.registries.git_mirror import Mirror
    from monitor.registries.git_reading import Refs
    from monitor.registries.repository import Repository
    from monitor.service.parts import Parts
    from monitor.store import RepositoryRecord

COMMITS_OF_A_PUSH = 500
"""More commits than these are several artifacts."""
MAX_REFS = 20_000
_log = logger()


async def look(notice: Notice, owner: Ownership, priority: int, parts: Parts) -> str:
    """Look at a repository; the word for what came of it. Doing it twice is harmless."""
    known = await parts.store.repository(notice.ecosystem, notice.name)
    try:
        repository = await forges.located(notice.ecosystem, notice.name, parts)
        refs = await parts.network.mirrors.refs(repository.address)
    except NotFoundError:
        await forges.gone(notice, parts)
        return "withdrawn"
    work = _Look(notice, owner, priority, parts, repository, refs, known)
    try:
        _bounded(refs, notice)
        new = await work.run()
    except LimitError as error:  # to try again would cost as much, and end as it did
        parts.meters.errors.labels("look", error.reason).inc()
        _log.error(f"set aside: {error}", step="resolve", reason=error.reason)
        return error.reason
    new += await forges.announce_releases(notice, owner, priority, parts)
    if new:
        await parts.wake()
    return "announced" if new else "nothing-new"


class _Look:
    """One look at one repository."""

    def __init__(  # noqa: PLR0917 - one call, from above
        self,
        notice: Notice,
        owner: Ownership,
        priority: int,
        parts: Parts,
        repository: Repository,
        refs: Refs,
        known: RepositoryRecord | None,
    ) -> None:
        self.notice = notice
        self.owner = owner
        self.priority = priority
        self.parts = parts
        self.repository = repository
        self.refs = refs
        self.known = known

    async def run(self) -> int:
        """Put on record what is new; the number of new artifacts."""
        since = await self._since()
        known = self.known
        away = await self._thrown_away()
        is_same = since is None and known is not None and known.refs == self.refs.ids
        if is_same and not away:
            return 0
        pushes: list[Push] = []
        is_past = known is None and self.notice.action == actions.TRACKED and since is None
        if not is_past:
            async with self.parts.network.mirrors.opened(self.repository.address) as mirror:
                marks = await self._marks(mirror, since, away)
                about = await mirror.describe([each[-1].commit for each in _stretches(marks)])
            pushes = [self._push(each, about) for each in _stretches(marks)]
        return await self.parts.store.record_look(
            self._release(self.refs.head, []),
            self.owner,
            self.refs.ids,
            pushes,
            address=self.repository.address,
            priority=self.priority,
        )

    async def _since(self) -> str | None:
        """From when on commits count as new by their own dates; None: by what was seen before.

        A repository that was there before the watch began, or whose first look came after a push
        that it should have come before, has no better measure.
        """
        notice, known = self.notice, self.known
        if notice.action == actions.HISTORY:
            return notice.revision
        pushed_at = notice.occurred_at
        if notice.action == actions.FOUND:
            return "" if known is None else None
        began = await began_at(notice.ecosystem, self.parts)
        if known is None:
            is_recent = pushed_at is not None and pushed_at >= began
            return began.isoformat() if notice.action != actions.TRACKED or is_recent else None
        is_late = pushed_at is not None and began <= pushed_at <= known.first_looked_at
        return began.isoformat() if is_late else None

    async def _thrown_away(self) -> dict[str, str]:
        """Commits that pushes have thrown away and that we never saw, each with its ref."""
        known = self.known
        if known is None:
            return {}
        seen = {*known.refs.values(), *known.left}
        told = await forges.thrown_away(self.notice, self.parts)
        fresh = {commit: ref for commit, ref in told if commit not in seen}
        done = await self.parts.store.seen_commits(known.package_id, list(fresh))
        return {commit: ref for commit, ref in fresh.items() if commit not in done}

    async def _marks(
        self, mirror: Mirror, since: str | None, away: dict[str, str]
    ) -> list[CommitMark]:
        """The commits to look at, oldest first, those that were pushed away behind the others."""
        known = self.known
        old = list({*known.refs.values(), *known.left}) if known is not None else []
        now = list(dict.fromkeys(filter(None, [self.refs.head, *self.refs.ids.values()])))
        has_blobs = known is None or bool(await mirror.kinds(old))
        await mirror.fetch(now, has_blobs=has_blobs)
        await mirror.fetch([*old, *away], has_blobs=has_blobs)
        by_id = {oid: name for name, oid in reversed(list(self.refs.ids.items()))}
        fresh = []
        if known is not None:
            fresh += await mirror.commits(now, old)
        if since is not None:
            fresh += await mirror.commits(now, since=since)
        by_commit = {each.id: by_id.get(each.source, "") for each in reversed(fresh)}
        order = dict.fromkeys(each.id for each in fresh)
        marks = [CommitMark(commit=each, ref=by_commit[each]) for each in order]
        if known is not None:
            marks += [
                CommitMark(commit=each.id, ref=away.get(each.source, ""), is_away=True)
                for each in await mirror.commits(list(away), [*now, *old])
            ]
            await self._left(mirror, known, now)
            seen = await self.parts.store.seen_commits(
                known.package_id, [each.commit for each in marks]
            )
            marks = [each for each in marks if each.commit not in seen]
        return marks

    async def _left(self, mirror: Mirror, known: RepositoryRecord, now: list[str]) -> None:
        """Those of the inspected commits that no ref leads to any more are known as such."""
        moved = [oid for name, oid in known.refs.items() if self.refs.ids.get(name) != oid]
        if not moved:
            return
        left = await mirror.commits(moved, now)
        versions = await self.parts.store.left_behind(known.package_id, [each.id for each in left])
        if versions:
            await forges.left_behind(self.notice, versions, self.parts)

    def _push(self, marks: Sequence[CommitMark], about: dict[str, Commit]) -> Push:
        tip = marks[-1].commit
        at = self.notice.occurred_at
        if at is None or self.known is None or self.notice.action == actions.HISTORY:
            at = about[tip].committed_at if tip in about else None
        artifact = Artifact(
            ecosystem=self.repository.ecosystem,
            name=self.repository.name,
            version=tip,
            filename=f"{self.repository.short}.git",
            purl=self.repository.purl(tip),
            url=f"{HISTORY}{self.repository.address}",
            published_at=min(at, self.parts.clock.now()) if at is not None else None,
        )
        return Push(release=self._release(tip, [artifact]), marks=list(marks))

    def _release(self, commit: str, artifacts: list[Artifact]) -> Release:
        return Release(
            ecosystem=self.repository.ecosystem,
            name=self.repository.name,
            version=commit,
            artifacts=artifacts,
            repository=self.repository.address,
            published_at=artifacts[0].published_at if artifacts else None,
        )


def _stretches(marks: Sequence[CommitMark]) -> list[Sequence[CommitMark]]:
    """The commits in bounded stretches; what was pushed away is told apart."""
    found: list[Sequence[CommitMark]] = []
    for is_away in (False, True):
        some = [each for each in marks if each.is_away is is_away]
        found += [
            some[at : at + COMMITS_OF_A_PUSH] for at in range(0, len(some), COMMITS_OF_A_PUSH)
        ]
    return found


def _bounded(refs: Refs, notice: Notice) -> None:
    if len(refs.ids) > MAX_REFS:
        raise LimitError(
            f"{notice.ecosystem}:{notice.name}: more than {MAX_REFS:,} refs", reason="over-refs"
        )
    if refs.refused:
        _log.warning(
            f"{notice.ecosystem}:{notice.name}: {refs.refused} refs have names that git refuses",
            step="resolve",
            reason="bad-ref",
        )


async def is_served(ecosystem: str, name: str, versions: Sequence[str], parts: Parts) -> bool:
    """Whether the host still gives any of the commits, whether or not a ref leads to them."""
    known = await parts.store.repository(ecosystem, name)
    if known is None:
        return False
    for version in versions:
        if not OID.fullmatch(version):
            continue
        try:
            if await parts.network.mirrors.has(known.address, version):
                return True
        except NotFoundError:
            return False
    return False


async def known_address(ecosystem: str, name: str, parts: Parts) -> str:
    """Where a repository on record is."""
    known = await parts.store.repository(ecosystem, name)
    if known is not None:
        return known.address
    return named(ecosystem, name, parts.registries).address
