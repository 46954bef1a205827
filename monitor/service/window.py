"""The window: a program that a newer leakmon has left behind stops, and says why."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from monitor.errors import TransientError
from monitor.service.logs import logger
from monitor.service.supervision import pause
from monitor.store import migrations

if TYPE_CHECKING:
    from monitor.jobs import Queue

EVERY_SECONDS = 30.0
_log = logger()


class Window:
    """Looks now and then whether this program may still work on the database."""

    def __init__(self, url: str, queue: Queue) -> None:
        self._url = url
        self._queue = queue
        self._said: set[str] = set()

    async def loop(self, stopping: asyncio.Event) -> None:
        """Until told to stop. Raises ConfigError once the database lets this program not stay."""
        while not stopping.is_set():
            with suppress(TransientError):  # whoever works on the database says that it is gone
                await self._look()
            await pause(EVERY_SECONDS, stopping)

    async def _look(self) -> None:
        found = await asyncio.to_thread(migrations.working, self._url)
        if found.standing is migrations.Standing.AHEAD:
            self._say(f"the database is of a newer leakmon (schema {found.revision}): working on")
        unreadable = await self._queue.unreadable()
        if unreadable:
            self._say("there are jobs of a newer leakmon: they are left for those who read them")

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            _log.warning(f"{text}; upgrade this one soon", step="work", reason="older")
