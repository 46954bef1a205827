"""Go, Java, Rust, C, C++, C# and kin: types, calls and members stay, other names are local."""

from __future__ import annotations

import numpy as np

from monitor.patterns import later
from monitor.private_code.lexing.hashing import Vocabulary
from monitor.private_code.lexing.kinds import SIGNS, Code, Kind, Tokens
from monitor.private_code.lexing.pieces import Grammar, Piece

# A quote opens a character only where it is one; else it is the mark of a lifetime or a digit's.
_PATTERN = later(
    rb"""[^"'`/]++"""
    rb"""|"(?:[^"\\\n]++|\\[\s\S])*+"?+"""
    rb"""|'(?:[^'\\\n]{1,4}|\\[^\n][^'\n]{0,10})'|`[^`]*+`?+"""
    rb"""|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?+|['/]"""
)
GRAMMAR = Grammar(
    _PATTERN,
    {b'"': Piece.STRING, b"'": Piece.STRING, b"`": Piece.STRING, b"/": Piece.REGEX},
)

_KEYWORDS = """
abstract as assert async await base bool boolean break byte case catch chan char checked class
const continue crate debug def default defer delegate delete do double dyn else enum event explicit
extends extern fallthrough false final finally fixed float fn for foreach func fun go goto if impl
implements implicit import in include init inline instanceof int int8 int16 int32 int64 interface
internal is isize i8 i16 i32 i64 let lock long loop match mod module move mut namespace native new
nil null nullptr object operator out override package params private protected protocol pub public
range readonly ref register return sbyte sealed select self short signed sizeof stackalloc static
str strictfp string struct super switch synchronized template this throw throws trait transient
true try type typedef typename typeof u8 u16 u32 u64 uint uint8 uint16 uint32 uint64 uintptr
ulong unchecked union unless unsafe unsigned use ushort usize using var val virtual void volatile
when where while with yield error size_t #include #define #ifdef #ifndef #endif #if #else
"""
VOCABULARY = Vocabulary({**SIGNS, Code.KEYWORD: _KEYWORDS.split()})

_IS_CAPITAL = np.array([ord("A") <= octet <= ord("Z") for octet in range(256)])


def refined(tokens: Tokens) -> Tokens:
    """Members, types and calls are told from locals."""
    kinds, codes = tokens.kinds, tokens.codes
    is_name = kinds == Kind.LOCAL
    before = np.concatenate([np.zeros(1, np.uint8), codes[:-1]])
    after = np.concatenate([codes[1:], np.zeros(1, np.uint8)])
    kinds[is_name & _IS_CAPITAL[tokens.firsts]] = Kind.GLOBAL
    kinds[is_name & (after == Code.OPEN)] = Kind.KEY
    kinds[is_name & ((before == Code.DOT) | (before == Code.ARROW))] = Kind.PROPERTY
    return tokens
