"""The files that commits brought, as tar archives of a bounded size, each file once.

A member is called ``<first digits of the commit>/<path>``; the tar is written by us, into a file
of ours, straight from the objects (see ``git_tree``).
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from typing import IO, TYPE_CHECKING

from msgspec import Struct, field

from monitor.errors import LimitError
from monitor.model import Place, Skipped

from . import git_reading as reading
from .git_mirror import MAX_BLOB_BYTES, MiB
from .git_tree import Entry, TreeTar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from monitor.model import Change, Commit, CommitMark

    from .git_mirror import Mirror

SHORT = 12
COMMITS_AT_ONCE = 200
MAX_PART_BYTES = 48 * MiB
MAX_PART_FILES = 4_000
MAX_CHANGES = 500_000
"""So many files of one look are inspected; the rest is reported."""


class Part(Struct, kw_only=True):
    """A tar and what its members are: ``places`` by their names in it."""

    path: str
    bytes: int
    places: dict[str, Place]
    skipped: list[Skipped] = field(default_factory=list)


class Parts:
    """The files of some commits, part by part. What cannot be had stands in ``skipped``.

    ``known`` says which of some blobs (ids) need no further look. ``folder`` takes the tars; each
    is the caller's to remove. ``advanced`` is called after every ``COMMITS_AT_ONCE`` commits.
    """

    def __init__(
        self,
        mirror: Mirror,
        marks: Sequence[CommitMark],
        folder: str,
        *,
        known: Callable[[Sequence[str]], Awaitable[set[str]]] | None = None,
        head: str = "",
        advanced: Callable[[], None] = lambda: None,
    ) -> None:
        self._mirror = mirror
        self._marks = marks
        self._folder = folder
        self._known = known
        self._head = head
        self._seen: set[str] = set()
        self.skipped: list[Skipped] = []
        self._advanced = advanced
        self.files = 0

    async def __aiter__(self) -> AsyncIterator[Part]:
        in_head = await self._mirror.tree(self._head) if self._head else None
        for start in range(0, len(self._marks), COMMITS_AT_ONCE):
            marks = {each.commit: each for each in self._marks[start : start + COMMITS_AT_ONCE]}
            about = await self._mirror.describe(list(marks))
            for gone in marks.keys() - about.keys():
                self.skipped.append(Skipped(gone[:SHORT], "object-gone"))
            changes = await self._changes(list(about))
            places = [_place(each, marks[each.commit], about, in_head) for each in changes]
            async for part in self._packed(places):
                yield part
            self._advanced()

    async def _changes(self, commits: list[str]) -> list[Change]:
        """What the commits brought that nobody has seen; the first of several places counts."""
        found: list[Change] = []
        for output in await self._diffs(commits):
            for link in reading.gitlinks(output):
                self.skipped.append(Skipped(told(link.commit, link.path), "submodule"))
            for change in reading.changes(output):
                if change.blob not in self._seen:
                    self._seen.add(change.blob)
                    found.append(change)
        known = await self._known([each.blob for each in found]) if self._known else set()
        found = [each for each in found if each.blob not in known]
        room = max(0, MAX_CHANGES - self.files)
        if len(found) > room:
            self.skipped.append(Skipped(found[room].commit[:SHORT], "over-members"))
        self.files += len(found[:room])
        return found[:room]

    async def _diffs(self, commits: list[str]) -> list[bytes]:
        if not commits:
            return []
        try:
            return [await self._mirror.diff(commits)]
        except LimitError as error:
            if len(commits) == 1:
                self.skipped.append(Skipped(commits[0][:SHORT], error.reason))
                return []
        half = len(commits) // 2
        return await self._diffs(commits[:half]) + await self._diffs(commits[half:])

    async def _packed(self, places: list[Place]) -> AsyncIterator[Part]:
        lost = await self._mirror.fetch_blobs(each.blob for each in places)
        kinds = await self._mirror.kinds(each.blob for each in places)
        batch: list[tuple[Place, int]] = []
        room = MAX_PART_BYTES
        for place in places:
            kind, size = kinds.get(place.blob, ("", 0))
            if kind != "blob" or size > MAX_BLOB_BYTES:
                reason = "too-large" if kind == "blob" else lost.get(place.blob, "missing")
                self.skipped.append(Skipped(told(place.commit, place.path), reason))
                continue
            if batch and (size > room or len(batch) >= MAX_PART_FILES):
                yield await self._part(batch)
                batch, room = [], MAX_PART_BYTES
            batch.append((place, size))
            room -= size
        if batch:
            yield await self._part(batch)

    async def _part(self, batch: list[tuple[Place, int]]) -> Part:
        places: dict[str, Place] = {}
        entries = []
        for place, size in batch:
            name = f"{place.commit[:SHORT]}/{place.path}"
            if name in places:  # two commits whose ids begin alike
                name = f"{place.commit}/{place.path}"
            places[name] = place
            entries.append(Entry("100644", place.blob, size, name))
        handle, path = tempfile.mkstemp(suffix=".tar", dir=self._folder)
        tar = _BlobTar(self._mirror, entries)
        try:
            with os.fdopen(handle, "wb") as out:
                size, skipped = await _written(tar, out)
        except BaseException:
            os.unlink(path)
            raise
        return Part(path=path, bytes=size, places=places, skipped=skipped)


class _BlobTar(TreeTar):
    """Writes a given list of files."""

    def __init__(self, mirror: Mirror, entries: list[Entry]) -> None:
        super().__init__(
            mirror.path,
            "",
            command=mirror.git.limited,
            environment=mirror.reading,
            max_bytes=sum(entry.size for entry in entries),
            progress=lambda _done, _total: None,
        )
        self._given = entries

    def _entries(self) -> tuple[list[Entry], list[Skipped]]:
        return self._given, []

    def _committed_at(self) -> int:
        return 0


async def _written(tar: TreeTar, out: IO[bytes]) -> tuple[int, list[Skipped]]:
    work = asyncio.create_task(asyncio.to_thread(tar.run, out))
    try:
        _, size, skipped = await asyncio.shield(work)
    finally:
        tar.stop()
        await asyncio.gather(work, return_exceptions=True)
    return size, skipped


def told(commit: str, path: str) -> str:
    """``<commit>:<path>``, as git itself takes it."""
    return f"{commit[:SHORT]}:{path}"


def _place(
    change: Change, mark: CommitMark, about: dict[str, Commit], in_head: Iterable[str] | None
) -> Place:
    return Place(
        commit=change.commit,
        path=change.path,
        blob=change.blob,
        ref=mark.ref,
        authored_at=about[change.commit].authored_at,
        is_away=mark.is_away,
        is_in_head=change.blob in in_head if in_head is not None else None,
    )
