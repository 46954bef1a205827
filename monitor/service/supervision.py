"""Loops that are started anew when they die, and counted; one that cannot live ends the process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from monitor.errors import LeakmonError, UsageError
from monitor.service.logs import logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from monitor.http.pace import Clock
    from monitor.service.meters import Meters

MAX_DEATHS = 6
"""So many in a row, each soon after the start, and the process gives up: its own starter helps."""

LONG_LIFE = 60.0
_MAX_WAIT = 30.0
_log = logger()


class DoomedError(LeakmonError):
    """A loop died again and again."""

    default_reason = "loop-died"


async def supervised(
    name: str,
    loop: Callable[[], Awaitable[None]],
    stopping: asyncio.Event,
    clock: Clock,
    meters: Meters,
) -> None:
    """Run ``loop`` until it ends by itself. Raises DoomedError, or the operator's own mistake."""
    deaths = 0
    while not stopping.is_set():
        started = clock.monotonic()
        try:
            await loop()
        except UsageError:
            raise
        except Exception as error:
            meters.restarts.labels(name).inc()
            deaths = 1 if clock.monotonic() - started > LONG_LIFE else deaths + 1
            _log.exception(f"{name} died", step="supervise", reason=type(error).__name__)
            if deaths >= MAX_DEATHS:
                raise DoomedError(f"{name} died {deaths} times in a row: {error}") from error
            await pause(min(_MAX_WAIT, 0.5 * 2.0**deaths), stopping)
        else:
            return


def started(
    loops: Mapping[str, Callable[[], Awaitable[None]]],
    stopping: asyncio.Event,
    clock: Clock,
    meters: Meters,
) -> list[asyncio.Task[None]]:
    """Each loop as a supervised task of its name."""
    return [
        asyncio.create_task(supervised(name, loop, stopping, clock, meters), name=name)
        for name, loop in loops.items()
    ]


async def first_failure(tasks: Iterable[asyncio.Task[None]], stopping: asyncio.Event) -> None:
    """Until it is time to stop, or a task ends; its error is raised."""
    stop = asyncio.create_task(stopping.wait())
    done, _ = await asyncio.wait({stop, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    for task in done - {stop}:
        task.result()


async def cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    """End tasks at once, whatever they were at."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """Wait so long, or until it is time to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
