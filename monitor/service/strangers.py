"""Names which their registry said are not ours: most changes of a feed are of the same few."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.watchers import actions

if TYPE_CHECKING:
    from monitor.model import Notice

FORGET = timedelta(hours=1)
_MOST = 200_000


class Strangers:
    """Known for an hour; who owns a package may change."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], datetime] = {}

    def add(self, ecosystem: str, name: str, now: datetime) -> None:
        """It was looked at."""
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[ecosystem, name] = now

    def has(self, notice: Notice, now: datetime) -> bool:
        """Whether there is no need to look again."""
        at = self._known.get((notice.ecosystem, notice.name))
        return at is not None and now - at < FORGET and notice.action != actions.ROLES_CHANGED
