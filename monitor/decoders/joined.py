"""Strings that a program puts together: concatenation, lists, templates, wraps, codes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import partial
from typing import TYPE_CHECKING

from monitor.archive import formats
from monitor.decoders.piece import Buffer, Piece, replaced, without
from monitor.patterns import later

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence

    from monitor.decoders.piece import Span

_NEARBY = 96  # how far around a joint the pieces that it joins are looked at
_REACH = 1024  # how far a chain of literals is followed from a joint
_TOKEN = rb"[A-Za-z0-9_+/=.:\-]"
_SPACE = rb"(?:[ \t\r\n]++|/\*[^*]{0,200}\*/|(?:#|//)[^\n]{0,200}\n)*+"
_Q = rb"[\"'`]"
_OPEN = rb"(?:[fFrRbBuU]{1,2})?\\*" + _Q
_OPERATOR = rb"(?:\+|\.\.?|&|<<)?"
_ASSIGNED = rb"[A-Za-z_$][\w$.\[\]]{0,60}+(?:[ \t]*+[+.]=|(?<=\.)=)"
# Most quotes are no joint: what cannot begin an alternative is told by one look.
_JOINED = (
    rb"(?<=[\"'`])(?:"
    + rb"|".join(
        (
            rb"(?=[\s/#\\)+.&<(fFrRbBuU\"'`])"
            + (_SPACE + rb"\\?" + _SPACE + rb"\)?" + _OPERATOR)
            + (_SPACE + rb"\(?" + _SPACE + _OPEN),
            rb"\)?\.concat\([ \t]*" + _OPEN,
            rb"(?=[\s/#;)\w$])" + _SPACE + rb"[;)]?" + _SPACE + _ASSIGNED + _SPACE + _OPEN,
            rb"(?=[\s/#}])" + _SPACE + rb"\}",
        )
    )
    + rb")|(?<=\$)\{"
    + _SPACE
    + _Q
    + rb"|(?<=\{)"
    + _SPACE
    + _Q
)
# One set of bytes begins all alternatives: the search skips to them.
_ANY_JOINT = rb"[\"'`{$](?:" + _JOINED + rb")"
_JOINT = later(_ANY_JOINT)
_TIGHT = later(_ANY_JOINT + _TOKEN + rb"(?:" + _TOKEN + rb"|[\"'`][ ]?\+)")
_JOIN = later(rb"(?:\.join\(([\"'])([_.\-]|\\+n|)\1\)|([\"'])([_.\-]|\\+n|)\3\.join\([\[(])\Z")
_CALL = 16  # characters of a call of join, before its hit's end
_LINES_REACH = 8192  # ... how far the lines of a key may lie from it
_KEY_HEADS = (b"-----BEGIN", b"---- BEGIN", b"PuTTY-User-Key-File")
_COMMA = later(_Q + rb"(?=[ \t\r\n,/#])" + _SPACE + rb"," + _SPACE + _OPEN)
_WRAP = later(
    rb"[=\\\r\n\"'`{$](?:(?:(?<==)\r?\n|(?<=\r)\n|(?<=\n)|(?<=\\)\\*[rn]?\r?\n)[ \t>|*#]*+"
    rb"|(?<=\\)\\*(?:r\\+)?n[ \t]*+|" + _JOINED + rb")"
)
_NUMBER = later(rb"0[xX]([0-9a-fA-F]{1,2})|\b([0-9]{1,3})\b|'([!-~])'")
_NUMBERS = later(
    rb"(?:[ \t\r\n,+.&()]++|0[xX][0-9a-fA-F]{1,2}|[0-9]{1,3}|[cC][hH][rR][wW]?|'[!-~]')*+"
)
_RECEIVER = later(rb"[\w$.]{1,30}[ \t]?,[ \t]?\[?")  # the first argument of apply()
_SREBMUN = later(rb"[0-9a-fA-FxX, \t\r\n]*+")
_WORDS = later(rb"(?:[\t\n\r -~]\x00{0,3}){8}")
_LEAST = 16  # characters of a run that can be a token
_RUN = later(_TOKEN + rb"{%d}" % _LEAST)
_LONGEST = 256 << 10


def concatenated(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """The window around joints between two literals, without the joints."""
    tight = [
        end for end in ends if _TIGHT.search(bytes(text[max(0, end - _NEARBY) : end + _NEARBY]))
    ]
    return _without("concatenation", text, tight, _JOINT, _REACH)


def listed(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """The literals of a list that is joined: by nothing, a mark or the end of a line."""
    by_mark: dict[bytes, list[int]] = {}
    for end in ends:
        found = _JOIN.search(bytes(text[max(0, end - _CALL) : end]))
        mark = (found[2] or found[4] or b"") if found else b""
        by_mark.setdefault(b"\n" if mark.endswith(b"n") else mark, []).append(end)
    for mark, hits in by_mark.items():
        if not mark:
            yield from _without("join", text, hits, _COMMA, _REACH)
            continue
        by_lines = mark == b"\n"
        for first, last in _lines(text, hits) if by_lines else _merged(len(text), hits, _REACH):
            raw = bytes(text[first:last])
            if _COMMA.search(raw):
                yield replaced("join", first, raw, _COMMA, mark)


def _lines(text: Buffer, ends: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Windows around lists of lines: wide where a key stands, the one secret of many lines.

    What stands on one line of a list stands there plainly, and is no find of this decoder.
    """
    for first, last in _merged(len(text), ends, _LINES_REACH):
        raw = bytes(text[first:last])
        if any(head in raw for head in _KEY_HEADS):
            yield first, last
        else:
            inside = ends[bisect_left(ends, first) : bisect_right(ends, last)]
            yield from _merged(len(text), inside, _REACH)


