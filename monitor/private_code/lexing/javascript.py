"""JavaScript, TypeScript and JSX: regular expressions and nested templates, keys and methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitor.patterns import later
from monitor.private_code.lexing.hashing import Vocabulary
from monitor.private_code.lexing.kinds import SIGNS, Code, Kind, Tokens
from monitor.private_code.lexing.pieces import Grammar, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.private_code.lexing.hashing import Places

# A slash divides, unless it stands where only an expression can: behind these signs and words,
# with a space at most between, ...
_BEFORE = (
    *(rb"(?<=[(,=:\[!&|?{};+\-*%~^])", rb"(?<=[(,=:\[!&|?{};+\-*%~^][ ])"),
    *(rb"(?<==>)", rb"(?<==>[ ])"),
    *(
        rb"(?<=\b" + word + space + rb")"
        for word in (b"return", b"typeof", b"case", b"in", b"do", b"else", b"yield")
        for space in (rb"", rb"[ ]")
    ),
)
_CLASS = rb"\[(?:[^\]\\\n]|\\.)*+\]?+"
_REGEX = rb"/(?![*/])(?:[^\\/\[\n]|\\.|" + _CLASS + rb")++(?:/[a-zA-Z]*+)?+"
# ... or looks like nothing else: at a line's beginning, behind a comment, or asked at once.
_SURE = rb"/(?![*/\ ])(?:[^\\/\[\n]|\\.|\[(?:[^\]\\\n]|\\.){0,160}+\]){1,160}+/[a-z]*+"
_AT_BEGIN = rb"(?:(?<=[ \t\r\n])|(?<=\*/))" + _SURE + rb"(?=[ \t]*+(?:[,;.)\]}:\r\n]|\Z))"
_ASKED = rb"(?<=[)}])" + _SURE + rb"(?=\.(?:test|exec)\()"
_SLASH = (
    rb"//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?+"
    rb"|(?:" + b"|".join(_BEFORE) + rb")" + _REGEX + rb"|" + _AT_BEGIN + rb"|" + _ASKED + rb"|/"
)
_STRINGS = rb"""|"(?:[^"\\\n]++|\\[\s\S])*+"?+|'(?:[^'\\\n]++|\\[\s\S])*+'?+|"""
_TEMPLATE = rb"`(?:[^`\\]++|\\[\s\S])*+`?+|"
_PATTERN = later(rb"""[^"'`/]++""" + _STRINGS + _TEMPLATE + _SLASH)
_OUTSIDE = later(rb"""(?:[^"'`/]++""" + _STRINGS + _SLASH + rb")*+")
_INSIDE = later(rb"""(?:[^"'`/{}]++|\{[^"'`/{}]*+\}""" + _STRINGS + _SLASH + rb")*+")
_PART = later(rb"[`}](?:[^`\\$]++|\\[\s\S]|\$(?!\{))*+(?:`|\$\{)?+")
_OPENING = later(rb"""(?:[^"'`/{}]*+\{)++""")
_MAX_NESTING = 500
_BYTES_PER_STEP = 24
"""A text that is made of templates in templates is cut no finer than this, on the average."""


def _stretches(text: bytes) -> Iterator[tuple[int, int, bool]]:
    """Templates with substitutions are cut out: their parts lie between code."""
    if b"${" not in text:
        yield 0, len(text), False
        return
    at = start = 0
    braces: list[int] = []  # open ones in each substitution that we are in
    steps = 1_000 + len(text) // _BYTES_PER_STEP
    while at < len(text) and steps:
        steps -= 1
        found = (_INSIDE if braces else _OUTSIDE).match(text, at)
        at = found.end() if found else at
        if at >= len(text):
            break
        sign = text[at]
        if sign == ord("{"):
            opening = _OPENING.match(text, at)
            assert opening
            braces[-1] += opening[0].count(b"{")
            at = opening.end()
            continue
        if sign == ord("}") and braces[-1]:
            braces[-1] -= 1
            at += 1
            continue
        part = _PART.match(text, at)
        assert part
        if start < at:
            yield start, at, False
        yield at, part.end(), True
        at = start = part.end()
        if sign == ord("}"):
            braces.pop()
        if part[0].endswith(b"${") and len(braces) < _MAX_NESTING:
            braces.append(0)
    if start < len(text):
        yield start, len(text), False


