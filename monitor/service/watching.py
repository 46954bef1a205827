"""What one process alone does: it polls the feeds, keeps house and delivers."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from monitor.service import backfilling, canaries, pulses, upkeep, verifying
from monitor.service.delivering import Deliveries
from monitor.service.polling import Feed
from monitor.service.reactions import reactions as reactions_of
from monitor.service.schedule import MINUTE, Clockwork, ringing
from monitor.service.supervision import cancelled, first_failure, started
from monitor.store.keys import REPOSITORIES
from monitor.watchers import WATCHERS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from monitor.service.parts import Parts
    from monitor.watchers import Watcher

PULSE_SECONDS = 10.0
SECOND_FEED_SECONDS = 60.0
LISTING_SECONDS = 1800.0


class Watch:
    """The feeds, the clock's work and the channels, from now until told to stop.

    In a cluster there is one for each term of a leader: nothing is remembered from an earlier one.
    """

    def __init__(self, parts: Parts, stopping: asyncio.Event) -> None:
        self.parts = parts
        self.clockwork = Clockwork()
        self._stopping = stopping
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

    async def run(self) -> None:
        """Until told to stop, then to the end of what is in hand; cancelled: at once."""
        await upkeep.reconcile(self.parts)
        parts, stopping = self.parts, self._stopping
        tasks = started(self.loops(), stopping, parts.clock, parts.meters)
        self.clockwork.start()
        try:
            await first_failure(tasks, stopping)
            await asyncio.gather(*tasks)
        finally:
            self.clockwork.stop()
            await cancelled(tasks)

    async def once(self, work: Callable[[], Awaitable[None]]) -> None:
        """Poll every feed to its end, do all ``work`` that is due, deliver."""
        await upkeep.reconcile(self.parts)
        for feed in self.feeds:
            while await feed.poll():
                pass
        await self._backfill()
        await work()
        for channel in self.deliveries.names:
            await self.deliveries.pass_once(channel)

    def loops(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """All loops, by name. Their bells ring once ``clockwork`` is started."""
        parts, stopping = self.parts, self._stopping
        loops: dict[str, Callable[[], Awaitable[None]]] = {}
        for feed in self.feeds:
            bell = self.clockwork.every(interval(feed.name, parts), jitter=0.5)
            work = partial(_all_pages, feed, stopping)
            loops[f"poll {feed.name}"] = partial(ringing, "poll", bell, work, stopping, parts)
        for channel in self.deliveries.names:
            loops[f"deliver {channel}"] = partial(self.deliveries.loop, channel, stopping)
        reactions = reactions_of(parts)
        if reactions is not None and reactions.has_socket:
            loops["react"] = partial(reactions.listen, stopping)
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


def _watchers(parts: Parts) -> dict[str, list[Watcher]]:
    """The feeds of every registry that some organisation is on."""
    return {
        ecosystem: list(registry.watch(parts.registries, parts.network))
        for ecosystem, registry in WATCHERS.items()
        if ecosystem in REPOSITORIES or parts.perimeter.is_on(ecosystem)
    }
