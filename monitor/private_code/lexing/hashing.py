"""Hashes of stretches of bytes, many at a time, and vocabularies looked up by hash.

A stretch's hash is the polynomial of its bytes modulo 2^64, stirred. Prefix sums give it for all
stretches of a window at once, in a few passes of numpy and without a Python object per token.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.private_code.prints import Hashes

Places = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint8]

MAX_WINDOW = 256 << 10
"""The most bytes that one call takes."""

MAX_TEXT = 32 << 10
"""The most bytes of a text that its hash depends on."""

_BASE = 0x9E3779B97F4A7C15
_LEAST_TABLE = 1 << 12
_INVERSE = pow(_BASE, -1, 1 << 64)


def _powers(factor: int, size: int) -> Hashes:
    """So many powers and more: of a short text's window they are made in no time."""
    return _table(factor, max(_LEAST_TABLE, size).bit_length())


@cache
def _table(factor: int, bits: int) -> Hashes:
    table = np.full(1 << bits, factor, dtype=np.uint64)
    table[0] = 1
    return np.multiply.accumulate(table)


def stir(values: Hashes) -> Hashes:
    """The finaliser of splitmix64: a bijection of 64 bits in which each bit moves each other."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def spans(octets: Codes, starts: Places, ends: Places) -> Hashes:
    """One hash per stretch ``[start, end)``; at most ``MAX_WINDOW`` octets."""
    size = len(octets)
    sums = np.zeros(size + 1, dtype=np.uint64)
    np.cumsum(octets * _powers(_BASE, size)[:size], out=sums[1:])
    found = (sums[ends] - sums[starts]) * _powers(_INVERSE, size)[starts]
    found += (ends - starts).astype(np.uint64) * np.uint64(0xD6E8FEB86659FD93)
    return stir(found)


def texts(pieces: list[bytes]) -> Hashes:
    """One hash per text, the same as ``spans`` gives for it. Long ones are cut at ``MAX_TEXT``."""
    found = np.empty(len(pieces), dtype=np.uint64)
    first = 0
    while first < len(pieces):
        last, size = first, 0
        while last < len(pieces) and (last == first or size < MAX_WINDOW >> 1):
            size += min(len(pieces[last]), MAX_TEXT)
            last += 1
        part = [piece[:MAX_TEXT] for piece in pieces[first:last]]
        lengths = np.fromiter(map(len, part), np.int64, len(part))
        ends = np.cumsum(lengths)
        octets = np.frombuffer(b"".join(part), dtype=np.uint8)
        found[first:last] = spans(octets, ends - lengths, ends)
        first = last
    return found


class Vocabulary:
    """Words with a code from 1 to 255 each, asked by hash; 0 stands for all other words."""

    def __init__(self, words: Mapping[int, Iterable[str]]) -> None:
        pairs = {word.encode(): code for code, group in words.items() for word in group}
        hashes = texts(list(pairs))
        codes = np.fromiter(pairs.values(), np.uint8, len(pairs))
        self._shift = np.uint64(64 - 16)
        self._factor = self._perfect(hashes)
        slots = (hashes * self._factor) >> self._shift
        self._hashes = np.zeros(1 << 16, dtype=np.uint64)
        self._codes = np.zeros(1 << 16, dtype=np.uint8)
        self._hashes[slots] = hashes
        self._codes[slots] = codes

    def _perfect(self, hashes: Hashes) -> np.uint64:
        """An odd factor that gives each word a slot of its own."""
        for step in range(1, 10_000):
            factor = np.uint64(_BASE * (2 * step + 1) % (1 << 64))
            slots = np.sort((hashes * factor) >> self._shift)
            if (slots[1:] != slots[:-1]).all():
                return factor
        raise ValueError("a vocabulary is too large for its table")

    def codes(self, hashes: Hashes) -> Codes:
        """The code of each word."""
        slots = (hashes * self._factor) >> self._shift
        found: Codes = self._codes[slots] * (self._hashes[slots] == hashes)
        return found
