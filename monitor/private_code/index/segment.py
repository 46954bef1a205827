"""One immutable, sorted segment of postings in a file: written once, mapped, asked.

A process that maps a segment shares its pages with all others; what a look-up touched of the
records is given back at once, so that resident memory stays near the filter's size.
"""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

import numpy as np

from monitor.private_code.index.faults import damaged
from monitor.private_code.index.layout import (
    FORMAT,
    HEADER_BYTES,
    Layout,
    decoded,
    mask,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from monitor.private_code.prints import Hashes, Numbers

MOST_PLACES = 64
"""A print that stands in more files than this tells little: the first of them are given."""

Places = tuple["Numbers", "Numbers", "Numbers"]
"""Rows of the question, files, lines: three arrays of one length."""

_SLICE = 1000  # survivors of the filter whose pages are held at a time: 64 kB each at most
_CACHED = 1 << 14  # questions whose arrays fit the second-level cache
_GIVE_BACK_FROM = 64 << 20


class Segment:
    """A segment's file, mapped. Raises ConfigError where the file is not whole."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with open(path, "rb") as stream:
                self.layout = decoded(stream.read(HEADER_BYTES), path)
                if os.fstat(stream.fileno()).st_size != self.layout.size:
                    raise damaged(path, "its size is not what its header says")
                self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise damaged(path, error.strerror or "unreadable") from None
        layout = self.layout
        self._filter = np.frombuffer(self._map, "<u8", layout.words, layout.filter_at)
        rows = (1 << layout.prefix_bits) + 1
        self._prefix = np.frombuffer(self._map, "<u4", rows, layout.prefix_at)
        self._records = np.frombuffer(self._map, layout.record, layout.entries, layout.records_at)
        self._is_large = self._records.nbytes >= _GIVE_BACK_FROM

    def __len__(self) -> int:
        return self.layout.entries

    def find(self, hashes: Hashes, wanted: Hashes) -> Places:
        """Where these prints stand, keyed and cut; ``wanted`` is their ``mask``.

        Each print's places are in the order of the files.
        """
        # A damaged table must not lead outside the file: mode="clip" is bounded, and quicker.
        rows = np.concatenate(
            [
                start + np.flatnonzero(self._is_let_by(hashes[piece], wanted[piece]))
                for start, piece in _pieces(len(hashes), _CACHED)
            ]
        )
        at_once = _SLICE if self._is_large else len(rows)
        found = [self._survivors(hashes, rows[piece]) for _, piece in _pieces(len(rows), at_once)]
        if len(found) == 1:
            return found[0]
        return _joined(found)

    def _is_let_by(self, hashes: Hashes, wanted: Hashes) -> npt.NDArray[np.bool_]:
        words = self._filter.take(self.layout.word(hashes), mode="clip")
        return np.asarray(words & wanted == wanted)

    def read(self, low: int, high: int) -> tuple[Hashes, Numbers, Numbers]:
        """All postings with ``low <= hash < high``: hashes, files and lines, sorted by hash."""
        layout = self.layout
        shift = 64 - layout.prefix_bits
        first, last = low >> shift, min((high - 1) >> shift, (1 << layout.prefix_bits) - 1)
        table = np.minimum(self._prefix[first : last + 2].astype(np.int64), layout.entries)
        start, end = int(table[0]), int(table[-1])
        counts = np.maximum(np.diff(table), 0)
        records = self._records[start:end]
        if counts.sum() != len(records):
            raise damaged(self.path, "its prefix table")
        hashes = layout.whole(np.repeat(np.arange(first, last + 1), counts), records["rest"])
        left = int(np.searchsorted(hashes, np.uint64(low)))
        right = len(hashes)
        if high < 1 << 64:
            right = int(np.searchsorted(hashes, np.uint64(high)))
        kept = (
            hashes[left:right],
            records["file"][left:right].copy(),
            records["line"][left:right].copy(),
        )
        self._give_back()
        return kept

    def _survivors(self, hashes: Hashes, rows: npt.NDArray[np.int64]) -> Places:
        layout, wanted = self.layout, hashes[rows]
        prefix, rest = layout.prefix(wanted), layout.rest(wanted)
        low = np.minimum(self._prefix[prefix].astype(np.int64), layout.entries)
        high = np.clip(self._prefix[prefix + 1].astype(np.int64), low, layout.entries)
        begin = self._bisect(low, high, rest, is_right=False)
        end = self._bisect(begin, high, rest, is_right=True)
        counts = np.minimum(end - begin, MOST_PLACES)
        total = int(counts.sum())
        steps = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        records = self._records[np.repeat(begin, counts) + steps]
        places = (
            np.repeat(rows, counts).astype(np.uint32),
            np.ascontiguousarray(records["file"]),
            np.ascontiguousarray(records["line"]),
        )
        self._give_back()
        return places

    def _bisect(
        self,
        low: npt.NDArray[np.int64],
        high: npt.NDArray[np.int64],
        rest: Hashes,
        *,
        is_right: bool,
    ) -> npt.NDArray[np.int64]:
        """As ``numpy.searchsorted``, for each ``rest`` between its own bounds."""
        low, high = low.copy(), high.copy()
        column = self._records["rest"]
        while (open_ := np.flatnonzero(low < high)).size:
            middle = (low[open_] + high[open_]) >> 1
            there = column[middle].astype(np.uint64)
            is_above = there <= rest[open_] if is_right else there < rest[open_]
            low[open_] = np.where(is_above, middle + 1, low[open_])
            high[open_] = np.where(is_above, high[open_], middle)
        return low

    def _give_back(self) -> None:
        """Let go of the records' pages: they stay in the system's cache, not in this process."""
        if self._is_large and hasattr(mmap, "MADV_DONTNEED"):
            start = self.layout.records_at
            self._map.madvise(mmap.MADV_DONTNEED, start, len(self._map) - start)


class SegmentWriter:
    """Writes a segment of at most ``bound`` postings, which come sorted by hash and file.

    The memory that it takes is the filter's and the table's: 1.3 bytes per posting of the bound.
    """

    def __init__(self, path: str, bound: int, hash_bits: int) -> None:
        self._path = path
        self._layout = Layout(format=FORMAT, hash_bits=hash_bits, bound=max(bound, 1), entries=0)
        self._filter = np.zeros(self._layout.words, "<u8")
        self._counts = np.zeros(1 << self._layout.prefix_bits, np.uint32)
        self._entries = 0
        self._stream = open(path, "wb")  # noqa: SIM115 - closed by finish or abandon
        self._stream.seek(self._layout.records_at)

    def append(self, hashes: Hashes, files: Numbers, lines: Numbers) -> None:
        """Add postings that are not below any earlier one; hashes are cut to the kept bits."""
        if not len(hashes):
            return
        layout = self._layout
        prefix = layout.prefix(hashes)
        records = np.empty(len(hashes), layout.record)
        records["rest"], records["file"], records["line"] = layout.rest(hashes), files, lines
        self._stream.write(records.data)
        first = int(prefix[0])
        counts = np.bincount(prefix - first)
        self._counts[first : first + len(counts)] += counts.astype(np.uint32)
        words = layout.word(hashes)
        starts = np.flatnonzero(np.diff(words, prepend=-1))
        self._filter[words[starts]] |= np.bitwise_or.reduceat(mask(hashes), starts)
        self._entries += len(hashes)

    def finish(self) -> int:
        """Complete the file on disk; gives the number of postings."""
        layout = Layout(
            format=FORMAT,
            hash_bits=self._layout.hash_bits,
            bound=self._layout.bound,
            entries=self._entries,
        )
        table = np.zeros((1 << layout.prefix_bits) + 1, "<u4")
        np.cumsum(self._counts, out=table[1:])
        with self._stream as stream:
            stream.truncate(layout.size)
            for offset, section in (
                (layout.filter_at, self._filter.data),
                (layout.prefix_at, table.data),
                (0, layout.encoded()),
            ):
                stream.seek(offset)
                stream.write(section)
            stream.flush()
            os.fsync(stream.fileno())
        return self._entries

    def abandon(self) -> None:
        """Leave no file behind."""
        self._stream.close()
        os.unlink(self._path)


def _pieces(length: int, at_once: int) -> Iterator[tuple[int, slice]]:
    """Beginnings and slices, at least one."""
    for start in range(0, max(length, 1), max(at_once, 1)):
        yield start, slice(start, start + at_once)


def _joined(found: list[Places]) -> Places:
    queries, files, lines = zip(*found, strict=True)
    return np.concatenate(queries), np.concatenate(files), np.concatenate(lines)
