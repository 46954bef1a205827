"""Windows of pieces become tokens: words, operators and signs of the code, and its strings.

All of it is done by numpy over the window's bytes; Python touches only strings with escapes.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from monitor.patterns import later
from monitor.private_code.lexing.hashing import spans, stir, texts
from monitor.private_code.lexing.pieces import MAX_PIECE, Piece

if TYPE_CHECKING:
    import re

    import numpy.typing as npt

    from monitor.private_code.lexing.hashing import Codes, Places
    from monitor.private_code.lexing.pieces import Window
    from monitor.private_code.prints import Hashes

    Flags = npt.NDArray[np.bool_]

WORD, OPERATOR, SIGN = 1, 2, 3
"""Classes of bytes: words run together, operators where the pair is one, signs never."""

_PAIRS = b"== => != <= >= += -= *= /= %= &= |= ^= && || ?? ?. ++ -- ** << >> -> :: := ~= //"
_MINUS, _PLUS, _DOT = b"-+."


_OCTETS = [bytes((octet,)) for octet in range(256)]
IS_WORD = np.array(
    [not octet.isascii() or octet.isalnum() or octet in b"_$#@" for octet in _OCTETS]
)
"""By byte: whether it is part of a word."""


def _classes() -> Codes:
    table = np.full(256, SIGN, dtype=np.uint8)
    table[IS_WORD] = WORD
    table[list(b"=+-*/%&|!?<>^:~")] = OPERATOR
    table[[*range(33), 127]] = 0
    return table


def _pairs() -> Flags:
    table = np.zeros(1 << 16, dtype=np.bool_)
    for pair in _PAIRS.split():
        table[pair[0] << 8 | pair[1]] = True
    return table


_CLASSES = _classes()
_JOINED = _pairs()
_IS_WHOLE = np.isin(np.arange(8), (Piece.STRING, Piece.TEMPLATE, Piece.REGEX, Piece.BORDER))
_IS_DIGIT = (np.arange(256) >= ord("0")) & (np.arange(256) <= ord("9"))


class RawTokens(NamedTuple):
    """The tokens of one window. ``pieces`` is ``Piece`` of each, ``code`` for what is no string.

    ``starts`` and ``ends`` are places in ``octets``; ``lines`` counts the newlines before a token,
    ``last_lines`` those before its last byte.
    """

    octets: Codes
    starts: Places
    ends: Places
    pieces: Codes
    hashes: Hashes
    lines: Places
    last_lines: Places
    newlines: int

    def only(self, chosen: Flags) -> RawTokens:
        """The tokens that are chosen."""
        return self._replace(
            starts=self.starts[chosen],
            ends=self.ends[chosen],
            pieces=self.pieces[chosen],
            hashes=self.hashes[chosen],
            lines=self.lines[chosen],
            last_lines=self.last_lines[chosen],
        )


def tokens(window: Window) -> RawTokens:
    """The tokens of a window; ``lines`` begin at 0."""
    octets = window.octets
    piece_ends = np.cumsum(window.lengths)
    piece_starts = piece_ends - window.lengths
    classes = _code_classes(window)
    is_whole = _IS_WHOLE[window.kinds]
    whole_starts = piece_starts[is_whole]
    change = np.empty(len(octets) + 1, dtype=np.bool_)
    change[0] = change[-1] = True
    np.not_equal(classes[1:], classes[:-1], out=change[1:-1])
    change[:-1] |= classes == SIGN
    operators = np.flatnonzero(classes == OPERATOR)
    operators = operators[operators > 0]
    pairs = octets[operators - 1].astype(np.uint16) << np.uint16(8) | octets[operators]
    change[operators] |= ~_JOINED[pairs]
    change[piece_starts] = True  # a word does not run on into what follows a string
    borders = np.flatnonzero(change)
    classes[whole_starts] = WORD
    is_token = classes[borders[:-1]] > 0
    starts = borders[:-1][is_token]
    ends = borders[1:][is_token]
    pieces = np.zeros(len(starts), dtype=np.uint8)
    at = np.searchsorted(starts, whole_starts)
    pieces[at] = window.kinds[is_whole]
    ends[at] = piece_ends[is_whole]
    hashes = _hashes(octets, starts, ends, pieces, at)
    newlines = np.flatnonzero(octets == ord("\n"))
    lines, last_lines = np.searchsorted(newlines, starts), np.searchsorted(newlines, ends)
    total = len(newlines)
    for number, lost in window.lost.items():
        lines = lines + lost * (starts > piece_starts[number])
        last_lines = last_lines + lost * (starts >= piece_starts[number])
        total += lost
    return RawTokens(octets, starts, ends, pieces, hashes, lines, last_lines, total)


def _code_classes(window: Window) -> Codes:
    octets = window.octets
    classes = _CLASSES.take(octets)
    if len(window.kinds) > 1 or window.kinds[0] != Piece.CODE:
        classes *= np.repeat(window.kinds == Piece.CODE, window.lengths)
    marks = np.flatnonzero((octets[1:-1] == _DOT) | (octets[1:-1] == _MINUS)) + 1
    if len(marks):
        before, after = octets[marks - 1], octets[marks + 1]
        is_dot = octets[marks] == _DOT
        joins = _IS_DIGIT[after] & (classes[marks] > 0)
        digits = _IS_DIGIT[before] & (classes[marks - 1] == WORD)
        loose = (classes[marks - 1] != WORD) & (before != ord(")")) & (before != ord("]"))
        powers = (before | 32 == ord("e")) & _IS_DIGIT[octets[np.maximum(marks - 2, 0)]]
        classes[marks[joins & np.where(is_dot, digits | loose, powers)]] = WORD
    return classes


def _hashes(octets: Codes, starts: Places, ends: Places, pieces: Codes, at: Places) -> Hashes:
    """The hash of each token's text; of a string's content with its escapes undone."""
    if not len(at):
        return spans(octets, starts, ends)
    inner_starts, inner_ends = starts.copy(), ends.copy()
    at = at[pieces[at] != Piece.BORDER]
    lead, tail = _delimiters(octets, starts[at], ends[at], pieces[at])
    inner_starts[at] += lead
    inner_ends[at] = np.maximum(inner_ends[at] - tail, inner_starts[at])
    hashes = spans(octets, inner_starts, inner_ends)
    is_regex = pieces[at] == Piece.REGEX
    slashes = np.flatnonzero(octets == ord("\\"))
    places = at[:0]
    if len(slashes):
        reach = np.searchsorted(slashes, inner_ends[at]) > np.searchsorted(
            slashes, inner_starts[at]
        )
        places = at[reach & ~is_regex]
    if len(places):
        content = octets.tobytes()
        plain = [
            unescaped(content[first:last])
            for first, last in zip(
                inner_starts[places].tolist(), inner_ends[places].tolist(), strict=True
            )
        ]
        hashes[places] = texts(plain)
    hashes[at] = stir(hashes[at] ^ np.where(is_regex, np.uint64(3), np.uint64(2)))
    return hashes


def _delimiters(
    octets: Codes, starts: Places, ends: Places, pieces: Codes
) -> tuple[Places, Places]:
    """How many bytes of each string lead to its content, and how many follow it."""
    lead = np.ones(len(starts), dtype=np.int64)
    lead[pieces == Piece.REGEX] = 0
    long = np.flatnonzero((ends - starts >= _TRIPLE) & (pieces == Piece.STRING))
    first = starts[long]
    is_triple = (octets[first] == octets[first + 1]) & (octets[first] == octets[first + 2])
    lead[long[is_triple]] = 3
    last = octets[ends - 1]
    is_closed = (ends - starts > lead) & (
        (last == octets[starts]) | ((last == ord("`")) & (pieces == Piece.TEMPLATE))
    )
    tail = np.where(is_closed & (ends - starts < MAX_PIECE), lead, 0)
    is_open = (pieces == Piece.TEMPLATE) & (last == ord("{"))
    tail[is_open] = 2
    return lead, tail


_TRIPLE = 6  # bytes: three quotes, and three quotes

_ESCAPE = later(
    rb"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(\r?\n)|([\s\S]))"
)
_HALF = later(rb"\xed[\xa0-\xbf]")  # of a character that two escapes make up
_SIMPLE = {
    b"n": b"\n",
    b"t": b"\t",
    b"r": b"\r",
    b"b": b"\b",
    b"f": b"\f",
    b"v": b"\v",
    b"0": b"\0",
}


def _one(found: re.Match[bytes]) -> bytes:
    number = found[1] or found[2] or found[3]
    if number:
        code = int(number, 16)
        return chr(code).encode("utf-8", "surrogatepass") if code <= sys.maxunicode else b"?"
    if found[4]:
        return b""
    return _SIMPLE.get(found[5], found[5])


def unescaped(content: bytes) -> bytes:
    """A string's content with its escapes undone, as JavaScript, Python and C write them."""
    plain = _ESCAPE.sub(_one, content)
    if _HALF.search(plain):
        try:
            halves = plain.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass")
        except UnicodeDecodeError:
            return plain  # no UTF-8: its bytes are as good a name for it
        plain = halves.decode("utf-16", "replace").encode()
    return plain
