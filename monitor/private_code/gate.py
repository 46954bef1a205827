"""The gate before fingerprinting: which stretches of which texts have words of ours together.

Lexing and fingerprinting cost more than all the rest of a scan, and nearly no text of a stranger
has anything of ours. So the pairs of words of a text are looked up first; what has several of one
private file close together is read, with what stands around it, and the rest is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from monitor.private_code.words import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from monitor.private_code.lexing.hashing import Places
    from monitor.private_code.prints import Hashes, Hits, Numbers

    Flags = npt.NDArray[np.bool_]

SEATS = 32
"""Pairs: within so many lie those of one private file that are counted together."""

LEAST = 2
MORE_FROM = (400, 1_000, 10_000)
"""So many of them there have to be, one more in a text of so many pairs and so on, and never more
than half of all: chance has more places in a large text."""

BACKED = 6
"""In a text of few pairs so many are enough that others have as well, if one is ours alone: a copy
of what calls well-known things has the words of everybody."""

MOST_FILES = 16
"""A pair that stands in more private files is everybody's."""

_AROUND = 50  # pairs read before and behind
_WHOLE_SHARE = 0.5
_WHOLE_BYTES = 16 << 10
_NEAR_BYTES = 512
_FILE = np.int64(1 << 40)
_AT_ONCE = 1 << 17
"""Pairs: of a text that is hostile each of them may stand in as many files as an index tells."""


class Words(Protocol):
    """What an index answers to pairs of words."""

    def words(self, hashes: Hashes, *, with_public: bool = False) -> Hits:
        """Where these pairs stand in private files; of those known to be public only if wanted."""
        ...

    def refresh(self) -> None:
        """Take up what was put in force since."""
        ...


class Passed(NamedTuple):
    """What of a text is worth reading: stretches in bytes, ascending, and its pairs of ours."""

    stretches: list[tuple[int, int]]
    words: Hashes


