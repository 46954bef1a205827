"""Postings sorted and made one of: a batch's in memory, several segments' in bounded memory.

Of a print that stands twice in one file, the newest posting is kept: the line where it stood last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitor.private_code.index.layout import cut
from monitor.private_code.index.segment import SegmentWriter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from monitor.private_code.index.segment import Segment
    from monitor.private_code.prints import Hashes, Numbers

    Postings = tuple[Hashes, Numbers, Numbers]
    """Hashes, files and lines: three arrays of one length."""

MOST_SEGMENTS = 8
MOST_PUBLISHED = 4
"""Segments that a reader has to ask at most; a writer may have more for a while."""

WORTH_ONE = 1 << 21
"""Postings, some 24 MB: an index of fewer is published as one segment, whatever was added."""

_GROWTH = 2
_AT_ONCE = 500_000
_ALL = 1 << 64


def ordered(hashes: Hashes, files: Numbers, lines: Numbers) -> Postings:
    """Postings by hash and file; of those that agree in both, the first that was given."""
    order = np.lexsort((files, hashes))
    hashes, files, lines = hashes[order], files[order], lines[order]
    is_first = np.ones(len(hashes), np.bool_)
    is_first[1:] = (hashes[1:] != hashes[:-1]) | (files[1:] != files[:-1])
    return hashes[is_first], files[is_first], lines[is_first]


def write(path: str, postings: Postings, hash_bits: int) -> int:
    """A segment of postings of any order, the newest first; gives how many were kept."""
    hashes, files, lines = ordered(cut(postings[0], hash_bits), postings[1], postings[2])
    writer = SegmentWriter(path, len(hashes), hash_bits)
    try:
        writer.append(hashes, files, lines)
        return writer.finish()
    except BaseException:
        writer.abandon()
        raise


def merge(
    path: str,
    newest_first: Sequence[Segment],
    hash_bits: int,
    *,
    dropped: Collection[int] = (),
) -> int:
    """One segment out of several, without the files of ``dropped``; gives its postings."""
    gone = np.array(sorted(dropped), np.uint32)
    writer = SegmentWriter(path, sum(map(len, newest_first)), hash_bits)
    try:
        for low, high in ranges(sum(map(len, newest_first))):
            parts = [segment.read(low, high) for segment in newest_first]
            hashes, files, lines = (np.concatenate(column) for column in zip(*parts, strict=True))
            if len(gone):
                is_kept = ~np.isin(files, gone)
                hashes, files, lines = hashes[is_kept], files[is_kept], lines[is_kept]
            writer.append(*ordered(hashes, files, lines))
        return writer.finish()
    except BaseException:
        writer.abandon()
        raise


def ranges(entries: int, at_once: int = _AT_ONCE) -> Iterator[tuple[int, int]]:
    """The whole range of hashes in pieces that hold about ``at_once`` of so many entries."""
    pieces = max(1, -(-entries // at_once))
    for piece in range(pieces):
        yield _ALL * piece // pieces, _ALL * (piece + 1) // pieces


def due(sizes: Sequence[int], most: int = MOST_SEGMENTS) -> slice | None:
    """Which neighbours among segments are to become one so that ``most`` are left, None for none.

    From the end that costs less (new ones come at the young end, history at the old one), a merge
    takes every segment that is not twice as large as what it holds already, so that a posting is
    rewritten a logarithmic number of times.
    """
    if len(sizes) <= most:
        return None
    old, old_cost = _run(sizes)
    young, young_cost = _run(sizes[::-1])
    return slice(old) if old_cost < young_cost else slice(len(sizes) - young, len(sizes))


def _run(sizes: Sequence[int]) -> tuple[int, int]:
    """How many of the first are taken, and how many postings they hold."""
    count, held = 1, sizes[0]
    for size in sizes[1:]:
        if size > _GROWTH * held and count > 1:
            break
        count, held = count + 1, held + size
    return count, held
