"""From contents that were read to one change of the catalogue and one segment.

Of a path that was indexed before, the new version's prints are added to the same file: what is new
in it costs something, what stayed is kept once. A content that is known already, at whatever path
of whatever source, is named and not stored again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from monitor.private_code.index.catalogue import Change, Known
from monitor.private_code.index.store import gathered
from monitor.private_code.prints import FilePrints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.private_code.index.store import Store
    from monitor.private_code.prints import Hashes, Numbers


class Version(Struct, frozen=True, kw_only=True):
    """A file's content at one time: where it stood, its git blob id, the commit that has it.

    ``first_commit_at`` is Unix time in seconds, 0 where unknown.
    """

    path: str
    blob: str
    commit: str = ""
    first_commit_at: int = 0


class Ended(Struct, frozen=True, kw_only=True):
    """What became of a version: its prints, or the reason for which it was left out.

    Neither stands for a content that is known already.
    """

    version: Version
    prints: FilePrints | None = None
    reason: str = ""


class Batch:
    """Writes down what became of versions, the newest of a path first."""

    def __init__(self, store: Store, source: int, *, is_history: bool) -> None:
        self._store = store
        self._catalogue = store.catalogue
        self._change = Change(source=source, is_history=is_history)
        self._parts: list[tuple[Hashes, int, Numbers]] = []
        self._own: dict[str, int] = {}  # by path: the newest version of it in this batch came first
        self._blobs: dict[tuple[str, str], int] = {}
        self._next = store.catalogue.next_number()

    def write(self, ended: Sequence[Ended]) -> int:
        """Write all of it down; gives how many prints were new to a file."""
        for one in ended:
            self._take(one)
        segments = []
        postings = gathered(self._parts)
        if len(postings[0]):
            segments = [self._store.add(*postings, is_old=self._change.is_history)]
        self._catalogue.put(self._change, segments)
        return len(postings[0])

    def _take(self, ended: Ended) -> None:
        change, version = self._change, ended.version
        change.seen.append((version.path, version.blob))
        if ended.reason:
            change.skipped.append((version.path, ended.reason))
            return
        number = self._known(version)
        if not number:
            if ended.prints is None:
                # Its content became known and was forgotten between: it is read next time.
                change.seen.pop()
                return
            number = self._new(version, ended.prints)
        change.places.append((version.path, number))
        suffix = self._store.making.suffix(version.path)
        if suffix:
            change.suffixes.append((self._store.keys.suffix(suffix), number))

    def _known(self, version: Version) -> int:
        """The file that has this content, 0 for none."""
        kind = kind_of(version.path)
        found = self._blobs.get((version.blob, kind), 0)
        return found or self._catalogue.file_of_blob(version.blob, kind)

    def _new(self, version: Version, prints: FilePrints) -> int:
        change, store = self._change, self._store
        number = self._own.get(version.path, 0) or self._catalogue.file_at(
            change.source, version.path
        )
        if not number:
            number, self._next = self._next, self._next + 1
        if version.path not in self._own:
            self._own[version.path] = number
            change.files.append(_described(number, version, prints))
        self._blobs[version.blob, kind_of(version.path)] = number
        change.blobs.append((version.blob, kind_of(version.path), number))
        for digest in filter(None, (prints.content, prints.normal)):
            change.digests.append((store.keys.digest(digest), number))
        for channel, one in prints.channels.items():
            self._parts.append((store.keys.keyed(channel, one.hashes), number, one.lines))
        return number


def kind_of(path: str) -> str:
    """What of a path bears on how its content is read: its extension, else its name."""
    name = path.rpartition("/")[2].lower()
    return name.rpartition(".")[2] if "." in name[1:] else name


def _described(number: int, version: Version, prints: FilePrints) -> Known:
    counts = {
        str(int(channel)): len(np.unique(one.hashes)) for channel, one in prints.channels.items()
    }
    return Known(
        number=number,
        path=version.path,
        language=prints.language,
        lines=prints.lines,
        tokens=prints.tokens,
        commit=version.commit,
        first_commit_at=version.first_commit_at,
        selected=json.dumps(counts),
    )
