"""Reads a source into a store: what is new of its files, then of its history.

Each batch is written down with its segment before the next is begun: whoever starts again goes on
behind it. A file that was left out is listed with the reason.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol, TypeVar

from msgspec import Struct, structs

from monitor.private_code.index.batch import Batch, Ended, Version, kind_of
from monitor.private_code.index.folder import Folder, blob_id
from monitor.private_code.index.lineage import Lineage
from monitor.private_code.index.reading import WORTH_BYTES, Reader
from monitor.private_code.index.repository import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.private_code.index.catalogue import Source
    from monitor.private_code.index.reading import Item
    from monitor.private_code.index.repository import Repository
    from monitor.private_code.index.store import Store

MAX_FILE_BYTES = 4 << 20
"""A larger file is no writing of people: it is left out as ``too-large``."""

_BATCH_FILES = 4000
_BATCH_PRINTS = 500_000
_LISTED_AT_ONCE = 20_000
_Each = TypeVar("_Each")
_PROBE = b"."  # a content about which nothing can be said: what hygiene says then is the path's


class Progress(Protocol):
    """Told by a walk as it goes."""

    def stage(self, text: str) -> None:
        """What is being done now."""

    def expect(self, files: int) -> None:
        """So many more files are to be read."""

    def advance(self, path: str) -> None:
        """One more is done."""


class Walked(Struct, kw_only=True):
    """What a walk did: files that it took, prints of them, files that it left out."""

    files: int = 0
    prints: int = 0
    skipped: int = 0


class Walk:
    """One reading of one source. ``now`` is Unix time in seconds."""

    def __init__(
        self, store: Store, source: Source, *, workers: int, progress: Progress, now: int
    ) -> None:
        self._store = store
        self._catalogue = store.catalogue
        self._source = source
        self._workers = workers
        self._progress = progress
        self._now = now
        self._done = Walked()

    def repository(self, repository: Repository) -> Walked:
        """Read the heads of a repository, then the history if the source asks for it."""
        source, catalogue = self._source, self._catalogue
        heads = repository.heads(source.refs)
        is_shallow = repository.is_shallow()
        self._progress.stage(f"listing {source.name}")
        is_first = source.has_history and not catalogue.walked(source.id)
        known = () if is_first else source.heads
        lineage = Lineage(repository, catalogue, source, heads, known)
        listed: list[str] = []
        trees = ((head, entry) for head in heads for entry in repository.tree(head))
        for chunk in _chunks(trees):
            listed += (entry.path for _, entry in chunk)
            commits = {(entry.path, entry.blob): head for head, entry in reversed(chunk)}
            entries = {(entry.path, entry.blob): entry for _, entry in chunk}
            wanted = [entries[pair] for pair in catalogue.unseen(source.id, entries)]
            items = self._items(repository, lineage, wanted, commits)
            self._take(items, wanted, is_history=False)
        catalogue.set_present(source.id, listed)
        self._settle(heads, is_shallow=is_shallow)
        if source.has_history:
            self._history(repository, heads, lineage)
        return self._done

    def folder(self, folder: Folder) -> Walked:
        """Read a plain folder; it has no history, so that no first commit is known."""
        self._progress.stage(f"listing {self._source.name}")
        listed: list[str] = []
        for chunk in _chunks(folder.tree()):
            listed += (entry.path for entry in chunk)
            self._take(self._items_of(folder, chunk), chunk, is_history=False)
        self._catalogue.set_present(self._source.id, listed)
        self._settle([], is_shallow=True)
        return self._done

    def _history(self, repository: Repository, heads: Sequence[str], lineage: Lineage) -> None:
        """What stood in earlier commits, the newest first; only what is new in it is kept."""
        source, catalogue = self._source, self._catalogue
        self._progress.stage(f"reading the history of {source.name}")
        walked = catalogue.walked(source.id)
        for chunk in _chunks(repository.steps(heads, walked, is_oldest_first=False)):
            commits = {(step.path, step.blob): step.commit for step in reversed(chunk)}
            pairs = dict.fromkeys((step.path, step.blob) for step in chunk)
            wanted = [Entry(path, blob, -1) for path, blob in catalogue.unseen(source.id, pairs)]
            sizes = repository.sizes([entry.blob for entry in wanted])
            sized = [
                structs.replace(entry, size=size) for entry, size in zip(wanted, sizes, strict=True)
            ]
            self._take(self._items(repository, lineage, sized, commits), sized, is_history=True)
        catalogue.set_walked(source.id, heads)

    def _items(
        self,
        repository: Repository,
        lineage: Lineage,
        entries: Sequence[Entry],
        commits: dict[tuple[str, str], str],
    ) -> Iterator[Item]:
        """The entries with their contents, where they need to be read."""
        decided = [
            self._decided(
                entry,
                Version(
                    path=entry.path,
                    blob=entry.blob,
                    commit=commits[entry.path, entry.blob],
                    first_commit_at=lineage.first_at(entry.path),
                ),
            )
            for entry in entries
        ]
        wanted = [one.blob for one in decided if isinstance(one, Version)]
        contents = repository.contents(wanted)
        for one in decided:
            yield one if isinstance(one, Ended) else (one, next(contents))

    def _items_of(self, folder: Folder, entries: Sequence[Entry]) -> Iterator[Item]:
        """As ``_items``, of a folder: without what is as it was."""
        for entry in entries:
            decided = self._decided(entry, Version(path=entry.path, blob=""))
            content = None
            if isinstance(decided, Version):
                content = folder.content(entry.path, MAX_FILE_BYTES)
                blob = "" if content is None else blob_id(content)
                decided = self._decided(
                    structs.replace(entry, blob=blob, reason="" if blob else "unreadable"),
                    Version(path=entry.path, blob=blob),
                )
            version = decided.version if isinstance(decided, Ended) else decided
            if not any(self._catalogue.unseen(self._source.id, [(version.path, version.blob)])):
                continue
            if isinstance(decided, Ended):
                yield decided
            elif content is not None:
                yield decided, content

    def _decided(self, entry: Entry, version: Version) -> Ended | Version:
        """What becomes of a version where no look inside is needed, else the version."""
        reason = entry.reason
        if not reason and entry.size > MAX_FILE_BYTES:
            reason = "too-large"
        reason = reason or self._store.making.hygiene(entry.path, _PROBE) or ""
        is_known = entry.blob and self._catalogue.file_of_blob(entry.blob, kind_of(entry.path))
        return Ended(version=version, reason=reason) if reason or is_known else version

    def _take(self, items: Iterable[Item], entries: Sequence[Entry], *, is_history: bool) -> None:
        """Fingerprint and write down, batch by batch."""
        self._progress.expect(len(entries))
        is_much = sum(entry.size for entry in entries) >= WORTH_BYTES
        pending: list[Ended] = []
        prints = 0
        with Reader(self._store.making, self._workers if is_much else 1) as reader:
            for ended in reader.read(items):
                pending.append(ended)
                self._progress.advance(ended.version.path)
                if ended.prints is not None:
                    prints += sum(len(one.hashes) for one in ended.prints.channels.values())
                if len(pending) >= _BATCH_FILES or prints >= _BATCH_PRINTS:
                    self._write(pending, is_history=is_history)
                    pending, prints = [], 0
        self._write(pending, is_history=is_history)

    def _write(self, ended: Sequence[Ended], *, is_history: bool) -> None:
        if not ended:
            return
        batch = Batch(self._store, self._source.id, is_history=is_history)
        skipped = sum(bool(one.reason) for one in ended)
        self._done.prints += batch.write(ended)
        self._done.files += len(ended) - skipped
        self._done.skipped += skipped
        self._store.tidy()

    def _settle(self, heads: list[str], *, is_shallow: bool) -> None:
        """The source has been read as it is now."""
        self._source = structs.replace(
            self._source, heads=heads, is_shallow=is_shallow, updated_at=self._now
        )
        self._catalogue.put_source(self._source)


def _chunks(stream: Iterable[_Each]) -> Iterator[list[_Each]]:
    iterator = iter(stream)
    while chunk := list(itertools.islice(iterator, _LISTED_AT_ONCE)):
        yield chunk
