"""Where code says that it has a source map: ``sourceMappingURL`` in all its forms.

Comments (``//#``, ``//@``, ``/*#``), CSS, and string literals (webpack's ``eval-source-map``) carry
either an address or the whole map as a data URI; WebAssembly has a custom section of that name
(ECMA-426, 11.1.3).
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import pybase64
from msgspec import Struct

from monitor.patterns import later

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.archive.entries import Buffer

_MARK = later(rb"sourceMappingURL=")
_MAX_REFERENCES = 100_000
_MAX_URL = 4_096

_DATA = later(rb"\s{0,8}data:", re.IGNORECASE)
_HEADER = later(rb"([^,\s\"'`<>]{0,1024}),")
# White space inside base64 is legal in a data URI; in a line comment it ends with the line.
_BASE64_LINE = later(
    rb"(?:[A-Za-z0-9+/=_\-]++|%[0-9A-Fa-f]{2}|[ \t]|\\/|\\u00[0-9A-Fa-f]{2}|\\x[0-9A-Fa-f]{2}"
    rb"|\\\r?\n)*+"
)
_BASE64_BLOCK = later(
    rb"(?:[A-Za-z0-9+/=_\-\s]++|%[0-9A-Fa-f]{2}|\\/|\\u00[0-9A-Fa-f]{2}|\\x[0-9A-Fa-f]{2})*+"
)
_PERCENT = later(rb"(?:[^\s\"`<>\\]++|\\[/\"'\\])*+")
_PLAIN_LINE = later(rb"[^\r\n]*+")
_URL = later(rb"\s{0,8}([A-Za-z0-9._~/%@][A-Za-z0-9._~:/?#\[\]@!&()+,;=%\-\\]{0,4095})")
_ESCAPED = later(rb"\\(?:u00([0-9A-Fa-f]{2})|x([0-9A-Fa-f]{2})|(\r?\n)|(.))", re.DOTALL)
_NOT_BASE64 = bytes(
    byte
    for byte in range(256)
    if byte not in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
)
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_COMMENT_START = later(rb"/\*[#@]\s{0,8}$")

_WASM_NAME = later(rb"(?:\x10|\x90\x80{0,3}\0)sourceMappingURL")
_TEXT = later(rb"[^\x00-\x1f\x7f]+")


class Reference(Struct, frozen=True):
    """One ``sourceMappingURL``. ``kind`` is ``data`` (``content``: the map) or ``url``.

    ``offset`` is where the value begins within the scanned bytes.
    """

    kind: str
    offset: int
    url: str = ""
    content: bytes = b""


def references(data: Buffer, positions: Iterable[int] | None = None) -> Iterator[Reference]:
    """Every reference in ``data``: at ``positions`` (just behind each ``=``) or at all of them."""
    view = memoryview(data)
    if positions is None:
        positions = (found.end() for found in _MARK.finditer(view))
    for count, position in enumerate(positions):
        if count >= _MAX_REFERENCES:
            return
        found = _reference(view, position)
        if found is not None:
            yield found


def all_references(
    data: Buffer, comments: Sequence[int], sections: Sequence[int]
) -> Iterator[Reference]:
    """``references`` at the first positions and ``wasm_references`` at the others, none twice.

    A section's length is the byte ``=`` when its address has 61 bytes.
    """
    taken = {position + 1 for position in sections}
    yield from references(data, (each for each in comments if each not in taken))
    yield from wasm_references(data, sections)


def data_uri(uri: Buffer) -> bytes | None:
    """What a data URI holds (RFC 2397, read leniently); None if it is none or holds nothing."""
    found = _data_at(memoryview(uri), 0)
    return found.content if found else None


def wasm_references(data: Buffer, positions: Iterable[int] | None = None) -> Iterator[Reference]:
    """What custom sections ``sourceMappingURL`` of WebAssembly point to.

    At ``positions`` (just behind each name of such a section) or at all of them. The value is
    text behind its length; where bytes only look like such a section, it is not.
    """
    view = memoryview(data)
    if positions is None:
        positions = (found.end() for found in _WASM_NAME.finditer(view))
    for count, position in enumerate(positions):
        if count >= _MAX_REFERENCES:
            return
        length, start = _leb128(view, position)
        value = view[start : start + length]
        if len(value) and len(value) == length and _TEXT.fullmatch(value):
            yield _section_value(value, start)


def _reference(view: memoryview, position: int) -> Reference | None:
    if _DATA.match(view, position):
        return _data_at(view, position)
    found = _URL.match(view, position)
    if found is None:
        return None
    url = found.group(1).split(b"\\", 1)[0].split(b"*/", 1)[0].rstrip(b"),;")
    if not url:
        return None
    return Reference("url", found.start(1), url.decode("ascii"))


def _data_at(view: memoryview, position: int) -> Reference | None:
    start = _DATA.match(view, position)
    header = _HEADER.match(view, start.end()) if start else None
    if header is None:
        return None
    parameters = header.group(1).lower().replace(b"\\", b"").split(b";")
    at = header.end()
    if any(parameter.strip() == b"base64" for parameter in parameters):
        content = _from_base64(_base64_text(view, position, at))
    else:
        content = _from_percent(view, at)
    return Reference("data", at, content=content) if content else None


def _base64_text(view: memoryview, position: int, at: int) -> bytes:
    """The encoded text that begins at ``at``, without the escapes of a string literal."""
    before = bytes(view[max(0, position - 64) : position])
    comment = before.rpartition(b"sourceMappingURL=")[0]
    pattern = _BASE64_BLOCK if _COMMENT_START.search(comment) or not before else _BASE64_LINE
    found = pattern.match(view, at)
    text = found.group() if found else b""
    return _ESCAPED.sub(_unescape, text) if b"\\" in text else text


def _from_base64(text: bytes) -> bytes:
    if b"%" in text:
        text = unquote_to_bytes(text)
    text = text.translate(_URL_SAFE, _NOT_BASE64)
    if len(text) % 4 == 1:  # cut in the middle of a group: six bits say nothing
        text = text[:-1]
    return pybase64.b64decode(text + b"=" * (-len(text) % 4))


def _from_percent(view: memoryview, at: int) -> bytes:
    """Percent-encoded text. A map that was not encoded at all is taken to the end of its line."""
    pattern = _PLAIN_LINE if bytes(view[at : at + 1]) == b"{" else _PERCENT
    found = pattern.match(view, at)
    text = found.group() if found else b""
    if b"\\" in text and pattern is _PERCENT:
        text = _ESCAPED.sub(_unescape, text)
    if b"%" not in text:
        return text
    if b"\n" in text or b" " in text or b"\t" in text:
        return unquote_to_bytes(text)
    # Quoted-printable differs from percent-encoding by one character and is decoded in C:
    # unquote_to_bytes makes a Python object for each escape, a gigabyte for 20 MB.
    return binascii.a2b_qp(text.replace(b"=", b"=3D").replace(b"%", b"="))


def _unescape(found: re.Match[bytes]) -> bytes:
    code = found.group(1) or found.group(2)
    if code:
        return bytes((int(code, 16),))
    return b"" if found.group(3) else bytes(found.group(4))


def _section_value(value: memoryview, start: int) -> Reference:
    found = _data_at(value, 0)
    if found is not None:
        return Reference("data", start, content=found.content)
    return Reference("url", start, bytes(value[:_MAX_URL]).decode("utf-8", "replace"))


def _leb128(view: memoryview, at: int) -> tuple[int, int]:
    """An unsigned number of up to five bytes and where it ends (WebAssembly, 5.2.2)."""
    value = 0
    for place in range(5):
        if at >= len(view):
            break
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - no further byte follows
            break
    return value, at
