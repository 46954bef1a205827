"""Reading a window of bytes otherwise: with the escapes undone that hide a text from an expression.

A decoder takes bytes and gives the decoded bytes with, for each decoded byte (and for the end), the
offset of its raw spelling; None when there was nothing to undo. ``DECODERS`` is the table: the
matcher tries each where its mark occurs, again and again up to ``MAX_LEVELS`` times.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from monitor.patterns import later

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator

Decoded = tuple[bytes, "array[int]"]

MAX_LEVELS = 3
"""How often a text can have been escaped."""

_ESCAPE = later(
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

_DELIMITER = later(rb"(?<!\\)[\"'`]")
_STRING = "string"


def readings(
    text: bytes, *, is_anchored: bool
) -> Iterator[tuple[bytes, array[int] | None, tuple[str, ...]]]:
    """Other readings of a window: the text, the raw offset of each of its bytes, what was undone.

    For an anchored expression the quotes around a string count as ends of lines too.
    """
    if is_anchored and (alone := _DELIMITER.sub(b"\n", text)) != text:
        yield alone, None, (_STRING,)
    for decoder in DECODERS:
        plain = text
        offsets: array[int] | None = None
        levels: tuple[str, ...] = ()
        while len(levels) < MAX_LEVELS and decoder.mark in plain:
            decoded = decoder.decode(plain)
            if decoded is None:
                break
            alone = _DELIMITER.sub(b"\n", plain) if is_anchored else plain
            levels = (*levels, decoder.name)
            offsets = decoded[1] if offsets is None else _composed(offsets, decoded[1])
            yield decoded[0], offsets, levels
            if alone != plain and (unquoted := decoder.decode(alone)) is not None:
                yield unquoted[0], offsets, levels
            plain = decoded[0]


def _composed(outer: array[int], inner: array[int]) -> array[int]:
    """Offsets into what ``outer`` maps from, for a text decoded a second time."""
    return array("I", [outer[offset] for offset in inner])
