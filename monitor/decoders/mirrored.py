"""Letters in another order or another form: reversed, ROT13, full width, two or four bytes each."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from monitor.decoders.piece import Buffer, Piece, substituted
from monitor.patterns import later

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_REACH = 512
_CALL = 2048  # a literal that is reversed by a call stands at most this far before it
_NEAR = 256
_BESIDE = 64
_RUN = later(rb"[^\s\"'`<>(){}\[\],;\\\x00-\x1f\x7f-\xff]*+")
_LEAST = 16  # characters of a run that can be a token
_FULL_WIDTH = later(rb"(?:\xef\xbc[\x81-\xbf]|\xef\xbd[\x80-\x9e])")
_FULL_RUN = later(rb"(?:\xef[\xbc\xbd][\x80-\xbf])*+")
_OFFSET = 0xFEE0
_ROT13 = bytes(codecs.encode(bytes(range(256)).decode("latin-1"), "rot13").encode("latin-1"))
_HEAD = 64
_MARKS = (
    (b"\xff\xfe\0\0", ("utf-32", 4, 0)),
    (b"\0\0\xfe\xff", ("utf-32", 4, 3)),
    (b"\xff\xfe", ("utf-16", 2, 0)),
    (b"\xfe\xff", ("utf-16", 2, 1)),
)


def reversed_literals(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """The text around a rule's literal written backwards, where it stands in a long word."""
    likely = [end for end in ends if _is_in_token(text, end)]
    for first, last in _windows(len(text), likely, _REACH, _NEAR):
        yield Piece("reversed", (first, last), bytes(text[first:last])[::-1], step=-1)


def _is_in_token(text: Buffer, end: int) -> bool:
    """Names in code hold a short literal now and then; what is as long as a token is looked at."""
    before = _RUN.match(bytes(text[max(0, end - _BESIDE) : end])[::-1])
    behind = _RUN.match(text, end, end + _BESIDE)
    assert before
    assert behind
    return before.end() + behind.end() - end >= _LEAST


def reversed_by_call(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """The text around a call that turns strings round."""
    for first, last in _windows(len(text), ends, _CALL, _CALL):
        yield Piece("reversed", (first, last), bytes(text[first:last])[::-1], step=-1)


def rot13(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """The text around the name of this coding with its letters moved by thirteen."""
    for first, last in _windows(len(text), ends, _CALL, _CALL):
        yield Piece("rot13", (first, last), bytes(text[first:last]).translate(_ROT13))


def full_width(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """The forms of ASCII that are as wide as ideographs, in UTF-8."""
    for first, last in _windows(len(text), ends, _NEAR, _REACH):
        raw = bytes(text[first:last])
        found = [
            (*one.span(), bytes((ord(one.group().decode()) - _OFFSET,)))
            for one in _FULL_WIDTH.finditer(raw)
        ]
        yield substituted("full-width", first, raw, found)


def _windows(size: int, ends: Sequence[int], before: int, behind: int) -> Iterator[tuple[int, int]]:
    last = -1
    for end in ends:
        if end <= last - behind // 2:
            continue
        last = min(size, end + behind)
        yield max(0, end - before), last


def embedded_utf16(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """UTF-16 of either order around a rule's literal in it."""
    covered = 0
    for end in ends:
        if end <= covered:
            continue
        first = max(end - 1 - (end - 1) // 2 * 2, end - 1 - 4 * _REACH)
        last = min(len(text), end + 8 * _REACH)
        covered = last
        yield Piece("utf-16", (first, last), bytes(text[first:last])[::2], step=2, unit=1)


def wide(text: Buffer) -> Iterator[Piece]:
    """A whole text in UTF-16 or UTF-32, told by its mark or by where its zeros stand.

    Of each character the lowest byte is kept: exact for ASCII, of which tokens are made.
    """
    found = is_wide(text)
    if found is None:
        return
    name, width, place = found
    yield Piece(name, (place, len(text)), bytes(text[place::width]), step=width)


def is_wide(text: Buffer) -> tuple[str, int, int] | None:
    """The encoding's name, the bytes of a character, where the first lowest byte stands."""
    head = bytes(text[:_HEAD])
    for mark, found in _MARKS:
        if head.startswith(mark):
            return found
    if head.count(0) * 3 < len(head) or not head:
        return None
    for name, width, place in (
        ("utf-32", 4, 0), ("utf-32", 4, 3), ("utf-16", 2, 0), ("utf-16", 2, 1),
    ):  # fmt: skip
        low = head[place::width]
        others = len(head) - len(low)
        if head.count(0) >= others - 1 and low.count(0) == 0 and len(low) > 1:
            return name, width, place
    return None
