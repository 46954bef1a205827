"""The families of languages that are read alike, and the reading of a text of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.patterns import later
from monitor.private_code.lexing import c_family, javascript, python_text
from monitor.private_code.lexing.hashing import Vocabulary
from monitor.private_code.lexing.kinds import Code, Tokens, joined, kinded
from monitor.private_code.lexing.pieces import Grammar, windows
from monitor.private_code.lexing.stream import RawTokens, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SECTION = 512 << 10
"""The bytes of a section, at least, unless the text ends."""


class Family(NamedTuple):
    """How languages are read. ``dropped`` are the signs that formatters add and take away."""

    name: str
    grammar: Grammar
    vocabulary: Vocabulary
    dropped: tuple[Code, ...]
    prepared: Callable[[RawTokens], RawTokens] | None = None
    refined: Callable[[Tokens], Tokens] | None = None


JAVASCRIPT = Family(
    "javascript",
    javascript.GRAMMAR,
    javascript.VOCABULARY,
    (Code.SEMICOLON, Code.COMMA, Code.OPEN, Code.CLOSE),
    refined=javascript.refined,
)
PYTHON = Family(
    "python",
    python_text.GRAMMAR,
    python_text.VOCABULARY,
    (Code.COMMA, Code.OPEN, Code.CLOSE),
    python_text.prepared,
    python_text.refined,
)
C_FAMILY = Family(
    "c",
    c_family.GRAMMAR,
    c_family.VOCABULARY,
    (Code.SEMICOLON, Code.COMMA, Code.OPEN, Code.CLOSE),
    refined=c_family.refined,
)
PLAIN = Family("plain", Grammar(later(rb"[\s\S]++"), {}), Vocabulary({}), ())


def sections(texts: Iterable[bytes], family: Family) -> Iterator[Tokens]:
    """The tokens of texts, a section at a time; a ``BORDER`` token stands before each text.

    Lines go on counting from one text to the next.
    """
    parts: list[Tokens] = []
    size = own = line = place = 0
    for window in windows(texts, family.grammar):
        raw = tokens(window)
        line_after = line + raw.newlines
        if family.prepared:
            raw = family.prepared(raw)
        parts.append(kinded(raw, family.vocabulary, line, place))
        line = line_after
        place += len(window.octets)
        size += len(window.octets)
        own = 0 if window.is_end else own + window.size
        if own >= SECTION or (window.is_end and size >= SECTION):
            yield _section(parts, family)
            parts, size, own = [], 0, 0
    if parts:
        yield _section(parts, family)


def _section(parts: list[Tokens], family: Family) -> Tokens:
    found = joined(parts)
    return family.refined(found) if family.refined else found
