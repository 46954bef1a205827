"""PDF documents (ISO 32000): compressed streams, the words shown on pages, UTF-16 texts.

No object graph is followed: streams are found by their keyword, so nothing hides behind a broken
cross-reference table. The file itself is a member as well; what is plain in it needs no reader.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitor.archive.deflate import Ledger
from monitor.archive.entries import Entry, nested
from monitor.archive.inflated import inflate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail

_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_ZLIB_HEADS = (
    b"\x78\x01",
    b"\x78\x5e",
    b"\x78\x9c",
    b"\x78\xda",
    b"\x58\x85",
    b"\x48\x89",
    b"\x68\xde",
)
_DICTIONARY = 2_048
_MAX_STREAMS = 100_000
_MAX_SHOWN = 16 << 20

# 9.4.3: "(text) Tj" and "[(te) -20 (xt)] TJ" show text; numbers move the pen.
_SHOWN = re.compile(
    rb"\[((?:[^\[\]()]|\((?:[^()\\]|\\.)*+\))*+)\]\s*TJ|(\((?:[^()\\]|\\.)*+\))\s*Tj", re.DOTALL
)
_LITERAL = re.compile(rb"\(((?:[^()\\]|\\.)*+)\)", re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|(\r?\n)|(.))", re.DOTALL)
_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_UTF16 = re.compile(
    rb"\((?:\xfe\xff|\\376\\377)((?:[^()\\]|\\.)*+)\)|<\s?[Ff][Ee][Ff][Ff]([0-9A-Fa-f\s]*+)>",
    re.DOTALL,
)


def read(path: str, data: Buffer, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """Every deflated stream, with the text that it shows; then the document's UTF-16 texts."""
    view = memoryview(data)
    ledger = Ledger(path, budget, trail)
    texts = _utf16(view)
    for number, found in enumerate(_STREAM.finditer(view), 1):
        if number > _MAX_STREAMS:
            trail.skip(path, "over-members")
            break
        budget.check()
        if not _is_deflated(view, found.start(), found.end()):
            continue
        full = nested(path, f"(stream {number})")
        content = inflate(full, view[found.end() :], ledger)
        if ledger.is_bomb:
            return
        texts += _utf16(memoryview(content))
        if content:
            yield Entry(full, content)
        shown = _shown(content)
        if shown:
            yield Entry(nested(path, f"(stream {number} text)"), shown, is_raw=True)
    if texts:
        yield Entry(nested(path, "(texts)"), "\n".join(texts).encode(), is_raw=True)


def _is_deflated(view: memoryview, keyword: int, start: int) -> bool:
    """By the filter in the dictionary before the keyword, and by the first bytes otherwise."""
    before = bytes(view[max(0, keyword - _DICTIONARY) : keyword])
    dictionary = before[before.rfind(b"obj") + 1 :]
    head = bytes(view[start : start + 2])
    is_zlib = len(head) == 2 and head[0] & 15 == 8 and int.from_bytes(head, "big") % 31 == 0  # noqa: PLR2004 - RFC 1950, 2.2
    return is_zlib and (b"Fl" in dictionary or head in _ZLIB_HEADS)


def _shown(content: bytes) -> bytes:
    """The text of a page's content stream, a showing operator a line; empty for other streams."""
    if b"TJ" not in content and b"Tj" not in content:
        return b""
    lines = []
    for found in _SHOWN.finditer(content[:_MAX_SHOWN]):
        pieces = _LITERAL.findall(found.group(1) or found.group(2))
        lines.append(b"".join(_ESCAPE.sub(_unescape, piece) for piece in pieces))
    return b"\n".join(lines)


def _utf16(view: memoryview) -> list[str]:
    """Text strings that begin with a UTF-16 byte order mark (7.9.2.2), decoded."""
    texts = []
    for found in _UTF16.finditer(view):
        if found.group(1) is not None:
            raw = _ESCAPE.sub(_unescape, found.group(1))
        else:
            digits = b"".join(found.group(2).split())
            raw = bytes.fromhex(digits[: len(digits) & ~1].decode("ascii"))
        texts.append(raw.decode("utf-16-be", "replace"))
    return [text for text in texts if text]


def _unescape(found: re.Match[bytes]) -> bytes:
    if found.group(1):
        return bytes((int(found.group(1), 8) & 255,))
    return b"" if found.group(2) else _SIMPLE.get(found.group(3), found.group(3))
