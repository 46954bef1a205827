"""The daemon: loops around the steps, from the first poll to the drain."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from monitor.service import backfilling, canaries, pulses, upkeep, verifying
from monitor.service.delivering import WORKER, Deliveries
from monitor.service.health import Health, served
from monitor.service.logs import logger
from monitor.service.polling import Feed
from monitor.service.reactions import reactions
from monitor.service.schedule import MINUTE, Clockwork, ringing
from monitor.service.supervision import supervised
from monitor.service.workers import Worker
from monitor.store.keys import REPOSITORIES
from monitor.watchers import WATCHERS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from monitor.service.parts import Parts
    from monitor.watchers import Watcher

PULSE_SECONDS = 10.0
RESOLVERS = 4
STRANGERS = 4
"""Fewer than a host's connections: who asks about strangers leaves room for ours."""

LOOKERS = 2
SECOND_FEED_SECONDS = 60.0
LISTING_SECONDS = 1800.0
_log = logger()


class Daemon:
    """All loops of one process. ``run`` ends after a signal, or when a loop cannot live."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.stopping = asyncio.Event()
        self.clockwork = Clockwork()
        self.feeds = [
            Feed(
                ecosystem,
                watcher,
                parts,
                is_primary=number == 0,
                seconds=interval(watcher.feed, parts),
            )
            for ecosystem, watchers in _watchers(parts).items()
            for number, watcher in enumerate(watchers)
        ]
        self.deliveries = Deliveries(parts)
        self.reactions = reactions(parts)
        count = parts.settings.service.workers or os.cpu_count() or 1
        self.workers = [
            *(
                Worker(f"local/resolve-{n}", ("resolve", "recheck"), parts)
                for n in range(RESOLVERS)
            ),
            *(Worker(f"local/stranger-{n}", ("stranger",), parts) for n in range(STRANGERS)),
            *(Worker(f"local/look-{n}", ("look",), parts) for n in range(LOOKERS)),
            *(Worker(f"local/artifact-{n}", ("artifact",), parts) for n in range(count)),
        ]

    async def run(self) -> None:
        """Work until told to stop; then finish what is in hand, for at most ``drain_seconds``."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        await self._take_over()
        health = Health(self.parts, self.feeds, self.stopping.is_set)
        posted = self.reactions.routes() if self.reactions else ()
        async with served(health, self.parts.settings.service.listen, posted):
            tasks = [
                asyncio.create_task(
                    supervised(name, body, self.stopping, self.parts.clock, self.parts.meters),
                    name=name,
                )
                for name, body in self._loops().items()
            ]
            self.clockwork.start()
            try:
                await self._until_stopped(tasks)
            finally:
                self.clockwork.stop()
                await self._drain(tasks)

    def stop(self) -> None:
        """Begin the drain."""
        if not self.stopping.is_set():
            seconds = self.parts.settings.service.drain_seconds
            _log.info(f"stopping: at most {seconds:.0f} s for what is in hand", step="stop")
        self.stopping.set()

    async def once(self) -> None:
        """Poll every feed, do all work that is due, deliver; then end."""
        await self._take_over()
        for feed in self.feeds:
            while await feed.poll():
                pass
        await self._backfill()
        await asyncio.gather(*(_exhausted(worker) for worker in self.workers))
        for worker in self.workers:
            await _exhausted(worker)
        for channel in self.deliveries.names:
            await self.deliveries.pass_once(channel)

    async def _take_over(self) -> None:
        """The leases of the process before this one, by the same names, are given back."""
        for name in (*(worker.name for worker in self.workers), WORKER):
            await self.parts.queue.release(name)
        await upkeep.reconcile(self.parts)

    def _loops(self) -> dict[str, Callable[[], Awaitable[None]]]:
        parts, stopping = self.parts, self.stopping
        loops: dict[str, Callable[[], Awaitable[None]]] = {}
        for feed in self.feeds:
            bell = self.clockwork.every(interval(feed.name, parts), jitter=0.5)
            work = partial(_all_pages, feed, stopping)
            loops[f"poll {feed.name}"] = partial(ringing, "poll", bell, work, stopping, parts)
        for worker in self.workers:
            loops[worker.name] = partial(worker.loop, stopping)
        for channel in self.deliveries.names:
            loops[f"deliver {channel}"] = partial(self.deliveries.loop, channel, stopping)
        if self.reactions is not None and self.reactions.has_socket:
            loops["react"] = partial(self.reactions.listen, stopping)
        canary_minutes = parts.settings.service.canary_minutes
        timed: list[tuple[str, float, Callable[[], Awaitable[object]]]] = [
            ("reconcile", 5 * MINUTE, partial(upkeep.reconcile, parts)),
            ("retain", 60 * MINUTE, partial(upkeep.retain, parts)),
            ("verify", 60 * MINUTE, partial(verifying.verify_open, parts)),
            ("backfill", MINUTE, self._backfill),
            ("pulse", PULSE_SECONDS, partial(pulses.beat, parts)),
            ("digest", MINUTE, partial(upkeep.gather_digests, parts)),
        ]
        if canary_minutes:
            timed.append(("canary", canary_minutes * MINUTE, partial(canaries.release, parts)))
        for step, seconds, upkept in timed:
            bell = self.clockwork.every(seconds, jitter=seconds / 20)
            loops[step] = partial(ringing, step, bell, upkept, stopping, parts)
        return loops

    async def _backfill(self) -> None:
        watchers = backfilling.primary(self.parts)
        for ecosystem, watcher in watchers.items():
            await backfilling.go_on(ecosystem, watcher, self.parts)
        broken = {feed.name for feed in self.feeds if not feed.is_well}
        well = {
            feed.ecosystem: feed.well_since
            for feed in self.feeds
            if feed.is_primary and feed.well_since is not None
        }
        await backfilling.close_gaps(watchers, self.parts, broken, well)

    async def _until_stopped(self, tasks: list[asyncio.Task[None]]) -> None:
        """A task that fails ends the wait, and its error the process."""
        stop = asyncio.create_task(self.stopping.wait())
        done, _ = await asyncio.wait({stop, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        for task in done - {stop}:
            task.result()

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


def interval(feed: str, parts: Parts) -> float:
    """Seconds between two polls of a feed: the first of a registry at its own pace."""
    registries = parts.settings.registries
    if feed == "npm/changes":
        return registries.npm.poll_seconds
    forges = {
        "github": registries.github.poll_seconds,
        "gitlab": registries.gitlab.poll_seconds,
        "git": registries.git.poll_seconds,
    }
    if feed.partition("/")[0] in forges:
        return forges[feed.partition("/")[0]]
    own = registries.pypi.poll_seconds
    if feed == "pypi/changelog":
        return own
    return max(own, LISTING_SECONDS if feed == "pypi/listing" else SECOND_FEED_SECONDS)


async def _all_pages(feed: Feed, stopping: asyncio.Event) -> None:
    while await feed.poll() and not stopping.is_set():
        pass


async def _exhausted(worker: Worker) -> None:
    while await worker.once():
        pass


def _watchers(parts: Parts) -> dict[str, list[Watcher]]:
    """The feeds of every registry that some organisation is on."""
    return {
        ecosystem: list(registry.watch(parts.registries, parts.network))
        for ecosystem, registry in WATCHERS.items()
        if ecosystem in REPOSITORIES or parts.perimeter.is_on(ecosystem)
    }
