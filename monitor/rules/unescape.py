"""Undoing, in a window of bytes, the escapes that hide a text from an expression.

A decoder takes bytes and gives the decoded bytes with, for each decoded byte (and for the end), the
offset of its raw spelling; None when there was nothing to undo. ``DECODERS`` is the table: the
matcher tries each where its mark occurs, again and again up to ``MAX_LEVELS`` times.
"""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Decoded = tuple[bytes, "array[int]"]

MAX_LEVELS = 3
"""How often a text can have been escaped."""

_ESCAPE = re.compile(
    rb"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})"
    rb"|x([0-9a-fA-F]{2})|\r?\n|([\"'`/\\bfnrtv]))"
)
_SHORT = {
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
}


def unescape_string(raw: bytes) -> Decoded | None:
    """JSON and JavaScript string escapes, once; a line continued with a backslash is joined."""
    parts: list[bytes] = []
    offsets: array[int] = array("I")
    last = 0
    for found in _ESCAPE.finditer(raw):
        start, end = found.span()
        parts.append(raw[last:start])
        offsets.extend(range(last, start))
        value = _value(found)
        parts.append(value)
        offsets.extend([start] * len(value))
        last = end
    if not last:
        return None
    parts.append(raw[last:])
    offsets.extend(range(last, len(raw) + 1))
    return b"".join(parts), offsets


def _value(found: re.Match[bytes]) -> bytes:
    high, low, unit, byte, short = found.groups()
    if short is not None:
        return _SHORT.get(short, short)
    if byte is not None:
        return bytes((int(byte, 16),))
    if unit is not None:
        return chr(int(unit, 16)).encode("utf-8", "surrogatepass")
    if high is not None:
        point = 0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00)
        return chr(point).encode()
    return b""


class Decoder(NamedTuple):
    """A decoder, its name in ``Match.decoded`` and the byte without which it has nothing to do."""

    name: str
    mark: bytes
    decode: Callable[[bytes], Decoded | None]


DECODERS: tuple[Decoder, ...] = (Decoder("json-escape", b"\\", unescape_string),)
