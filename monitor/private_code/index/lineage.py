"""When the content of a path was first committed, renames followed.

A time that is too late would make an own leak count as public, so whatever is not certain is 0:
unknown, and never before anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.private_code.index.catalogue import Catalogue, Source
    from monitor.private_code.index.repository import Repository


class Lineage:
    """The first commits of a source's paths; its history is read when it is first asked.

    Below the commits ``known`` it was read before: what was found then is in the catalogue.
    """

    def __init__(
        self,
        repository: Repository,
        catalogue: Catalogue,
        source: Source,
        heads: Sequence[str],
        known: Sequence[str],
    ) -> None:
        self._repository = repository
        self._catalogue = catalogue
        self._source = source
        self._heads = heads
        self._known = known
        self._is_whole = not repository.is_shallow()
        self._first: dict[str, int] | None = None

    def first_at(self, path: str) -> int:
        """Unix time in seconds, 0 where it is unknown."""
        if not self._is_whole:
            return 0
        if self._first is None:
            self._first = self._read()
        found = self._first.get(path)
        return self._before(path) if found is None else found

    def _read(self) -> dict[str, int]:
        first: dict[str, int] = {}
        for step in self._repository.steps(self._heads, self._known, is_oldest_first=True):
            at = step.at
            if step.before:
                at = first[step.before] if step.before in first else self._before(step.before)
            first[step.path] = min(first.get(step.path, at), at)
        return first

    def _before(self, path: str) -> int:
        """What an earlier reading found of a path."""
        return self._catalogue.first_commit_at(self._source.id, path)
