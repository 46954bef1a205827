"""Whether new work may be taken in: not while a disk is full."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.service.logs import logger

if TYPE_CHECKING:
    from monitor.errors import LeakmonError
    from monitor.http.pace import Clock

DISK_FULL = "disk-full"
PAUSE = timedelta(seconds=15)
_log = logger()


class Intake:
    """Closed for a while after each sign of a full disk; said when it closes and when it opens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: datetime | None = None
        self.is_full = False

    def saw(self, error: LeakmonError) -> None:
        """An error came up: a full disk closes the intake."""
        if error.reason != DISK_FULL:
            return
        self._until = self._clock.now() + PAUSE
        if not self.is_full:
            self.is_full = True
            _log.error(f"intake stopped: {error}", step="poll", reason=DISK_FULL)

    def went_well(self) -> None:
        """Something was written: there is room again."""
        if self.is_full:
            self.is_full, self._until = False, None
            _log.warning("there is room again: intake goes on", step="poll")

    @property
    def is_open(self) -> bool:
        """Whether to try: after the pause one attempt shows how things stand."""
        return self._until is None or self._clock.now() >= self._until
