"""The gate before fingerprinting: which stretches of which texts have words of ours together.

Lexing and fingerprinting cost more than all the rest of a scan, and nearly no text of a stranger
has anything of ours. So the pairs of words of a text are looked up first; what has several of one
private file close together is read, with what stands around it, and the rest is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from monitor.private_code.prints import Hits
from monitor.private_code.words import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from monitor.private_code.lexing.hashing import Places
    from monitor.private_code.prints import Hashes

    Flags = npt.NDArray[np.bool_]

SEATS = 32
"""Pairs: within so many lie those of one private file that are counted together."""

LEAST = 3
"""So many of them there have to be: one less in a text of few pairs, and never more than half."""

_FEW = 400

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

    def words(self, hashes: Hashes) -> Hits:
        """Where these pairs stand in private files; those known to be public are left out."""
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
        is_ours = np.zeros(len(hashes), np.bool_)
        is_close = np.zeros(len(hashes), np.bool_)
        needed = np.where(counts < _FEW, LEAST - 1, LEAST)
        needed = np.repeat(np.minimum(needed, np.maximum(1, (counts + 1) // 2)), counts)
        # Texts stand so far apart that no window reaches from one into the next.
        seats = np.arange(len(hashes)) + np.repeat(np.arange(len(texts)) * SEATS, counts)
        for low in range(0, len(hashes), _AT_ONCE):
            part = slice(max(0, low - SEATS), low + _AT_ONCE)
            for index in self.indexes:
                own = is_ours[part]  # a view, as the others are
                hits = _telling(index.words(hashes[part]))
                own[hits.query] = True
                hits = _chosen(hits, _is_new(hashes[part], seats[part], own)[hits.query])
                _mark(hits, seats[part], needed[part], is_close[part])
        return [
            _passed(text, starts[low:high], hashes[low:high][is_ours[low:high]], close)
            for text, low, high, close in _split(texts, edges, is_close)
        ]


def _split(
    texts: Sequence[bytes], edges: Places, is_close: Flags
) -> Iterator[tuple[bytes, int, int, Places]]:
    close = np.flatnonzero(is_close)
    cuts = np.searchsorted(close, edges).tolist()
    bounds = edges.tolist()
    for number, text in enumerate(texts):
        own = close[cuts[number] : cuts[number + 1]] - bounds[number]
        yield text, bounds[number], bounds[number + 1], own


def _telling(hits: Hits) -> Hits:
    """Without the pairs that stand in many files."""
    return _chosen(hits, np.bincount(hits.query)[hits.query] <= MOST_FILES)


def _chosen(hits: Hits, is_kept: Flags) -> Hits:
    return Hits(hits.query[is_kept], hits.files[is_kept], hits.lines[is_kept])


def _is_new(hashes: Hashes, seats: Places, is_ours: Flags) -> Flags:
    """Which of our pairs did not stand just before: one that is repeated says little."""
    own = np.flatnonzero(is_ours)
    order = own[np.lexsort((seats[own], hashes[own]))]
    is_new = np.zeros(len(hashes), np.bool_)
    is_new[order] = True
    again = (hashes[order[1:]] == hashes[order[:-1]]) & (
        seats[order[1:]] - seats[order[:-1]] < SEATS
    )
    is_new[order[1:][again]] = False
    return is_new


def _mark(hits: Hits, seats: Places, needed: Places, is_close: Flags) -> None:
    """Marks the first pair of each window that holds enough pairs of one private file."""
    query = hits.query.astype(np.int64)
    keys = hits.files.astype(np.int64) * _FILE + seats[query]
    order = np.argsort(keys, kind="stable")
    keys, query = keys[order], query[order]
    behind = np.searchsorted(keys, keys + SEATS)
    is_enough = behind - np.arange(len(keys)) >= needed[query]
    is_close[query[is_enough]] = True


def _passed(text: bytes, starts: Places, words: Hashes, close: Places) -> Passed | None:
    if not len(close):
        return None
    size = len(text)
    if size <= _WHOLE_BYTES:
        return Passed([(0, size)], words)
    stretches: list[tuple[int, int]] = []
    last = len(starts) - 1
    for seat in close.tolist():
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
