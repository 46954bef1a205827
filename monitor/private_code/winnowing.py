"""Winnowing: which runs of elements of a text are kept as its prints.

Schleimer, Wilkerson, Aiken: Winnowing, SIGMOD 2003: of each ``window`` neighbouring runs the one
with the smallest hash is kept, so any copy of ``run + window - 1`` elements shares a print, and
2 / (window + 1) of the runs are kept. Runs that say too little are passed over beforehand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.private_code.lexing.hashing import Places, stir
from monitor.private_code.prints import Channel, Hashes, Prints

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Flags = npt.NDArray[np.bool_]

_FACTOR = 0x9E3779B97F4A7C15
_NONE = np.uint64(0xFFFFFFFFFFFFFFFF)


class Elements(NamedTuple):
    """What a channel sees of a section: hashes, which of them tell something, lines, texts.

    ``texts`` are the numbers of the texts, ascending.
    """

    hashes: Hashes
    telling: Flags
    lines: Places
    texts: Places


class Rule(NamedTuple):
    """How many elements a run has, over how many runs one is kept, and what a run must hold."""

    run: int
    window: int
    distinct: int


def winnowed(elements: Elements, rule: Rule) -> tuple[Hashes, Places]:
    """The hashes of the runs that are kept, without a salt, and the places of their beginnings."""
    size = len(elements.hashes) - rule.run + 1
    if size < 1:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    hashes = stir(runs(elements.hashes, rule.run))
    told = elements.texts[:size] == elements.texts[rule.run - 1 :]
    told &= _spread(elements.telling, rule.run, np.logical_or)
    told &= _distinct(elements.hashes, rule.run) >= rule.distinct
    hashes[~told] = _NONE
    edge = np.full(rule.window - 1, _NONE)
    least = _spread(np.concatenate([edge, hashes, edge]), rule.window, np.minimum)
    chosen = np.flatnonzero((_spread(least, rule.window, np.maximum) == hashes) & told)
    return hashes[chosen], chosen


def runs(hashes: Hashes, length: int) -> Hashes:
    """The polynomial of each run of ``length`` elements, built from runs of powers of two."""
    found: Hashes | None = None
    done, width, power = 0, 1, hashes
    while done < length:
        if length & width:
            size = len(hashes) - length + 1
            piece = power[length - done - width :][:size]
            found = piece if found is None else piece * _power(done) + found
            done += width
        if done < length:
            power = power[:-width] * _power(width) + power[width:]
            width *= 2
    assert found is not None
    return found


def _power(exponent: int) -> np.uint64:
    return np.uint64(pow(_FACTOR, exponent, 1 << 64))


def _spread(
    values: npt.NDArray[Any], width: int, merge: Callable[[Any, Any], Any]
) -> npt.NDArray[Any]:
    """``merge`` over each window of ``width`` values; it must not mind a value seen twice."""
    done = 1
    while done < width:
        step = min(done, width - done)
        values = merge(values[:-step], values[step:])
        done += step
    return values


def _distinct(hashes: Hashes, width: int) -> npt.NDArray[np.uint8]:
    """About how many different elements each run has: bits set of 64, so never too many."""
    bits = np.uint64(1) << (hashes & np.uint64(63))
    return _ones(_spread(bits, width, np.bitwise_or))


def _ones(values: Hashes) -> npt.NDArray[np.uint8]:
    if hasattr(np, "bitwise_count"):  # numpy 2
        return np.bitwise_count(values)
    pairs = values - ((values >> np.uint64(1)) & np.uint64(0x5555555555555555))
    mask = np.uint64(0x3333333333333333)
    fours = (pairs & mask) + ((pairs >> np.uint64(2)) & mask)
    eights = (fours + (fours >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    counts: npt.NDArray[np.uint8]
    counts = ((eights * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.uint8)
    return counts


def salted(hashes: Hashes, channel: Channel) -> Hashes:
    """The hashes as prints of a channel: all channels share one table."""
    return stir(hashes ^ np.uint64(int(channel) * 0xA0761D6478BD642F % (1 << 64)))


def distinct(hashes: Hashes, lines: npt.NDArray[np.integer]) -> Prints:
    """Prints without a second one of a hash; in the order in which they were given."""
    unique, first = np.unique(hashes, return_index=True)
    if len(unique) < len(hashes):
        first.sort()
        hashes, lines = hashes[first], lines[first]
    return Prints(hashes, lines.astype(np.uint32))


def united(parts: Sequence[tuple[Hashes, Places]]) -> Prints:
    """The prints of several sections of one text, each with its lines."""
    if len(parts) == 1:
        return distinct(*parts[0])
    hashes, lines = zip(*parts, strict=True)
    return distinct(np.concatenate(hashes), np.concatenate(lines))
