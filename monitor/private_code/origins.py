"""Which line of a file a place in its canonical text comes from, by the map at that text's end.

The map is the canonicaliser's own (ECMA-426, ``mappings``), read by numpy in one go. Columns are
taken as bytes: the canonicaliser writes ASCII.
"""

from __future__ import annotations

import binascii
import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from monitor.private_code.lexing.hashing import Places

_MARK = b"\n//# sourceMappingURL=data:application/json;base64,"
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_LINE_FIELD = 2
_MAX_DIGITS = 7


class Origins(NamedTuple):
    """A text without its map, places in it that the map names, and the line of each."""

    code: bytes
    places: Places
    lines: Places

    def at(self, places: Places) -> Places:
        """The original lines of places; 0 for what lies before all that the map names."""
        if not len(self.places):
            return np.ones(len(places), np.int64)
        found = np.searchsorted(self.places, places, side="right") - 1
        return np.where(found >= 0, self.lines[np.maximum(found, 0)], 0)


_NOTHING = np.empty(0, np.int64)


def original_lines(text: bytes) -> Origins:
    """The origins of a canonical text; without a readable map all of it is line 1."""
    at = text.rfind(_MARK)
    if at < 0:
        return Origins(text, _NOTHING, _NOTHING)
    code = text[: at + 1]
    try:
        mappings = json.loads(binascii.a2b_base64(text[at + len(_MARK) :]))["mappings"]
        return _decoded(code, mappings.encode("ascii"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Origins(code, _NOTHING, _NOTHING)


def _decoded(code: bytes, mappings: bytes) -> Origins:
    octets = np.frombuffer(mappings, np.uint8)
    digits = np.full(256, -1, np.int64)
    digits[list(_ALPHABET)] = np.arange(64)
    values, owners = _values(digits[octets], octets)
    segments, first, counts = np.unique(owners, return_index=True, return_counts=True)
    is_mapped = counts > _LINE_FIELD
    breaks = np.concatenate([[0], np.cumsum(octets == ord(";"))])
    ends = np.flatnonzero((octets == ord(";")) | (octets == ord(",")))
    seat = np.concatenate([[0], ends + 1])[segments]  # where each segment begins
    rows = breaks[seat]
    columns = np.cumsum(values[first])
    begins = np.searchsorted(rows, rows)
    columns -= np.where(begins > 0, columns[begins - 1], 0)
    starts = np.concatenate([[0], np.flatnonzero(np.frombuffer(code, np.uint8) == ord("\n")) + 1])
    places = starts[np.minimum(rows, len(starts) - 1)] + columns
    lines = np.cumsum(values[first[is_mapped] + _LINE_FIELD]) + 1
    return Origins(code, places[is_mapped], np.maximum(lines, 1))


def _values(digits: Places, octets: npt.NDArray[np.uint8]) -> tuple[Places, Places]:
    """The map's numbers, and the segment that each is in.

    They are VLQ: five bits a digit, the sixth says that more follow; the last bit is the sign.
    """
    segments = np.cumsum((octets == ord(";")) | (octets == ord(",")))
    inside = np.flatnonzero(digits >= 0)
    kept = digits[inside]
    is_last = kept & 32 == 0
    if not len(kept) or not is_last[-1]:
        raise ValueError("a map that ends within a number")
    starts = np.concatenate([[0], np.flatnonzero(is_last)[:-1] + 1])
    widths = np.diff(np.concatenate([starts, [len(kept)]]))
    if widths.max() > _MAX_DIGITS:
        raise ValueError("a number too long for a map")
    shifts = 5 * (np.arange(len(kept)) - np.repeat(starts, widths))
    sums = np.add.reduceat((kept & 31) << shifts, starts)
    return np.where(sums & 1, -(sums >> 1), sums >> 1), segments[inside][starts]
