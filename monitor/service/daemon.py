"""The daemon: loops around the steps, from the first poll or job to the drain.

``leakmon watch`` works and watches; on PostgreSQL, where there may be several, one of them watches
at a time. ``leakmon worker`` works only.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from monitor.errors import ConfigError
from monitor.service import learning, pulses, upkeep
from monitor.service.delivering import WORKER
from monitor.service.health import Health, served
from monitor.service.logs import logger
from monitor.service.reactions import reactions
from monitor.service.supervision import first_failure, started
from monitor.service.watching import Watch
from monitor.service.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from monitor.service.leading import Leadership
    from monitor.service.parts import Parts
    from monitor.service.window import Window

RESOLVERS = 4
RESOLVERS_OF_WORKER = 1
"""Each process has its own pace towards a registry: many machines shall not add up."""

STRANGERS = 4
"""Fewer than a host's connections: who asks about strangers leaves room for ours."""

LOOKERS = 2
WORK = ("resolve", "stranger", "look", "recheck", "artifact")
LOCAL = "local"
"""The name of the only process on a database: the next one has it again, and its leases."""

_log = logger()


class Daemon:
    """All loops of one process. ``run`` ends after a signal, or when a loop cannot live.

    ``leadership``: how to come to watch; without one this process does, if ``is_watching``.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        name: str = LOCAL,
        jobs: int = 0,
        is_watching: bool = True,
        leadership: Leadership | None = None,
        window: Window | None = None,
    ) -> None:
        self.parts = parts
        self.stopping = asyncio.Event()
        self.watch: Watch | None = None
        self._is_alone = is_watching and leadership is None
        self._leadership = leadership
        self._window = window
        count = jobs or parts.settings.service.workers or os.cpu_count() or 1
        self.workers = [
            *(
                Worker(f"{name}/resolve-{n}", ("resolve", "recheck"), parts)
                for n in range(RESOLVERS if is_watching else RESOLVERS_OF_WORKER)
            ),
            *(
                Worker(f"{name}/stranger-{n}", ("stranger",), parts)
                for n in range(STRANGERS if is_watching else RESOLVERS_OF_WORKER)
            ),
            *(
                Worker(f"{name}/look-{n}", ("look",), parts)
                for n in range(LOOKERS if is_watching else RESOLVERS_OF_WORKER)
            ),
            *(Worker(f"{name}/artifact-{n}", ("artifact",), parts) for n in range(count)),
        ]

    async def run(self) -> None:
        """Work until told to stop; then finish what is in hand, for at most ``drain_seconds``."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        parts = self.parts
        if self._is_alone:
            await self._take_over()
            self.watch = Watch(parts, self.stopping)
        health = Health(parts, lambda: self.watch.feeds if self.watch else [], self.stopping.is_set)
        asked = reactions(parts)
        posted = asked.routes() if asked else ()
        async with served(health, parts.settings.service.listen, posted):
            tasks = started(self._loops(), self.stopping, parts.clock, parts.meters)
            if self._leadership is not None:
                lead = self._leadership.loop(self._term, self.stopping)
                tasks.append(asyncio.create_task(lead, name="lead"))
            if self.watch is not None:
                self.watch.clockwork.start()
            try:
                await first_failure(tasks, self.stopping)
            finally:
                if self.watch is not None:
                    self.watch.clockwork.stop()
                await self._drain(tasks)

    def stop(self) -> None:
        """Begin the drain."""
        if not self.stopping.is_set():
            seconds = self.parts.settings.service.drain_seconds
            _log.info(f"stopping: at most {seconds:.0f} s for what is in hand", step="stop")
        self.stopping.set()

    async def once(self) -> None:
        """Poll every feed, do all work that is due, deliver; then end."""
        if self._leadership is None:
            await self._take_over()
            await Watch(self.parts, self.stopping).once(self._work_once)
            return
        other = await self._leadership.once(
            lambda led: Watch(led, self.stopping).once(self._work_once)
        )
        if other:
            raise ConfigError(f"another leakmon watch is at work on this database: {other}")

    async def _work_once(self) -> None:
        await asyncio.gather(*(_exhausted(worker) for worker in self.workers))
        for worker in self.workers:
            await _exhausted(worker)
        await learning.settle(self.parts)

    async def _term(self, led: Parts) -> None:
        """The leader's work, for as long as it leads."""
        self.watch = Watch(led, self.stopping)
        try:
            await self.watch.run()
        finally:
            self.watch = None

    async def _take_over(self) -> None:
        """The leases of the process before this one, by the same names, are given back."""
        for name in (*(worker.name for worker in self.workers), WORKER):
            await self.parts.queue.release(name)
        await upkeep.reconcile(self.parts)

    def _loops(self) -> dict[str, Callable[[], Awaitable[None]]]:
        parts, stopping = self.parts, self.stopping
        loops: dict[str, Callable[[], Awaitable[None]]] = {
            worker.name: partial(worker.loop, stopping) for worker in self.workers
        }
        if parts.queue.is_shared:
            kinds = WORK if self._leadership is None else (*WORK, "deliver")
            loops["listen"] = partial(_until, stopping, partial(_listen, kinds, parts))
        if self._window is not None:
            loops["window"] = partial(self._window.loop, stopping)
        if parts.learning is not None:
            loops["learn"] = partial(learning.loop, parts, stopping)
        if self.watch is not None:
            loops |= self.watch.loops()
        return loops

    async def _drain(self, tasks: list[asyncio.Task[None]]) -> None:
        self.stopping.set()
        await self.parts.wake()
        _, late = await asyncio.wait(tasks, timeout=self.parts.settings.service.drain_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(Exception):
            for worker in self.workers:
                await self.parts.queue.release(worker.name)
            await pulses.stop(self.parts)
        if late:
            names = ", ".join(sorted(task.get_name() for task in late))
            _log.warning(f"cut short, to be done after the next start: {names}", step="stop")


async def _listen(kinds: tuple[str, ...], parts: Parts) -> None:
    await parts.queue.listen(kinds, parts.wake)


async def _until(stopping: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
    """Do what never ends until it is time to stop."""
    ended = asyncio.ensure_future(stopping.wait())
    task = asyncio.ensure_future(work())
    try:
        await asyncio.wait({ended, task}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
    finally:
        for each in (ended, task):
            each.cancel()
        await asyncio.gather(ended, task, return_exceptions=True)


async def _exhausted(worker: Worker) -> None:
    while await worker.once():
        pass
