"""Kinds of tokens, the codes of the words that decide about them, and tokens with a kind."""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from monitor.private_code.lexing.hashing import stir, texts
from monitor.private_code.lexing.pieces import Piece
from monitor.private_code.lexing.stream import IS_WORD

if TYPE_CHECKING:
    from monitor.private_code.lexing.hashing import Codes, Places, Vocabulary
    from monitor.private_code.lexing.stream import RawTokens
    from monitor.private_code.prints import Hashes


class Kind(enum.IntEnum):
    """What a token is. ``LOCAL`` names are those that a minifier or a colleague renames."""

    SIGN = 0
    KEYWORD = 1
    LOCAL = 2
    GLOBAL = 3
    PROPERTY = 4
    KEY = 5
    DEFINED = 6
    STRING = 7
    REGEX = 8
    NUMBER = 9


class Code(enum.IntEnum):
    """Words that decide about their neighbours, or about themselves."""

    OTHER = 0
    OPEN = 1
    CLOSE = 2
    OPEN_BRACE = 3
    CLOSE_BRACE = 4
    OPEN_BRACKET = 5
    CLOSE_BRACKET = 6
    DOT = 7
    COLON = 8
    COMMA = 9
    SEMICOLON = 10
    ASSIGN = 11
    ARROW = 12
    STAR = 13
    EQUAL = 14
    UNEQUAL = 15
    FAT_ARROW = 16
    PLUS = 17
    KEYWORD = 20
    FUNCTION = 21
    DEFINER = 22
    IMPORTING = 23
    VARIABLE = 24
    RETURN = 25
    THIS = 26
    CONSTANT = 27
    GLOBAL = 30
    REQUIRE = 31
    NOISE = 32
    PREFIX = 40
    FORMAT_PREFIX = 41
    RAW_PREFIX = 42
    BORDER = 50
    """What stands before each text of a batch."""


SIGNS: dict[int, tuple[str, ...]] = {
    Code.OPEN: ("(",),
    Code.CLOSE: (")",),
    Code.OPEN_BRACE: ("{",),
    Code.CLOSE_BRACE: ("}",),
    Code.OPEN_BRACKET: ("[",),
    Code.CLOSE_BRACKET: ("]",),
    Code.DOT: (".",),
    Code.COLON: (":",),
    Code.COMMA: (",",),
    Code.SEMICOLON: (";",),
    Code.ASSIGN: ("=",),
    Code.ARROW: ("->", "::"),
    Code.STAR: ("*",),
    Code.EQUAL: ("==", "==="),
    Code.UNEQUAL: ("!=", "!=="),
    Code.FAT_ARROW: ("=>",),
    Code.PLUS: ("+",),
}


class Tokens(NamedTuple):
    """Tokens of a window or a section: arrays of one length.

    ``sizes`` and ``places`` are in bytes, ``firsts`` the first byte of each token. Lines and
    places go on counting from text to text.
    """

    kinds: Codes
    codes: Codes
    hashes: Hashes
    lines: Places
    sizes: Places
    firsts: Codes
    places: Places


def _by_code() -> Codes:
    table = np.full(256, Kind.LOCAL, dtype=np.uint8)
    table[Code.OPEN : Code.KEYWORD] = Kind.SIGN
    table[Code.KEYWORD : Code.GLOBAL] = Kind.KEYWORD
    table[Code.GLOBAL : Code.PREFIX] = Kind.GLOBAL
    return table


_BY_CODE = _by_code()
_IS_DIGIT = np.array([octet in b"0123456789" for octet in range(256)])


def kinded(raw: RawTokens, vocabulary: Vocabulary, line: int, place: int) -> Tokens:
    """The tokens with what each is by itself; its neighbours are for the language to ask."""
    codes = vocabulary.codes(raw.hashes)
    kinds = _BY_CODE[codes]
    firsts = raw.octets[raw.starts]
    kinds[(codes == 0) & ~IS_WORD[firsts]] = Kind.SIGN
    sizes = raw.ends - raw.starts
    is_number = _IS_DIGIT[firsts] | ((firsts == ord(".")) & (sizes > 1))
    kinds[is_number] = Kind.NUMBER
    is_string = raw.pieces > 0
    kinds[is_string] = Kind.STRING
    kinds[raw.pieces == Piece.REGEX] = Kind.REGEX
    codes[is_string] = Code.OTHER
    is_border = raw.pieces == Piece.BORDER
    kinds[is_border] = Kind.SIGN
    codes[is_border] = Code.BORDER
    is_number &= ~is_string
    digits = np.flatnonzero(is_number & (sizes == 1))
    raw.hashes[digits] = _DIGITS[firsts[digits] - ord("0")]
    numbers = np.flatnonzero(is_number & (sizes > 1))
    if len(numbers):
        raw.hashes[numbers] = _values(raw, numbers)
    return Tokens(kinds, codes, raw.hashes, raw.lines + line, sizes, firsts, raw.starts + place)


_known_values: dict[int, float] = {}
_MAX_KNOWN = 200_000
_MAX_DIGITS = 40


def _values(raw: RawTokens, numbers: Places) -> Hashes:
    """Hashes of numbers by their value: ``1000``, ``1e3`` and ``0x3E8`` are one."""
    unique, first, inverse = np.unique(raw.hashes[numbers], return_index=True, return_inverse=True)
    if len(_known_values) > _MAX_KNOWN:
        _known_values.clear()
    content = raw.octets.tobytes()
    starts, ends = raw.starts[numbers][first].tolist(), raw.ends[numbers][first].tolist()
    values = np.zeros(len(unique), dtype=np.float64)
    keys = unique.tolist()
    for place, (key, start, end) in enumerate(zip(keys, starts, ends, strict=True)):
        if key not in _known_values:
            _known_values[key] = _value(content[start:end])
        values[place] = _known_values[key]
    found = stir(values.view(np.uint64) ^ _NUMBER)
    return np.where(np.isnan(values), unique, found)[inverse]


_NUMBER = np.uint64(0x1234567)
_INTEGERS = (b"0x", b"0X", b"0b", b"0B", b"0o", b"0O")


def _value(text: bytes) -> float:
    """A number's value; NaN where it is none that all languages know."""
    if len(text) > _MAX_DIGITS:
        return math.nan
    plain = text.replace(b"_", b"")
    try:
        if plain[:2] in _INTEGERS:
            return float(int(plain.rstrip(b"nuUlL"), 0))
        return float(plain.rstrip(b"nuUlLfFdDjJ"))
    except (ValueError, OverflowError):
        return math.nan


_DIGITS = stir(np.arange(10, dtype=np.float64).view(np.uint64) ^ _NUMBER)


def joined(parts: list[Tokens]) -> Tokens:
    """Several windows' tokens as one section's."""
    if len(parts) == 1:
        return parts[0]
    return Tokens(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def word(text: str) -> np.uint64:
    """The hash that stands for a class of tokens."""
    return np.uint64(texts([b"\0" + text.encode()])[0])
