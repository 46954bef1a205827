"""Shell-style globs over names, compiled once: a feed asks thousands of times for one hit."""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

Meaning = TypeVar("Meaning")

_WILD = re.compile(r"[*?\[]")
_PYPI_RUNS = re.compile(r"[-_.]+")


class Names(Generic[Meaning]):
    """Globs with what each means; of several that fit, the first counts.

    Globs are kept by their first letter, so that most names are done after two look-ups.
    """

    def __init__(self, entries: Iterable[tuple[str, Meaning]]) -> None:
        self._meanings: list[Meaning] = []
        self._exact: dict[str, int] = {}
        wild: dict[str, list[tuple[str, int]]] = {}
        for rank, (glob, meaning) in enumerate(entries):
            self._meanings.append(meaning)
            if _WILD.search(glob):
                first = "" if _WILD.match(glob) else glob[0]
                wild.setdefault(first, []).append((translate(glob), rank))
            else:
                self._exact.setdefault(glob, rank)
        self._buckets = {first: _Bucket(globs) for first, globs in wild.items()}

    def find(self, name: str) -> Meaning | None:
        """What the first fitting glob means, or None."""
        rank = self._exact.get(name, len(self._meanings))
        for first in (name[:1], ""):
            bucket = self._buckets.get(first)
            if bucket is not None and bucket.any_of(name):
                rank = min(rank, bucket.first_of(name))
        return self._meanings[rank] if rank < len(self._meanings) else None


class _Bucket:
    """Globs that begin alike; one expression says whether any of them fits."""

    def __init__(self, globs: list[tuple[str, int]]) -> None:
        self._globs = [(re.compile(pattern), rank) for pattern, rank in globs]
        self.any_of = re.compile("|".join(pattern for pattern, _ in globs)).match

    def first_of(self, name: str) -> int:
        return min(rank for pattern, rank in self._globs if pattern.match(name))


def is_wild(glob: str) -> bool:
    """Whether this is a pattern and no plain name."""
    return _WILD.search(glob) is not None


def plain(ecosystem: str, name: str) -> str:
    """A name or glob as its ecosystem compares it; PyPI takes ``-``, ``_`` and ``.`` for one."""
    lower = name.lower()
    return _PYPI_RUNS.sub("-", lower) if ecosystem == "pypi" else lower
