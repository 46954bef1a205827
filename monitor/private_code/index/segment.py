"""One immutable, sorted segment of postings in a file: written once, mapped, asked.

A process that maps a segment shares its pages with all others. A large one is asked in the order
of its records, a stretch at a time, and each stretch is given back: resident memory stays near the
filter's size, however much the system maps around each page that is touched.
"""

from __future__ import annotations

import itertools
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
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from monitor.private_code.prints import Hashes, Numbers

MOST_PLACES = 64
"""A print that stands in more files than this tells little: the first of them are given."""

Places = tuple["Numbers", "Numbers", "Numbers"]
"""Rows of the question, files, lines: three arrays of one length."""

NOTHING: Hashes = np.empty(0, np.uint64)
_STRETCH_BYTES = 40 << 20  # of the records held at a time
_CACHED = 1 << 14  # questions whose arrays fit the second-level cache
_GIVE_BACK_FROM = 8 << 20


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
                self._file = os.dup(stream.fileno())
        except OSError as error:
            raise damaged(path, error.strerror or "unreadable") from None
        layout = self.layout
        self._filter = np.frombuffer(self._map, "<u8", layout.words, layout.filter_at)
        rows = (1 << layout.prefix_bits) + 1
        self._prefix = np.frombuffer(self._map, "<u4", rows, layout.prefix_at)
        self._records = np.frombuffer(self._map, layout.record, layout.entries, layout.records_at)
        self._is_large = self._records.nbytes >= _GIVE_BACK_FROM
        self._advise("MADV_RANDOM")

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    def __len__(self) -> int:
        return self.layout.entries

    def find(self, hashes: Hashes, wanted: Hashes, public: Hashes = NOTHING) -> Places:
        """Where these prints stand, keyed and cut; ``wanted`` is their ``mask``.

        Those in ``public``, an ascending array, are left out: most of a stranger's that pass the
        filter. Each print's places are in the order of the files.
        """
        # A damaged table must not lead outside the file: mode="clip" is bounded, and quicker.
        rows = np.concatenate(
            [
                start + np.flatnonzero(self._is_let_by(hashes[piece], wanted[piece]))
                for start, piece in _pieces(len(hashes), _CACHED)
            ]
        )
        rows = rows[~among(hashes[rows], public)]
        if not self._is_large:
            return self._survivors(hashes, rows)
        rows = rows[np.argsort(hashes[rows])]
        edges = self._edges(hashes[rows])
        pieces = [rows[start:end] for start, end in itertools.pairwise(edges) if start < end]
        queries, files, lines = joined([self._survivors(hashes, piece) for piece in pieces])
        order = np.argsort(queries, kind="stable")
        return queries[order], files[order], lines[order]

    def _edges(self, ascending: Hashes) -> list[int]:
        """Where the stretches of the records begin in hashes, and where the last one ends."""
        count = -(-self._records.nbytes // _STRETCH_BYTES)
        starts = np.array([(piece << 64) // count for piece in range(count)], np.uint64)
        return [*np.searchsorted(ascending, starts).tolist(), len(ascending)]

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
        if counts.sum() != end - start:
            raise damaged(self.path, "its prefix table")
        # Read, not mapped: the pages would count as this process's own.
        each = layout.record.itemsize
        content = os.pread(self._file, (end - start) * each, layout.records_at + start * each)
        records = np.frombuffer(content, layout.record)
        hashes = layout.whole(np.repeat(np.arange(first, last + 1), counts), records["rest"])
        left = int(np.searchsorted(hashes, np.uint64(low)))
        right = len(hashes)
        if high < 1 << 64:
            right = int(np.searchsorted(hashes, np.uint64(high)))
        return (
            hashes[left:right],
            records["file"][left:right].copy(),
            records["line"][left:right].copy(),
        )

    def _survivors(self, hashes: Hashes, rows: npt.NDArray[np.int64]) -> Places:
        layout, wanted = self.layout, hashes[rows]
        prefix, rest = layout.prefix(wanted), layout.rest(wanted)
        low = np.minimum(self._prefix[prefix].astype(np.int64), layout.entries)
        high = np.clip(self._prefix[prefix + 1].astype(np.int64), low, layout.entries)
        begin = self._bisect(low, high, rest, is_right=False)
        held = np.flatnonzero(begin < high)
        held = held[self._records["rest"][begin[held]] == rest[held]]
        rows, begin = rows[held], begin[held]
        end = self._bisect(begin, high[held], rest[held], is_right=True)
        counts = np.minimum(end - begin, MOST_PLACES)
        total = int(counts.sum())
        steps = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        records = self._records[np.repeat(begin, counts) + steps]
        places = (
            np.repeat(rows, counts).astype(np.uint32),
            np.ascontiguousarray(records["file"]),
            np.ascontiguousarray(records["line"]),
        )
        self._advise("MADV_DONTNEED")
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

    def _advise(self, name: str) -> None:
        """Tell the system how the records of a large segment are used.

        They are met at random, so that reading ahead is in vain; and what was met stays in the
        system's cache, not in this process.
        """
        advice = getattr(mmap, name, None)
        if self._is_large and advice is not None:
            start = self.layout.records_at
            self._map.madvise(advice, start, len(self._map) - start)


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


def joined(found: list[Places]) -> Places:
    """Places found in pieces, as one."""
    if not found:
        nothing = np.empty(0, np.uint32)
        return nothing, nothing, nothing
    queries, files, lines = zip(*found, strict=True)
    return np.concatenate(queries), np.concatenate(files), np.concatenate(lines)


def newest(found: Sequence[Places]) -> Places:
    """The places of all segments, the newest first; of two in one file the newest counts."""
    if not found:
        nothing = np.empty(0, np.uint32)
        return nothing, nothing, nothing
    if len(found) == 1:
        return found[0]
    queries, files, lines = (np.concatenate(column) for column in zip(*found, strict=True))
    pairs = queries.astype(np.uint64) << np.uint64(32) | files.astype(np.uint64)
    _, first = np.unique(pairs, return_index=True)
    queries, files, lines = queries[first], files[first], lines[first]
    starts = np.flatnonzero(np.diff(queries, prepend=np.uint32(0xFFFFFFFF)) != 0)
    rank = np.arange(len(queries)) - np.repeat(starts, np.diff(np.append(starts, len(queries))))
    is_kept = rank < MOST_PLACES
    return queries[is_kept], files[is_kept], lines[is_kept]


def among(keyed: Hashes, public: Hashes) -> npt.NDArray[np.bool_]:
    """Which of these stand in an ascending array."""
    if not len(public):
        return np.zeros(len(keyed), np.bool_)
    at = np.minimum(np.searchsorted(public, keyed), len(public) - 1)
    return np.asarray(public[at] == keyed)
