"""A text is cut into pieces that tile it: code, strings, comments, regular expressions, templates.

Windows of pieces come one after the other. Each piece keeps all that its expression has looked at,
so no text makes the cutting slower than linear, and whatever a window ends in begins the next one.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from monitor.patterns import later

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator

    from monitor.private_code.lexing.hashing import Codes, Places

WINDOW = 48 << 10
"""The bytes that a window has at least, unless the text ends; never more than ``MAX_WINDOW``."""

MAX_PIECE = 32 << 10
"""The bytes of a string or comment that are looked at; what lies behind them is counted alone."""

_LAST_BREAK = later(rb"(?s:.*)[^\w$\x80-\xff.#]")


class Piece(enum.IntEnum):
    """What a piece is."""

    CODE = 0
    STRING = 1
    """Between quotes, one or three of them; it may lack the closing ones."""
    COMMENT = 2
    REGEX = 3
    TEMPLATE = 4
    """A part of a JavaScript template beside a substitution, with its delimiters."""
    BORDER = 5
    """One byte before each text."""


class Window(NamedTuple):
    """The bytes of a window, and its pieces: ``Piece`` and length of each.

    ``lost`` says how many newlines were left out behind a piece, by the piece's number.
    ``size`` is how much the window's last text has in it; ``is_end`` whether it ends there.
    """

    octets: Codes
    kinds: Codes
    lengths: Places
    lost: dict[int, int]
    size: int
    is_end: bool


class Grammar:
    """How a family of languages is cut.

    ``pattern`` matches one piece wherever it is tried. ``first`` maps a piece's first byte to its
    kind: ``REGEX`` for a slash means that the second byte and the length decide. ``stretches``
    cuts a text into stretches (start, end, is a template's part) beforehand.
    """

    def __init__(
        self,
        pattern: re.Pattern[bytes],
        first: dict[bytes, Piece],
        stretches: Callable[[bytes], Iterator[tuple[int, int, bool]]] | None = None,
    ) -> None:
        self.pattern = pattern
        self.first = {octet[0]: kind for octet, kind in first.items()}
        self.stretches = stretches
        self.table = np.zeros(256, dtype=np.uint8)
        for octet, kind in self.first.items():
            self.table[octet] = kind


def windows(texts: Iterable[bytes], grammar: Grammar) -> Iterator[Window]:
    """The windows of texts, in order; each text's pieces follow a ``BORDER`` and tile it.

    Where a text is cut depends on nothing but the text, so its tokens do not depend on its
    neighbours in a batch.
    """
    build = _Builder(grammar)
    for text in texts:
        build.border()
        size = 0
        for found, taken, is_template in _batches(text, grammar):
            build.add(found, taken, is_template=is_template)
            size += taken
            if size >= WINDOW:
                yield build.window(size, is_end=False)
                size = 0
        if build.size >= WINDOW:
            yield build.window(size, is_end=True)
    if build.pieces:
        yield build.window(0, is_end=True)


class _Builder:
    """Gathers the pieces of a window."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.pieces: list[bytes] = []
        self.templates: list[int] = []
        self.borders: list[int] = []
        self.size = 0

    def border(self) -> None:
        self.borders.append(len(self.pieces))
        self.pieces.append(b"\0")
        self.size += 1

    def add(self, found: list[bytes], taken: int, *, is_template: bool) -> None:
        if is_template:
            self.templates.append(len(self.pieces))
        self.pieces += found
        self.size += taken

    def window(self, size: int, *, is_end: bool) -> Window:
        """What was gathered; begins anew."""
        pieces, templates, borders = self.pieces, self.templates, self.borders
        self.pieces, self.templates, self.borders, self.size = [], [], [], 0
        lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
        lost = {}
        for number in np.flatnonzero(lengths > MAX_PIECE).tolist():
            if pieces[number][0] in self.grammar.first or number in templates:
                lost[number] = pieces[number].count(b"\n", MAX_PIECE)
                pieces[number] = pieces[number][:MAX_PIECE]
                lengths[number] = MAX_PIECE
        octets = np.frombuffer(b"".join(pieces), dtype=np.uint8)
        kinds = self._kinds(octets, lengths)
        kinds[templates] = Piece.TEMPLATE
        kinds[borders] = Piece.BORDER
        return Window(octets, kinds, lengths, lost, size, is_end)

    def _kinds(self, octets: Codes, lengths: Places) -> Codes:
        starts = np.cumsum(lengths) - lengths
        kinds: Codes = self.grammar.table[octets[starts]]
        kinds[(kinds == Piece.STRING) & (lengths == 1)] = Piece.CODE  # a quote that opens nothing
        slashes = np.flatnonzero(kinds == Piece.REGEX)
        if len(slashes):
            second = octets[np.minimum(starts[slashes] + 1, len(octets) - 1)]
            is_comment = (second == ord("/")) | (second == ord("*"))
            told = np.where(is_comment, np.uint8(Piece.COMMENT), np.uint8(Piece.REGEX))
            kinds[slashes] = np.where(lengths[slashes] > 1, told, np.uint8(Piece.CODE))
        return kinds


def _batches(text: bytes, grammar: Grammar) -> Iterator[tuple[list[bytes], int, bool]]:
    """Pieces, some ``WINDOW`` of bytes at a time; their bytes; whether it is a template's part."""
    whole = [(0, len(text), False)]
    for first, last, is_template in grammar.stretches(text) if grammar.stretches else whole:
        if is_template:
            yield [text[first:last]], last - first, True
            continue
        at = first
        while at < last:
            found, taken = _some(text, at, last, grammar)
            yield found, taken, False
            at += taken


def _some(text: bytes, first: int, last: int, grammar: Grammar) -> tuple[list[bytes], int]:
    """The next pieces of a stretch, some ``WINDOW`` bytes, at least one; and their bytes."""
    reach = WINDOW
    while True:
        end = min(last, first + reach)
        found = grammar.pattern.findall(text, first, end)
        if reach > WINDOW and (end == last or len(found) > 1):
            return found[:1], len(found[0])  # the long one alone
        if end == last:
            return found, last - first
        cut = found.pop()  # it may go on behind the window's end
        is_code = cut[0] not in grammar.first
        if not found and not is_code:
            reach *= 2
            continue
        taken = end - first - len(cut)
        if is_code and (not found or len(cut) > WINDOW // 2):
            whole = _LAST_BREAK.match(cut)
            found.append(whole[0] if whole else cut)
            taken += len(found[-1])
        return found, taken