GRAMMAR = Grammar(
    _PATTERN,
    {b'"': Piece.STRING, b"'": Piece.STRING, b"`": Piece.STRING, b"/": Piece.REGEX},
    _stretches,
)

_KEYWORDS = """
break case catch class continue debugger delete do else extends finally for if in instanceof new
super switch throw try typeof void while with yield static await async of get set null
true false enum interface implements declare readonly private public protected abstract as type
namespace keyof undefined export
"""
_GLOBALS = """
window document console Math JSON Array String Number Boolean Symbol Promise Proxy Reflect Map Set
WeakMap WeakSet Error TypeError RangeError SyntaxError Date RegExp Function parseInt parseFloat
isNaN isFinite setTimeout clearTimeout setInterval clearInterval requestAnimationFrame
cancelAnimationFrame globalThis self process Buffer Infinity NaN Float32Array Float64Array
Uint8Array Uint16Array Uint32Array Int8Array Int16Array Int32Array Uint8ClampedArray ArrayBuffer
DataView BigInt navigator location fetch Blob URL Image Worker Event CustomEvent HTMLElement
encodeURIComponent decodeURIComponent eval performance
"""
_NOISE = """
exports module constructor default __esModule prototype arguments defineProperty Object
"""

VOCABULARY = Vocabulary(
    {
        **SIGNS,
        Code.KEYWORD: _KEYWORDS.split(),
        Code.FUNCTION: ["function"],
        Code.IMPORTING: ["from", "import"],
        Code.VARIABLE: ["var", "let", "const"],
        Code.RETURN: ["return"],
        Code.THIS: ["this"],
        Code.GLOBAL: _GLOBALS.split(),
        Code.REQUIRE: ["require"],
        Code.NOISE: _NOISE.split(),
    }
)


def refined(tokens: Tokens) -> Tokens:
    """Names become properties, keys or locals by what stands around them."""
    kinds, codes = tokens.kinds, tokens.codes
    is_name = (kinds == Kind.LOCAL) | (kinds == Kind.GLOBAL) | (kinds == Kind.KEYWORD)
    before = np.concatenate([np.zeros(1, np.uint8), codes[:-1]])
    after = np.concatenate([codes[1:], np.zeros(1, np.uint8)])
    is_property = is_name & (before == Code.DOT)
    is_key = (
        is_name & (after == Code.COLON) & ((before == Code.OPEN_BRACE) | (before == Code.COMMA))
    )
    methods = _methods(codes)
    methods = methods[is_name[methods] & (kinds[methods] != Kind.KEYWORD)]
    methods = methods[(before[methods] != Code.FUNCTION)]
    starred = methods[(before[methods] == Code.STAR) & (methods > 1)]
    starred = starred[codes[starred - 2] == Code.FUNCTION]
    is_key[methods] = True
    is_key[starred] = False
    kinds[is_key] = Kind.KEY
    kinds[is_property] = Kind.PROPERTY
    codes[is_key | is_property] = np.where(
        codes[is_key | is_property] == Code.NOISE, Code.NOISE, Code.OTHER
    )
    return tokens


def _methods(codes: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> Places:
    """Places of what stands before parentheses that a brace follows."""
    places = np.flatnonzero((codes == Code.OPEN) | (codes == Code.CLOSE))
    is_open = codes[places] == Code.OPEN
    depth = np.cumsum(np.where(is_open, 1, -1)) + ~is_open
    texts = np.cumsum(codes == Code.BORDER)[places]
    first = np.searchsorted(texts, texts)  # where each parenthesis' text has its first one
    depth += (texts << 32) - (depth - is_open)[first]
    order = np.argsort(depth, kind="stable")
    first, second = order[:-1], order[1:]
    pairs = is_open[first] & ~is_open[second] & (depth[first] == depth[second])
    opens, closes = places[first[pairs]], places[second[pairs]]
    inside = (closes + 1 < len(codes)) & (opens > 0)
    opens, closes = opens[inside], closes[inside]
    found: Places = opens[codes[closes + 1] == Code.OPEN_BRACE] - 1
    return found
