"""How a segment lies in its file: header, filter, prefix table, records. Sizes follow the entries.

The *hash* of a posting is a keyed print's first ``hash_bits`` bits, at the top of 64. Records are
sorted by it; the prefix table holds, for each value of its first ``prefix_bits`` bits, where they
begin, and a record keeps the rest. The filter (one 64-bit word per hash, four bits in it: Putze,
Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007) tells of most hashes
that they are not there, at the price of one access to memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import Struct

from monitor.private_code.index.faults import damaged, other_format

if TYPE_CHECKING:
    import numpy.typing as npt

    from monitor.private_code.prints import Hashes

FORMAT = "leakmon/index-segment/1"
FULL_BITS = 54
"""Enough that among 10^8 postings one look-up in 180 million meets a stranger by chance."""

HEADER_BYTES = 4096
_PAGE = 4096
_NARROW_FROM = 1 << 22  # entries from which 22 bits stand in the prefix table, and 32 in a record
_NARROW_PREFIX = 22
_MOST_BITS = 64
_NARROW_REST = 32
_MAX_WIDE_PREFIX = 18
_FILTER_BITS_EACH = 10
_MIX = np.uint64(0x9E3779B97F4A7C15)
_TOP = np.uint64(32)
_WORD = np.uint64(63)
_ONE = np.uint64(1)
_CACHED = 1 << 14  # hashes whose arrays fit the second-level cache


class Layout(Struct, frozen=True, kw_only=True):
    """What a header says. ``bound`` is the number of entries that the sizes were made for."""

    format: str
    hash_bits: int
    bound: int
    entries: int

    @property
    def prefix_bits(self) -> int:
        """How many bits of a hash are told by the place of its record."""
        if self.bound >= _NARROW_FROM:
            return _NARROW_PREFIX
        return min(max(4, self.bound.bit_length() - 4), _MAX_WIDE_PREFIX)

    @property
    def rest_bits(self) -> int:
        """How many bits of a hash are kept in its record."""
        return self.hash_bits - self.prefix_bits

    @property
    def record(self) -> np.dtype[np.void]:
        """One posting: the rest of the hash, the file's number, the line."""
        rest = "<u4" if self.rest_bits <= _NARROW_REST else "<u8"
        return np.dtype([("rest", rest), ("file", "<u4"), ("line", "<u4")])

    @property
    def words(self) -> int:
        """The 64-bit words of the filter."""
        return max(1, self.bound * _FILTER_BITS_EACH // 64)

    @property
    def filter_at(self) -> int:
        """Where the filter begins, in bytes."""
        return HEADER_BYTES

    @property
    def prefix_at(self) -> int:
        """Where the prefix table begins."""
        return _aligned(self.filter_at + self.words * 8)

    @property
    def records_at(self) -> int:
        """Where the records begin."""
        return _aligned(self.prefix_at + ((1 << self.prefix_bits) + 1) * 4)

    @property
    def size(self) -> int:
        """The bytes of the whole file."""
        return self.records_at + self.entries * self.record.itemsize

    def encoded(self) -> bytes:
        """The header: JSON and zeros."""
        return msgspec.json.encode(self).ljust(HEADER_BYTES, b"\0")

    def prefix(self, hashes: Hashes) -> npt.NDArray[np.int64]:
        """The hashes' rows of the prefix table."""
        return (hashes >> np.uint64(64 - self.prefix_bits)).astype(np.int64)

    def rest(self, hashes: Hashes) -> Hashes:
        """What the records of these hashes keep."""
        bits = np.uint64((1 << self.rest_bits) - 1)
        return (hashes >> np.uint64(64 - self.hash_bits)) & bits

    def whole(self, prefix: npt.NDArray[np.int64], rest: Hashes) -> Hashes:
        """The hashes of rows and rests: the inverse of ``prefix`` and ``rest``."""
        joined = prefix.astype(np.uint64) << np.uint64(self.rest_bits) | rest.astype(np.uint64)
        return joined << np.uint64(64 - self.hash_bits)

    def word(self, hashes: Hashes) -> npt.NDArray[np.int64]:
        """The hashes' words of the filter; never falls where the hash grows."""
        return ((hashes >> _TOP) * np.uint64(self.words) >> _TOP).astype(np.int64)


def cut(keyed: Hashes, hash_bits: int) -> Hashes:
    """Of keyed prints what is kept: their first bits, the others zero."""
    drop = np.uint64(64 - hash_bits)
    return keyed >> drop << drop


def mask(hashes: Hashes) -> Hashes:
    """The four bits that a hash sets in its word of the filter."""
    wanted = np.empty(len(hashes), np.uint64)
    for start in range(0, len(hashes), _CACHED):
        mixed = hashes[start : start + _CACHED] * _MIX
        bits = _ONE << (mixed >> np.uint64(58))
        for shift in (52, 46, 40):
            bits |= _ONE << (mixed >> np.uint64(shift) & _WORD)
        wanted[start : start + _CACHED] = bits
    return wanted


def decoded(header: bytes, path: str) -> Layout:
    """The layout that a header gives. Raises ConfigError."""
    try:
        layout = msgspec.json.decode(header.rstrip(b"\0"), type=Layout)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise damaged(path, "its header cannot be read") from None
    if layout.format != FORMAT:
        raise other_format(path, layout.format)
    is_possible = _NARROW_PREFIX < layout.hash_bits <= _MOST_BITS
    if not (is_possible and 0 <= layout.entries <= layout.bound < 1 << 32):
        raise damaged(path, "its header contradicts itself")
    return layout


def _aligned(offset: int) -> int:
    return -(-offset // _PAGE) * _PAGE
