"""Python source: docstrings and prefixes of strings go, names that are defined stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitor.patterns import later
from monitor.private_code.lexing.hashing import Vocabulary, stir, texts
from monitor.private_code.lexing.kinds import SIGNS, Code, Kind, Tokens
from monitor.private_code.lexing.pieces import MAX_PIECE, Grammar, Piece
from monitor.private_code.lexing.stream import unescaped

if TYPE_CHECKING:
    from monitor.private_code.lexing.hashing import Codes, Places
    from monitor.private_code.lexing.stream import Flags, RawTokens

_PATTERN = later(
    rb"""[^"'#]++"""
    rb'''|"""(?:[^"\\]++|\\[\s\S]|"(?!""))*+(?:""")?+'''
    rb"""|'''(?:[^'\\]++|\\[\s\S]|'(?!''))*+(?:''')?+"""
    rb"""|"(?:[^"\\\n]++|\\[\s\S])*+"?+"""
    rb"""|'(?:[^'\\\n]++|\\[\s\S])*+'?+"""
    rb"""|\#[^\n]*+"""
)
GRAMMAR = Grammar(_PATTERN, {b'"': Piece.STRING, b"'": Piece.STRING, b"#": Piece.COMMENT})

_KEYWORDS = """
and as assert async await break continue del elif else except finally for
global if in is lambda nonlocal not or pass raise return try while with yield match
"""
# What 3.11 knows, so that a newer Python makes no other prints.
_BUILTINS = """
ArithmeticError AssertionError AttributeError BaseException ConnectionError EOFError Exception
FileNotFoundError ImportError IndexError KeyError KeyboardInterrupt LookupError MemoryError
NameError NotImplemented NotImplementedError OSError OverflowError PermissionError RuntimeError
StopAsyncIteration StopIteration SyntaxError TimeoutError TypeError UnicodeDecodeError
UnicodeEncodeError UnicodeError ValueError Warning ZeroDivisionError DeprecationWarning
abs all any ascii bin bool bytearray bytes callable chr classmethod compile complex delattr dict
dir divmod enumerate eval exec filter float format frozenset getattr globals hasattr hash hex id
input int isinstance issubclass iter len list locals map max memoryview min next object oct open
ord pow print property range repr reversed round set setattr slice sorted staticmethod str sum
super tuple type vars zip __import__ __name__ __file__
"""
_PLAIN_PREFIXES = "b B u U"
_RAW_PREFIXES = "r R br bR Br BR rb rB Rb RB ur uR Ur UR"
_FORMAT_PREFIXES = "f F fr fR Fr FR rf rF Rf RF t T tr tR Tr TR rt rT Rt RT"

VOCABULARY = Vocabulary(
    {
        **SIGNS,
        Code.KEYWORD: _KEYWORDS.split(),
        Code.DEFINER: ["def", "class"],
        Code.CONSTANT: ["False", "None", "True"],
        Code.THIS: ["self", "cls"],
        Code.IMPORTING: ["from", "import"],
        Code.GLOBAL: _BUILTINS.split(),
        Code.PREFIX: _PLAIN_PREFIXES.split(),
        Code.RAW_PREFIX: _RAW_PREFIXES.split(),
        Code.FORMAT_PREFIX: _FORMAT_PREFIXES.split(),
    }
)

_FIELD = later(rb"\{[^{}]*\}")


def refined(tokens: Tokens) -> Tokens:
    """Properties, definitions and keyword arguments are told from locals."""
    kinds, codes = tokens.kinds, tokens.codes
    is_name = (kinds == Kind.LOCAL) | (kinds == Kind.GLOBAL)
    before = np.concatenate([np.zeros(1, np.uint8), codes[:-1]])
    after = np.concatenate([codes[1:], np.zeros(1, np.uint8)])
    is_key = is_name & (after == Code.ASSIGN) & ((before == Code.OPEN) | (before == Code.COMMA))
    kinds[is_key] = Kind.KEY
    kinds[is_name & (before == Code.DEFINER)] = Kind.DEFINED
    kinds[is_name & (before == Code.DOT)] = Kind.PROPERTY
    return tokens


def prepared(raw: RawTokens) -> RawTokens:
    """Prefixes join their strings; strings that are statements of their own are left out."""
    strings = np.flatnonzero(raw.pieces == Piece.STRING)
    if not len(strings):
        return raw
    kept = np.ones(len(raw.starts), dtype=np.bool_)
    codes = VOCABULARY.codes(raw.hashes)
    behind = strings[strings > 0]
    touching = behind[raw.ends[behind - 1] == raw.starts[behind]]
    touching = touching[codes[touching - 1] >= Code.PREFIX]
    kept[touching - 1] = False
    _reread(raw, touching, codes[touching - 1])
    kept[strings[_are_statements(raw, strings, codes)]] = False
    return raw.only(kept)


def _reread(raw: RawTokens, strings: Places, prefixes: Codes) -> None:
    """Hashes of raw strings and of formatted ones, whose fields hold names of locals."""
    plain = (prefixes == Code.PREFIX) | (raw.ends[strings] - raw.starts[strings] >= MAX_PIECE)
    strings, prefixes = strings[~plain], prefixes[~plain]
    if not len(strings):
        return
    content = []
    for place, prefix in zip(strings.tolist(), prefixes.tolist(), strict=True):
        text = raw.octets[raw.starts[place] : raw.ends[place]].tobytes()
        width = 3 if text[:3] in (b'"""', b"'''") else 1
        text = text[width:-width]
        content.append(text if prefix == Code.RAW_PREFIX else _FIELD.sub(b"{}", unescaped(text)))
    raw.hashes[strings] = stir(texts(content) ^ np.uint64(2))


_CLOSING = (Code.CLOSE, Code.CLOSE_BRACKET, Code.CLOSE_BRACE, Code.COMMA)


def _are_statements(raw: RawTokens, strings: Places, codes: Codes) -> Flags:
    """Which strings are docstrings: behind a colon, alone on their lines, nothing closes behind."""
    count = len(raw.starts)
    before, after = np.maximum(strings - 1, 0), np.minimum(strings + 1, count - 1)
    is_first = strings == 0
    begins = is_first | (
        (codes[before] == Code.COLON) & (raw.lines[strings] > raw.last_lines[before])
    )
    is_last = strings == count - 1
    ends = is_last | (
        (raw.lines[after] > raw.last_lines[strings]) & ~np.isin(codes[after], _CLOSING)
    )
    found: Flags = begins & ends
    return found
