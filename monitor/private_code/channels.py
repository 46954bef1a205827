"""What each channel sees of a section's tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitor.private_code.lexing.families import C_FAMILY, JAVASCRIPT, PLAIN, PYTHON, Family
from monitor.private_code.lexing.hashing import stir, texts
from monitor.private_code.lexing.kinds import Code, Kind, Tokens, word
from monitor.private_code.winnowing import Elements, Rule

if TYPE_CHECKING:
    import numpy.typing as npt

    from monitor.private_code.lexing.hashing import Codes, Places
    from monitor.private_code.prints import Hashes

    Flags = npt.NDArray[np.bool_]

TOKENS = Rule(run=14, window=7, distinct=8)
CANONICAL = Rule(run=10, window=5, distinct=7)
"""The canonical rule passes over a third of the tokens: as much code, in fewer elements."""
BARE = Rule(run=14, window=7, distinct=7)
SKELETON = Rule(run=6, window=4, distinct=4)
SHAPE = Rule(run=14, window=5, distinct=7)

SHORT_NAME = 4
"""Bytes: minifiers give shorter names to locals; longer ones in their output are not local."""

MIN_STRING = 10
MIN_NUMBER = 6
"""Bytes that a literal must have to count as rare."""

_LOCAL = word("local")
_VARIABLE, _EQUAL, _UNEQUAL = word("variable"), word("equal"), word("unequal")


_TELLING = np.isin(
    np.arange(16),
    (Kind.PROPERTY, Kind.KEY, Kind.STRING, Kind.REGEX, Kind.DEFINED, Kind.GLOBAL),
)
_DULL = stir(
    texts([b"use strict", b""]) ^ np.uint64(2)
)  # as the hash of a string's content is made


_NAMELESS = np.isin(
    np.arange(16), (Kind.LOCAL, Kind.GLOBAL, Kind.STRING, Kind.DEFINED, Kind.NUMBER)
)
_IS_NAME = np.isin(np.arange(16), (Kind.LOCAL, Kind.PROPERTY, Kind.KEY, Kind.DEFINED))
_IS_HOISTED = np.isin(np.arange(256), (Code.THIS, Code.CONSTANT))


def _dropped(family: Family) -> Flags:
    return np.isin(np.arange(256), family.dropped)


_DROPPED = {family.name: _dropped(family) for family in (JAVASCRIPT, PYTHON, C_FAMILY, PLAIN)}


def _specifiers(tokens: Tokens) -> Flags:
    """Which strings name a module."""
    found = np.zeros(len(tokens.kinds), dtype=np.bool_)
    strings = np.flatnonzero(tokens.kinds == Kind.STRING)
    strings = strings[strings > 1]
    before = tokens.codes[strings - 1]
    required = (before == Code.OPEN) & (tokens.codes[strings - 2] == Code.REQUIRE)
    found[strings[(before == Code.IMPORTING) | required]] = True
    return found


_FLAT = _DROPPED["javascript"] | np.isin(
    np.arange(256),
    (
        *(Code.FUNCTION, Code.FAT_ARROW, Code.RETURN, Code.OPEN_BRACE, Code.CLOSE_BRACE),
        *(Code.VARIABLE, Code.PLUS),
    ),
)
"""What else the canonical rule passes over: an arrow and a function, a template and a sum are
the same without it, whatever dialect a compiler wrote."""


class Section:
    """A section's tokens without the borders, with the number of each one's text.

    ``lines`` count from 1 in each text; where asked, they are places in bytes instead.
    """

    def __init__(
        self,
        tokens: Tokens,
        family: Family,
        first_text: int,
        begin: tuple[int, int],
        *,
        by_place: bool = False,
    ) -> None:
        """``begin`` is the line and the place at which the text begun last does so."""
        is_border = tokens.codes == Code.BORDER
        owners = np.cumsum(is_border)
        begins = tokens.places if by_place else tokens.lines
        begins = np.concatenate([[begin[by_place]], begins[is_border]])
        inside = ~is_border
        self.family = family
        self.kinds: Codes = tokens.kinds[inside]
        self.codes: Codes = tokens.codes[inside]
        self.hashes: Hashes = tokens.hashes[inside]
        self.sizes: Places = tokens.sizes[inside]
        positions = tokens.places - 1 if by_place else tokens.lines + 1
        self.lines: Places = (positions - begins[owners])[inside]
        self.texts: Places = (owners + (first_text - 1))[inside]
        self.last_text = first_text - 1 + int(owners[-1])
        self.last_line, self.last_place = begin
        if is_border.any():
            self.last_line = int(tokens.lines[is_border][-1])
            self.last_place = int(tokens.places[is_border][-1])
        self.is_specifier: Flags = _specifiers(tokens)[inside]

    def only(self, chosen: Flags) -> Section:
        """The section with the tokens that are chosen."""
        other = object.__new__(Section)
        other.__dict__.update(self.__dict__)
        for name in ("kinds", "codes", "hashes", "sizes", "lines", "texts", "is_specifier"):
            setattr(other, name, getattr(self, name)[chosen])
        return other

    def _chosen(self, hashes: Hashes, telling: Flags, chosen: Flags) -> Elements:
        return Elements(hashes[chosen], telling[chosen], self.lines[chosen], self.texts[chosen])

    def tokens(self, *, canonical: bool = False) -> Elements:
        """All but what formatters add and take away; locals are one.

        By the canonical rule, what compilers to older dialects write otherwise is left out too.
        """
        hashes = self.hashes.copy()
        telling = _TELLING[self.kinds]
        if self.family is PLAIN:
            is_word = self.kinds != Kind.SIGN
            return self._chosen(hashes, is_word, is_word)
        is_local = self.kinds == Kind.LOCAL
        dropped = _DROPPED[self.family.name]
        if canonical:
            telling |= is_local & (self.sizes >= SHORT_NAME)
            is_local &= self.sizes < SHORT_NAME
            is_local |= self.codes == Code.THIS
            dropped = _FLAT
        hashes[is_local] = _LOCAL
        hashes[self.codes == Code.VARIABLE] = _VARIABLE
        hashes[self.codes == Code.EQUAL] = _EQUAL
        hashes[self.codes == Code.UNEQUAL] = _UNEQUAL
        return self._chosen(hashes, telling, ~dropped[self.codes])

    def bare_tokens(self) -> Elements:
        """Python as a minifier leaves it.

        Literals, built-ins and definitions are names like any other; what is asked of an object or
        given by keyword keeps its own.
        """
        hashes = self.hashes.copy()
        hashes[_NAMELESS[self.kinds] | _IS_HOISTED[self.codes]] = _LOCAL
        telling = (self.kinds == Kind.PROPERTY) | (self.kinds == Kind.KEY)
        return self._chosen(hashes, telling, ~_DROPPED[self.family.name][self.codes])

    def skeleton(self, *, canonical: bool = False) -> Elements:
        """What minifiers keep, in order."""
        chosen = _TELLING[self.kinds] & (self.codes != Code.NOISE) & (self.codes != Code.REQUIRE)
        if canonical:
            chosen |= (self.kinds == Kind.LOCAL) & (self.sizes >= SHORT_NAME)
        chosen &= ~self.is_specifier & (self.hashes != _DULL[0]) & (self.hashes != _DULL[1])
        return self._chosen(self.hashes, chosen, chosen)

    def shape(self) -> Elements:
        """Canonical code without its names: signs, keywords, literals and what is built in.

        A run needs so many different ones of these that hardly an idiom has them.
        """
        hashes = self.hashes.copy()
        is_name = _IS_NAME[self.kinds] | (self.codes == Code.THIS)
        hashes[is_name] = _LOCAL
        hashes[self.codes == Code.EQUAL] = _EQUAL
        hashes[self.codes == Code.UNEQUAL] = _UNEQUAL
        return self._chosen(hashes, ~is_name, ~_FLAT[self.codes])

    def literals(self) -> Elements:
        """Long strings and numbers."""
        is_string = (self.kinds == Kind.STRING) & (self.sizes >= MIN_STRING + 2)
        is_number = (self.kinds == Kind.NUMBER) & (self.sizes >= MIN_NUMBER)
        chosen = (is_string & ~self.is_specifier) | is_number
        return self._chosen(self.hashes, chosen, chosen)

    def short_names(self) -> tuple[Places, Places]:
        """By text: how many locals there are, and how many have a minifier's short name."""
        is_local = self.kinds == Kind.LOCAL
        total = np.bincount(self.texts[is_local], minlength=self.last_text + 1)
        is_short = is_local & (self.sizes < SHORT_NAME)
        return total, np.bincount(self.texts[is_short], minlength=self.last_text + 1)