class Gate:
    """Holds texts against the words of indexes; holds nothing of the texts."""

    def __init__(self, indexes: Sequence[Words]) -> None:
        self.indexes = tuple(indexes)

    def refresh(self) -> None:
        """Take up indexes that were replaced since. Raises ConfigError."""
        for index in self.indexes:
            index.refresh()

    def passed(self, texts: Sequence[bytes]) -> list[Passed | None]:
        """For each text what of it is to be read; None for one that has nothing of ours."""
        hashes, starts, counts = pairs(texts)
        edges = np.concatenate([[0], np.cumsum(counts)])
        needed = LEAST + np.searchsorted(np.array(MORE_FROM), counts, "right")
        needed = np.minimum(needed, np.maximum(1, (counts + 1) // 2))
        is_ours = np.zeros(len(hashes), np.bool_)
        is_close = np.zeros(len(hashes), np.bool_)
        for places, files in self._found(hashes):
            is_ours[places] = True
            is_close[_firsts(hashes, places, files, edges, needed)] = True
        small = _undecided(edges, is_ours, is_close)
        needed[:] = BACKED
        for places, files in self._found(hashes[small], with_public=True):
            is_close[_firsts(hashes, small[places], files, edges, needed)] = True
        passed: list[Passed | None] = [None] * len(texts)
        for number, pairs_of, close in _split(edges, is_close):
            words = hashes[pairs_of][is_ours[pairs_of]]
            passed[number] = _passed(texts[number], starts[pairs_of], words, close)
        return passed

    def _found(
        self, hashes: Hashes, *, with_public: bool = False
    ) -> Iterator[tuple[Places, Numbers]]:
        """Places and files of pairs that tell; stretches that are looked up overlap by a window."""
        for low in range(0, len(hashes), _AT_ONCE):
            first = max(0, low - SEATS)
            part = hashes[first : low + _AT_ONCE]
            for index in self.indexes:
                places, files = _telling(index.words(part, with_public=with_public))
                yield places + first, files


def _split(edges: Places, is_close: Flags) -> Iterator[tuple[int, slice, list[int]]]:
    """The texts in which pairs are close: their numbers, their pairs, and which of them are."""
    close = np.flatnonzero(is_close)
    cuts = np.searchsorted(close, edges)
    for number in np.flatnonzero(np.diff(cuts)).tolist():
        low, high = int(edges[number]), int(edges[number + 1])
        yield number, slice(low, high), (close[cuts[number] : cuts[number + 1]] - low).tolist()


def _telling(hits: Hits) -> tuple[Places, Numbers]:
    """Places, ascending, and files of pairs; without those that stand in many files."""
    is_kept = np.bincount(hits.query)[hits.query] <= MOST_FILES
    return hits.query[is_kept].astype(np.int64), hits.files[is_kept]


def _undecided(edges: Places, is_ours: Flags, is_close: Flags) -> Places:
    """The pairs of texts of few pairs that have some of ours, none of them close together."""
    counts = np.diff(edges)
    ours, close = (
        np.diff(np.searchsorted(np.flatnonzero(each), edges)) for each in (is_ours, is_close)
    )
    is_open = (ours > 0) & (close == 0) & (counts < MORE_FROM[0])
    return np.flatnonzero(np.repeat(is_open, counts))


def _firsts(
    hashes: Hashes, places: Places, files: Numbers, edges: Places, needed: Places
) -> Places:
    """The first places of windows that hold as many pairs of one file as their text needs."""
    text = np.searchsorted(edges, places, "right") - 1
    # Texts stand so far apart that no window reaches from one into the next.
    seats = places + text * SEATS
    is_new = _is_new(hashes[places], seats)
    found = _close(files[is_new], seats[is_new], needed[text[is_new]])
    return places[is_new][found]


def _is_new(hashes: Hashes, seats: Places) -> Flags:
    """Which of our pairs did not stand just before: one that is repeated says little.

    Seats ascend; of a pair that stands in several files each has the same one.
    """
    is_first = np.ones(len(seats), np.bool_)
    is_first[1:] = seats[1:] != seats[:-1]
    own = np.flatnonzero(is_first)
    order = own[np.lexsort((seats[own], hashes[own]))]
    again = (hashes[order[1:]] == hashes[order[:-1]]) & (
        seats[order[1:]] - seats[order[:-1]] < SEATS
    )
    is_first[order[1:][again]] = False
    return np.repeat(is_first[own], np.diff(own, append=len(seats)))


def _close(files: Numbers, seats: Places, needed: Places) -> Places:
    """Which of these stand first in a window that holds enough pairs of one private file."""
    keys = files.astype(np.int64) * _FILE + seats
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    behind = np.searchsorted(keys, keys + SEATS)
    return order[behind - np.arange(len(keys)) >= needed[order]]


def _passed(text: bytes, starts: Places, words: Hashes, close: list[int]) -> Passed:
    size = len(text)
    if size <= _WHOLE_BYTES:
        return Passed([(0, size)], words)
    stretches: list[tuple[int, int]] = []
    last = len(starts) - 1
    for seat in close:
        low = int(starts[max(0, seat - _AROUND)]) if seat > _AROUND else 0
        behind = seat + SEATS + _AROUND
        high = int(starts[behind]) if behind <= last else size
        if stretches and low <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(high, stretches[-1][1]))
        else:
            stretches.append((low, high))
    if sum(high - low for low, high in stretches) >= _WHOLE_SHARE * size:
        return Passed([(0, size)], words)
    return Passed([_whole_lines(text, low, high) for low, high in stretches], words)


def _whole_lines(text: bytes, low: int, high: int) -> tuple[int, int]:
    """The stretch from the line's beginning or the statement's, where one is near."""
    for mark in (b"\n", b";", b"}"):
        before = text.rfind(mark, max(0, low - _NEAR_BYTES), low)
        if before >= 0:
            return before + 1, high
    return low, high
