"""Runs of escapes: of strings (hex, Unicode, octal), addresses (percent), HTML and mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.decoders.based import windows
from monitor.decoders.piece import Buffer, Piece, substituted
from monitor.patterns import later

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator, Sequence

_BESIDE = 1024  # how much of the text around a run is read with it
_LONGEST = 128 << 10
_NEAR = 64 << 10
_CODE = later(
    rb"\\+(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{0*([0-9a-fA-F]{1,6})\}|U000([0-9a-fA-F]{5})"
    rb"|([0-3]?[0-7]{2}|[0-7]))"
)
_STRING = later(rb"(?:[^\\\"'`\r\n\x00]++|\\+(?:[xuU][0-9a-fA-F{]|[0-7]))*+")
_CSS = later(rb"\\0{0,4}([0-9a-fA-F]{2})(?:[ \t]|(?![0-9a-fA-F]))")
_PERCENT = later(rb"%([0-9a-fA-F]{2})")
_ADDRESS = later(rb"[^\s\"'`<>\x00]*+")
_ENTITY = later(
    rb"&(?:#([0-9]{1,7})(?:;|(?![0-9]))|#[xX]([0-9a-fA-F]{1,6})(?:;|(?![0-9a-fA-F]))"
    rb"|([A-Za-z][A-Za-z0-9]{1,31});)"
)
_MARKUP = later(rb"[^\s\"'`<>\x00]*+")
_QUOTED = later(rb"=(?:([0-9A-Fa-f]{2})|[ \t]*\r?\n)")
_DELIMITER = later(rb"[\"'`<>\s\x00]")
_QUOTE = later(rb"[\"'`\r\n\x00]")
_LAST_POINT = 0x10FFFF


def backslash(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    r"""``\x67``, ``\u0067``, ``\u{67}``, ``\147`` in the string around a hit, mixed."""
    return _regions("escape", text, ends, extent=_STRING, code=_CODE, value=_coded)


def css(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    r"""``\67 \68 `` as style sheets have it."""
    return _regions(
        "css-escape", text, ends, extent=_STRING, code=_CSS, value=_sedecimal, delimiter=_QUOTE
    )


def percent(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """``%67%68`` in the address around a hit."""
    return _regions("percent", text, ends, extent=_ADDRESS, code=_PERCENT, value=_sedecimal)


def entities(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """``&#103;``, ``&#x67;``, ``&lowbar;`` in the word around a hit."""
    return _regions("html", text, ends, extent=_MARKUP, code=_ENTITY, value=_entity)


def quoted_printable(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """``=67``, and lines continued by ``=``, near the name of this encoding."""
    for first, last in windows(len(text), ends, _NEAR):
        raw = bytes(text[first:last])
        yield _substituted("quoted-printable", first, raw, _QUOTED, _quoted)


def _regions(
    name: str,
    text: Buffer,
    ends: Sequence[int],
    *,
    extent: re.Pattern[bytes],
    code: re.Pattern[bytes],
    value: Callable[[re.Match[bytes]], bytes],
    delimiter: re.Pattern[bytes] = _DELIMITER,
) -> Iterator[Piece]:
    covered = 0
    for end in ends:
        if end <= covered:
            continue
        first = max(covered, end - _BESIDE)
        before = bytes(text[first:end])
        start = first + _beginning(before, delimiter)
        found = extent.match(text, end, min(len(text), end + _LONGEST))
        covered = found.end() if found else end
        yield _substituted(name, start, bytes(text[start:covered]), code, value)


def _beginning(before: bytes, delimiter: re.Pattern[bytes]) -> int:
    """Behind the last delimiter, which is no part of a string, an address or a word."""
    at = 0
    for found in delimiter.finditer(before):
        at = found.end()
    return at


def _substituted(
    name: str,
    start: int,
    raw: bytes,
    code: re.Pattern[bytes],
    value: Callable[[re.Match[bytes]], bytes],
) -> Piece:
    return substituted(
        name, start, raw, [(*found.span(), value(found)) for found in code.finditer(raw)]
    )


def _coded(found: re.Match[bytes]) -> bytes:
    byte, unit, braced, long, octal = found.groups()
    if byte is not None:
        return _byte(byte, 16)
    if octal is not None:
        return _byte(octal, 8)
    return _character(int(unit or braced or long, 16))


def _byte(digits: bytes, radix: int) -> bytes:
    return bytes((int(digits, radix) & 0xFF,))


def _character(point: int) -> bytes:
    return chr(point).encode("utf-8", "surrogatepass") if point <= _LAST_POINT else b""


def _sedecimal(found: re.Match[bytes]) -> bytes:
    return _byte(found.group(1), 16)


def _entity(found: re.Match[bytes]) -> bytes:
    decimal, sedecimal, name = found.groups()
    if name is None:
        return _character(int(decimal) if decimal else int(sedecimal, 16))
    from html.entities import html5

    return html5.get(f"{name.decode()};", found.group().decode()).encode()


def _quoted(found: re.Match[bytes]) -> bytes:
    return _byte(found.group(1), 16) if found.group(1) else b""
