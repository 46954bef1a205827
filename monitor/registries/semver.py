"""npm's versions and ranges: Semantic Versioning 2.0.0 and the grammar of node-semver's README."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBER = r"0|[1-9][0-9]{0,15}"
_VERSION = re.compile(
    rf"[v=\s]*({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)
_PARTIAL = re.compile(
    rf"(?P<mark>\^|~>?|[<>]=?|=)?[v=\s]*(?P<major>{_NUMBER}|[xX*])"
    rf"(?:\.(?P<minor>{_NUMBER}|[xX*])(?:\.(?P<patch>{_NUMBER}|[xX*])"
    r"(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?)?)?"
)
_HYPHEN = re.compile(r"\s*(\S+)\s+-\s+(\S+)\s*")
_MAX_RANGE = 256
_WHOLE = 3  # numbers of a whole version


class Version(NamedTuple):
    """A version that compares by precedence (section 11); build metadata does not count."""

    major: int
    minor: int
    patch: int
    rank: tuple[int, tuple[tuple[int, int, str], ...]] = (1, ())

    @property
    def is_prerelease(self) -> bool:
        """Whether it comes before the release of the same number."""
        return self.rank[0] == 0

    @property
    def release(self) -> tuple[int, int, int]:
        """Its three numbers."""
        return (self.major, self.minor, self.patch)


Comparator = tuple[str, Version]
"""An operator (``<``, ``<=``, ``>``, ``>=``, ``=``) and its version."""


def parse(text: str) -> Version | None:
    """The version, or None if this is not one."""
    found = _VERSION.fullmatch(text.strip()) if len(text) <= _MAX_RANGE else None
    if found is None:
        return None
    rank = _rank(found[4])
    if rank is None:
        return None
    return Version(int(found[1]), int(found[2]), int(found[3]), rank)


def _rank(prerelease: str | None) -> tuple[int, tuple[tuple[int, int, str], ...]] | None:
    if not prerelease:
        return (1, ())
    parts = prerelease.split(".")
    if any(not part or (part.isdigit() and len(part) > 1 and part[0] == "0") for part in parts):
        return None
    return (0, tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts))


def max_satisfying(versions: Iterable[str], text: str) -> str | None:
    """The highest version inside the range, or None; ValueError if the range is not one.

    As npm: a pre-release satisfies only a range that itself names one of the same numbers.
    """
    sets = ranges(text)
    best: tuple[Version, str] | None = None
    for candidate in versions:
        version = parse(candidate)
        if version is None or not any(_holds(comparators, version) for comparators in sets):
            continue
        if best is None or version > best[0]:
            best = (version, candidate)
    return best[1] if best else None


def ranges(text: str) -> list[list[Comparator]]:
    """The alternatives (``||``) of a range, each a list of comparators that must all hold."""
    if len(text) > _MAX_RANGE:
        raise ValueError("the range is too long")
    return [_comparators(part) for part in text.split("||")]


def _holds(comparators: list[Comparator], version: Version) -> bool:
    if not all(_compare(operator, version, bound) for operator, bound in comparators):
        return False
    return not version.is_prerelease or any(
        bound.is_prerelease and bound.release == version.release for _, bound in comparators
    )


def _compare(operator: str, version: Version, bound: Version) -> bool:
    if operator == "=":
        return version == bound
    if operator.startswith("<"):
        return version < bound or (operator == "<=" and version == bound)
    return version > bound or (operator == ">=" and version == bound)


def _comparators(text: str) -> list[Comparator]:
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen is not None:
        words = [f">={hyphen[1]}", f"<={hyphen[2]}"]
    else:
        words = re.sub(r"(\^|~>?|[<>]=?|=)\s+", r"\1", text).split()
    # npm drops ">=0.0.0", so such a range also takes a 0.0.0-pre that its other words name.
    found = [comparator for word in words for comparator in _simple(word)]
    return [comparator for comparator in found if comparator != (">=", Version(0, 0, 0))]


def _simple(word: str) -> list[Comparator]:
    """The comparators that one word of a range stands for."""
    found = _PARTIAL.fullmatch(word)
    if found is None:
        raise ValueError(f"{word!r} is not a range of versions")
    numbers: list[int] = []
    for name in ("major", "minor", "patch"):
        part = found[name]
        if part is None or part in "xX*":
            break
        numbers.append(int(part))
    rank = _rank(found["pre"]) if len(numbers) == _WHOLE else (1, ())
    if rank is None:
        raise ValueError(f"{word!r} has a malformed pre-release")
    low = _filled(numbers)._replace(rank=rank)
    mark = (found["mark"] or "=").replace("~>", "~")
    if mark in {"^", "~"} or (mark == "=" and len(numbers) < _WHOLE):
        return _span(mark, numbers, low)
    return _bound(mark, numbers, low)


def _span(mark: str, numbers: list[int], low: Version) -> list[Comparator]:
    """``^1.2``, ``~1.2``, ``1.x``: from low up to the first version that is too new."""
    if not numbers:
        return []
    index = 0
    if mark == "^":
        while index < len(numbers) - 1 and numbers[index] == 0:
            index += 1
    elif mark == "~":
        index = min(1, len(numbers) - 1)
    else:
        index = len(numbers) - 1
    return [(">=", low), ("<", _before(_next(numbers, index)))]


def _bound(mark: str, numbers: list[int], low: Version) -> list[Comparator]:
    """``>1.2`` means from 1.3.0, ``<=1.2`` means below 1.3.0; whole versions mean themselves."""
    if len(numbers) == _WHOLE:
        return [(mark, low)]
    if not numbers:
        return [("<", _before(Version(0, 0, 0)))] if mark in {"<", ">"} else []
    if mark == ">":
        return [(">=", _next(numbers, len(numbers) - 1))]
    if mark == "<=":
        return [("<", _before(_next(numbers, len(numbers) - 1)))]
    return [("<", _before(low))] if mark == "<" else [(mark, low)]


def _next(numbers: list[int], index: int) -> Version:
    """The first version with a higher number at ``index``."""
    return _filled([*numbers[:index], numbers[index] + 1])


def _filled(numbers: list[int]) -> Version:
    """The version with these numbers, zeros behind them."""
    major, minor, patch = [*numbers, 0, 0, 0][:_WHOLE]
    return Version(major, minor, patch)


def _before(version: Version) -> Version:
    """Below every pre-release of this version, as npm's ``-0``."""
    return version._replace(rank=(0, ((0, 0, ""),)))
