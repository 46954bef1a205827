"""The names of ours that strangers' names in the feeds are held against, as far as known by now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.watchers.perimeter import Lookalikes, Target, plain

if TYPE_CHECKING:
    from monitor.service.parts import Parts
    from monitor.watchers.perimeter import Perimeter, Resemblance

FRESH = timedelta(minutes=5)
"""For so long the names on record are not read again."""


class Suspects:
    """The names of ours, as far as they are known by now. One for the whole process."""

    def __init__(self, perimeter: Perimeter) -> None:
        self._perimeter = perimeter
        self._tracked: frozenset[tuple[str, Target]] = frozenset()
        self._index = perimeter.lookalikes()
        self._read_at: datetime | None = None

    def find(self, ecosystem: str, name: str) -> Resemblance | None:
        """See ``Lookalikes.find``."""
        return self._index.find(ecosystem, name)

    @property
    def index(self) -> Lookalikes:
        """What is known now."""
        return self._index

    async def refresh(self, parts: Parts) -> None:
        """Take up the packages that came on record since, if the last look is a while ago."""
        now = parts.clock.now()
        if self._read_at is not None and now - self._read_at < FRESH:
            return
        tracked = frozenset(
            (
                each.ecosystem,
                Target(
                    name=plain(each.ecosystem, each.name),
                    organisation=each.organisation,
                    since=each.since,
                ),
            )
            for each in await parts.store.tracked_names()
        )
        if tracked != self._tracked:
            self._index = self._perimeter.lookalikes(sorted(tracked, key=_order))
            self._tracked = tracked
        self._read_at = now


def _order(entry: tuple[str, Target]) -> tuple[str, str, str]:
    return entry[0], entry[1].organisation, entry[1].name
