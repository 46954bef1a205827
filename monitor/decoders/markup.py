"""Text of office documents: the runs and paragraphs of OOXML and OpenDocument without their marks.

A word processor cuts a word into runs as it was typed or checked; a key is a paragraph a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.decoders.based import windows
from monitor.decoders.piece import Buffer, Piece, substituted
from monitor.patterns import later

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence

_NEAR = 8 << 10  # how far a text may lie from the run or paragraph that was hit
_LONGEST, _OVERLAP = 512 << 10, 32 << 10
_MARK = later(rb"<(/?[A-Za-z][\w:.\-]{0,40})[^<>]{0,4000}>|&(amp|lt|gt|quot|apos);")
_BREAKS = frozenset((b"/w:p", b"w:br", b"w:cr", b"/a:p", b"a:br", b"/text:p", b"text:line-break"))
_TABS = frozenset((b"w:tab", b"text:tab", b"text:s"))
_SIGNS = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}


def paragraphs(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """The text of a document around hits, a paragraph a line."""
    for first, last in windows(len(text), ends, _NEAR):
        for start in range(first, last, _LONGEST - _OVERLAP):
            raw = bytes(text[start : min(last, start + _LONGEST)])
            marks = [(*found.span(), _meaning(found)) for found in _MARK.finditer(raw)]
            yield substituted("markup", start, raw, marks)


def _meaning(found: re.Match[bytes]) -> bytes:
    tag, sign = found.groups()
    if sign is not None:
        return _SIGNS[sign]
    if tag in _BREAKS:
        return b"\n"
    return b" " if tag in _TABS else b""
