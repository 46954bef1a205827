"""The clockwork: APScheduler triggers, supervised loops work. No job store: nothing is kept."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from apscheduler.schedulers.asyncio import (  # type: ignore[import-untyped]
    AsyncIOScheduler,
)
from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped]

from monitor.errors import LeakmonError
from monitor.service.logs import logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from monitor.service.parts import Parts

_log = logger()


class Bell:
    """Rings on a schedule; one loop listens."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._rung.set()  # once at the start

    def ring(self) -> None:
        """It is time."""
        self._rung.set()

    async def wait(self) -> None:
        """Until it rings; what rang meanwhile counts once."""
        await self._rung.wait()
        self._rung.clear()


class Clockwork:
    """All triggers of the daemon."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    def every(self, seconds: float, *, jitter: float = 0.0) -> Bell:
        """A bell which rings at once and then at this interval, never in step with others."""
        bell = Bell()
        self._scheduler.add_job(
            bell.ring,
            IntervalTrigger(seconds=max(1, round(seconds)), jitter=jitter or None, timezone=UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        return bell

    def start(self) -> None:
        """From now on bells ring."""
        self._scheduler.start()

    def stop(self) -> None:
        """No bell rings any more; what runs goes on."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


async def ringing(
    step: str,
    bell: Bell,
    work: Callable[[], Awaitable[object]],
    stopping: asyncio.Event,
    parts: Parts,
) -> None:
    """Do ``work`` at each ring until it is time to stop; errors of ours are told."""
    ended = asyncio.ensure_future(stopping.wait())
    try:
        while not stopping.is_set():
            rung = asyncio.ensure_future(bell.wait())
            await asyncio.wait({rung, ended}, return_when=asyncio.FIRST_COMPLETED)
            if stopping.is_set():
                rung.cancel()
                return
            try:
                await work()
            except LeakmonError as error:
                parts.intake.saw(error)
                parts.meters.errors.labels(step, error.reason).inc()
                _log.warning(str(error), step=step, reason=error.reason)
    finally:
        ended.cancel()


MINUTE = timedelta(minutes=1).total_seconds()
