"""Names that can be taken for one of ours: the transformations of typosquats, found by look-up.

The transformations are those of Taylor et al., "Defending Against Package Typosquatting" (NSS
2020): a character repeated, left out, put in, replaced or swapped with its neighbour, separators
and words in another order, look-alike characters, version numbers; and what dependency confusion
adds, a dropped scope and an added or dropped affix (``-js``, ``-sdk``, ``py``, ``node-``). Pure.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

SEPARATORS = "another separator"
SCOPE_DROPPED = "a dropped scope"
LOOKALIKE_CHARACTERS = "look-alike characters"
TRANSPOSITION = "transposition"
LEFT_OUT = "a character left out"
PUT_IN = "a character put in"
REPLACED = "a replaced character"
AFFIX_ADDED = "an added affix"
AFFIX_DROPPED = "a dropped affix"
NUMBER_ADDED = "an added number"
WORD_ORDER = "another order of words"

MIN_SAME = 4
"""Letters and digits that ours must have to be imitated by other separators, look-alike characters,
an affix or a number: what is shorter is like anything."""
MIN_SWAPPED = 5
"""The same for two neighbours that changed places."""
MIN_EDITED = 6
"""The same for a character left out, put in or replaced, for a dropped affix and for word order."""

_MAX_NAME = 128
_GONE = str.maketrans("", "", "-_.@/")
_SPACED = str.maketrans("-_.@/", "     ")
_FOLDED = str.maketrans({"0": "o", "1": "l", "i": "l", "3": "e", "5": "s", "m": "rn", "w": "vv"})
_NUMBER = re.compile(r"(?<=[^0-9])[0-9]{1,4}\Z")
# fmt: off
_FIRST = frozenset({
    "node", "nodejs", "js", "npm", "py", "python", "pip", "lib", "go", "get", "my", "the", "new",
    "real", "official", "free", "use", "try",
})
_LAST = frozenset({
    "js", "node", "nodejs", "ts", "py", "python", "python2", "python3", "npm", "pip", "lib", "sdk",
    "api", "cli", "client", "core", "util", "utils", "helper", "helpers", "tool", "tools", "dev",
    "test", "tests", "beta", "alpha", "next", "latest", "new", "free", "pro", "plus", "lite",
    "official", "plugin", "app", "server", "fork", "mirror", "patched", "fix", "fixed", "update",
    "secure", "security",
})
# fmt: on
_GLUED_FIRST = ("node", "py", "js")
_GLUED_LAST = ("js", "py")


class Target(Struct, frozen=True, kw_only=True):
    """A name of ours. ``since`` is when it was first known to exist, None for always."""

    name: str
    organisation: str
    since: datetime | None = None
    is_internal: bool = False


class Resemblance(Struct, frozen=True, kw_only=True):
    """Which of ours a name can be taken for, and by which transformation."""

    target: Target
    how: str


class Confusables:
    """The names of one ecosystem, as it compares them, ready to be asked; built once.

    A look-up costs microseconds whatever the number of names: each name and all that it becomes by
    leaving out one character stand in one table, and what is asked for is looked up there in the
    same forms; two words within one edit of each other must meet (Garbe's symmetric deletes).
    """

    def __init__(self, targets: Iterable[Target]) -> None:
        self._own: set[str] = set()
        self._near: dict[str, list[Target]] = {}
        self._alike: dict[str, Target] = {}
        self._shorter: dict[str, Target] = {}
        self._orders: dict[str, Target] = {}
        self._lengths: set[int] = set()
        for target in targets:
            if target.name not in self._own:
                self._add(target)
        self._keys = self._near.keys()

    def __len__(self) -> int:
        return len(self._own)

    def find(self, name: str) -> Resemblance | None:
        """What ``name`` can be taken for; None for a name of ours and for one like no other."""
        if name in self._own or not MIN_SAME <= len(name) <= _MAX_NAME:
            return None
        word = name.translate(_GONE)
        if (
            len(word) in self._lengths
            and not self._keys.isdisjoint((word, *deletions(word)))  # in C: most names end here
            and (found := self._edited(name, word)) is not None
        ):
            return found
        same = folded(word)
        return self._same(same, LOOKALIKE_CHARACTERS) or self._reworded(name, word, same)

    def _add(self, target: Target) -> None:
        self._own.add(target.name)
        word = bare(target.name)
        if not MIN_SAME <= len(word) <= _MAX_NAME:
            return
        self._alike.setdefault(folded(word), target)
        self._lengths |= {len(word) - 1, len(word), len(word) + 1}
        shorter = deletions(word) if len(word) >= MIN_SWAPPED else ()
        for key in {word, *shorter}:
            self._near.setdefault(key, []).append(target)
        if len(word) >= MIN_EDITED:
            parts = words(target.name)
            if len(parts) > 1:
                self._orders.setdefault(" ".join(sorted(parts)), target)
            for rest in _stripped(parts, word):
                if len(rest) >= MIN_EDITED:
                    self._shorter.setdefault(folded(rest), target)

    def _edited(self, name: str, word: str) -> Resemblance | None:
        near = self._near
        best: tuple[int, str, Target, str] | None = None
        for key in (word, *deletions(word)):
            for target in near.get(key, ()):
                how = edit(word, bare(target.name))
                if how and _is_long_enough(how, target):
                    how = _told(how, name, target)
                    rank = (_RANKS[how], target.name, target, how)
                    best = rank if best is None else min(best, rank, key=lambda each: each[:2])
        return Resemblance(target=best[2], how=best[3]) if best is not None else None

    def _same(self, word: str, how: str) -> Resemblance | None:
        target = self._alike.get(word)
        return Resemblance(target=target, how=how) if target is not None else None

    def _reworded(self, name: str, word: str, same: str) -> Resemblance | None:
        parts = words(name)
        for rest in _stripped(parts, word):
            if found := self._same(folded(rest), AFFIX_ADDED):
                return found
        if word[-1:].isdigit():
            found = self._same(folded(_NUMBER.sub("", word)), NUMBER_ADDED)
            if found is not None:
                return found
        target = self._shorter.get(same)
        if target is not None:
            return Resemblance(target=target, how=AFFIX_DROPPED)
        target = self._orders.get(" ".join(sorted(parts))) if len(parts) > 1 else None
        return Resemblance(target=target, how=WORD_ORDER) if target is not None else None


_RANKS = {
    how: rank
    for rank, how in enumerate(
        (SCOPE_DROPPED, SEPARATORS, TRANSPOSITION, LOOKALIKE_CHARACTERS, LEFT_OUT, PUT_IN, REPLACED)
    )
}


def bare(name: str) -> str:
    """A name without what separates its words."""
    return name.translate(_GONE)


def folded(word: str) -> str:
    """A bare name with characters that look alike made one: ``0 o``, ``1 i l``, ``m rn`` ..."""
    return word.translate(_FOLDED)


def deletions(word: str) -> list[str]:
    """What a word becomes by leaving out one character."""
    return [word[:place] + word[place + 1 :] for place in range(len(word))]


def edit(word: str, other: str) -> str:
    """How ``word`` is made of ``other`` by one edit, ``SEPARATORS`` if they are equal, else empty.

    One digit in the place of another is no edit: versions of a name (``acme-v1``, ``acme-v2``).
    """
    if word == other:
        return SEPARATORS
    longer = len(word) - len(other)
    if abs(longer) > 1:
        return ""
    first = next((n for n, pair in enumerate(zip(word, other, strict=False)) if pair[0] != pair[1]),
                 min(len(word), len(other)))  # fmt: skip
    if longer == 1:
        return PUT_IN if word[first + 1 :] == other[first:] else ""
    if longer == -1:
        return LEFT_OUT if word[first:] == other[first + 1 :] else ""
    if word[first + 1 :] == other[first + 1 :]:
        return "" if word[first].isdigit() and other[first].isdigit() else REPLACED
    is_swapped = word[first : first + 2] == other[first : first + 2][::-1]
    return TRANSPOSITION if is_swapped and word[first + 2 :] == other[first + 2 :] else ""


def _is_long_enough(how: str, target: Target) -> bool:
    least = {SEPARATORS: MIN_SAME, TRANSPOSITION: MIN_SWAPPED}.get(how, MIN_EDITED)
    return len(bare(target.name)) >= least


def _told(how: str, name: str, target: Target) -> str:
    """The transformation by its narrowest word."""
    if how == SEPARATORS and target.name.startswith("@") and not name.startswith("@"):
        return SCOPE_DROPPED
    if how == REPLACED and folded(bare(name)) == folded(bare(target.name)):
        return LOOKALIKE_CHARACTERS
    return how


def words(name: str) -> list[str]:
    """A name's words, in their order."""
    return name.translate(_SPACED).split()


def _stripped(parts: list[str], word: str) -> list[str]:
    """The bare name without an affix: at the front, at the end, at both."""
    found = []
    if len(parts) > 1:
        has_first, has_last = parts[0] in _FIRST, parts[-1] in _LAST
        if has_first:
            found.append("".join(parts[1:]))
        if has_last:
            found.append("".join(parts[:-1]))
        if has_first and has_last and len(parts) > 2:  # noqa: PLR2004 - something between them
            found.append("".join(parts[1:-1]))
    if word.startswith(_GLUED_FIRST):
        found += [word[len(each) :] for each in _GLUED_FIRST if word.startswith(each)]
    if word.endswith(_GLUED_LAST):
        found += [word[: -len(each)] for each in _GLUED_LAST if word.endswith(each)]
    return found