def wrapped(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """A literal cut by the end of a line, or by an implicit joint."""
    return _without("concatenation", text, ends, _WRAP, _REACH // 2)


def _without(
    name: str, text: Buffer, ends: Sequence[int], joint: re.Pattern[bytes], reach: int
) -> Iterator[Piece]:
    for first, last in _merged(len(text), ends, reach):
        raw = bytes(text[first:last])
        piece = without(name, first, raw, joint)
        if len(piece.text) != len(raw) and _RUN.search(piece.text):
            yield piece


def _merged(size: int, ends: Sequence[int], reach: int) -> Iterator[tuple[int, int]]:
    first, last = 0, -1
    for end in ends:
        if end - reach > last or end - first > _LONGEST:
            if last > 0:
                yield first, last
            first = max(0, end - reach)
        last = min(size, end + reach)
    if last > 0:
        yield first, last


def codes(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """Numbers that are character codes: arrays of bytes, ``fromCharCode``, ``chr`` and ``chr``."""
    covered = 0
    for hit in ends:
        if hit <= covered:
            continue
        receiver = _RECEIVER.match(text, hit, min(len(text), hit + _CALL + _CALL))
        is_call = receiver is not None and not receiver.group()[:1].isdigit()
        end = receiver.end() if receiver and is_call else hit  # the numbers begin behind it
        found = _NUMBERS.match(text, end, min(len(text), end + _LONGEST))
        covered = found.end() if found else end
        window = bytes(text[max(0, end - _REACH) : end])
        before = _SREBMUN.match(window[::-1])
        start = end - (before.end() if before else 0)
        if window.endswith(b"("):  # of chr(: the first numbers stand before it
            start = max(0, end - 32)
        raw = bytes(text[start:covered])
        values = bytes(
            (int(sedecimal, 16) if sedecimal else int(decimal) if decimal else ord(char)) & 0xFF
            for sedecimal, decimal, char in _NUMBER.findall(raw)
        )
        if _WORDS.search(values) or formats.sniff(values) is not None:
            runs = partial(_places, start, raw)
            yield Piece("char-codes", (start, covered), values, runs=runs)


def _places(start: int, numbers: bytes) -> list[Span]:
    """Where each of the numbers stands."""
    return [(at, start + one.start()) for at, one in enumerate(_NUMBER.finditer(numbers))]
