"""An index that lives in memory: for a handful of files, such as the sources of an incident.

It answers as the one on disk does, without a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitor.private_code.index.segment import among
from monitor.private_code.prints import Hits, IndexedFile
from monitor.private_code.suffixes import suffix

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from monitor.private_code.prints import FilePrints, Hashes

MAX_PLACES = 64
"""A print that stands in more files than these tells nothing: of it, the first are given."""


class MemoryIndex:
    """Files' prints, ready to be asked as soon as they are added."""

    def __init__(self, organisation: str) -> None:
        self.organisation = organisation
        self._files: list[IndexedFile] = []
        self._added: list[tuple[Hashes, int, npt.NDArray[np.uint32]]] = []
        self._digests: dict[bytes, list[int]] = {}
        self._suffixes: dict[str, list[int]] = {}
        self._public: Hashes = np.empty(0, np.uint64)
        self._sorted: tuple[Hashes, npt.NDArray[np.uint32], npt.NDArray[np.uint32]] | None = None

    def add(
        self, repository: str, path: str, prints: FilePrints, *, first_commit_at: int = 0
    ) -> int:
        """Takes a file in; gives its number."""
        number = len(self._files)
        self._files.append(
            IndexedFile(
                number=number,
                repository=repository,
                path=path,
                language=prints.language,
                lines=prints.lines,
                tokens=prints.tokens,
                first_commit_at=first_commit_at,
                selected={channel: len(one.hashes) for channel, one in prints.channels.items()},
            )
        )
        for one in prints.channels.values():
            self._added.append((one.hashes, number, one.lines))
        for digest in {prints.content, prints.normal} - {b""}:
            self._digests.setdefault(digest, []).append(number)
        if suffix(path):
            self._suffixes.setdefault(suffix(path), []).append(number)
        self._sorted = None
        return number

    def learn(self, hashes: Hashes) -> None:
        """From now on these prints are known to be public."""
        self._public = np.union1d(self._public, hashes)

    def __len__(self) -> int:
        return len(self._files)

    def _table(self) -> tuple[Hashes, npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
        if self._sorted is None:
            empty = (np.empty(0, np.uint64), 0, np.empty(0, np.uint32))
            parts = self._added or [empty]
            hashes = np.concatenate([part[0] for part in parts])
            files = np.repeat(
                np.array([part[1] for part in parts], np.uint32), [len(part[0]) for part in parts]
            )
            lines = np.concatenate([part[2] for part in parts])
            order = np.lexsort((files, hashes))
            self._sorted = hashes[order], files[order], lines[order]
        return self._sorted

    def lookup(self, hashes: Hashes) -> Hits:
        """Every place of these prints, but for the public ones; at most ``MAX_PLACES`` of one."""
        table, files, lines = self._table()
        first = np.searchsorted(table, hashes, "left")
        counts = np.minimum(np.searchsorted(table, hashes, "right") - first, MAX_PLACES)
        counts[among(hashes, self._public)] = 0
        query = np.repeat(np.arange(len(hashes), dtype=np.uint32), counts)
        ahead = np.cumsum(counts) - counts
        places = np.repeat(first - ahead, counts) + np.arange(int(counts.sum()))
        return Hits(query, files[places], lines[places])

    def words(self, hashes: Hashes) -> Hits:
        """Pairs of words are looked up as prints are: there is no key."""
        return self.lookup(hashes)

    def refresh(self) -> None:
        """There is no newer one."""

    def public(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Which of these are in the index and known to be public."""
        return among(hashes, self._public) & among(hashes, self._table()[0])

    def by_digest(self, digest: bytes) -> Sequence[int]:
        """Files whose ``content`` or ``normal`` this is."""
        return self._digests.get(digest, []) if digest else []

    def by_suffixes(self, suffixes: Iterable[str]) -> dict[str, Sequence[int]]:
        """Files by the last three components of their paths."""
        return {one: self._suffixes[one] for one in suffixes if one in self._suffixes}

    def file(self, number: int) -> IndexedFile:
        """What is known of a file."""
        return self._files[number]
