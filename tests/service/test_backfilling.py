"""The past: what a backfill finds, what it has to leave, and which gaps start one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from monitor.model import Checkpoint, Gap, NpmNames, Organisation, PypiNames
from monitor.service import backfilling
from monitor.service.backfilling import OF_A_GAP
from monitor.service.polling import since_of
from tests.service.conftest import worked, worked_until_idle

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from monitor.service.parts import Parts
    from tests.service.conftest import MovedClock
    from tests.watch_servers.npm import NpmServer
    from tests.watch_servers.pypi import PypiServer

    Opened = Callable[..., AbstractAsyncContextManager[Parts]]

TRIES = 5  # [http] tries


async def begins_now(parts: Parts, *ecosystems: str) -> None:
    """The watch began a day after all that was published."""
    at = parts.clock.now() + timedelta(days=1)
    for ecosystem in ecosystems:
        made = Checkpoint(feed=since_of(ecosystem), position=at.isoformat(), moved_at=at)
        await parts.store.set_checkpoint(made)


async def backfill(parts: Parts, ecosystem: str) -> None:
    await backfilling.ask(ecosystem, None, parts)
    await backfilling.go_on(ecosystem, backfilling.primary(parts)[ecosystem], parts)


async def test_a_project_whose_page_failed_once_is_not_lost(
    opened: Opened, pypi: PypiServer
) -> None:
    pypi.put("acme-fails", "1.0", "s")
    own = Organisation(name="acme", pypi=PypiNames(packages=["acme-fails"]))
    async with opened(None, pypi, [own]) as parts:
        await begins_now(parts, "pypi")
        pypi.faults.switch_on("unavailable", "^/simple/acme-fails/", TRIES)
        await backfill(parts, "pypi")
        assert await parts.store.files("pypi", "acme-fails") == []
        await worked(parts, ["resolve"])
        (file,) = await parts.store.files("pypi", "acme-fails")
        assert file.filename == "acme-fails-1.0.tar.gz"


async def test_a_later_backfill_looks_again_at_what_an_earlier_one_gave_up(
    opened: Opened, pypi: PypiServer
) -> None:
    pypi.put("acme-twice", "1.0", "s")
    own = Organisation(name="acme", pypi=PypiNames(packages=["acme-twice"]))
    async with opened(None, pypi, [own]) as parts:
        await begins_now(parts, "pypi")
        pypi.faults.switch_on("unavailable", "^/simple/acme-twice/", 1000)
        await backfill(parts, "pypi")
        await worked_until_idle(parts, ["resolve"])
        assert (await parts.queue.depth())["resolve"] == {"dead": 1}
        pypi.faults.clear()
        pypi.faults.switch_on("unavailable", "^/simple/acme-twice/", TRIES)
        await backfill(parts, "pypi")
        await worked(parts, ["resolve"])
        assert len(await parts.store.files("pypi", "acme-twice")) == 1
        await backfill(parts, "pypi")  # and what is on record is left alone
        assert await worked(parts, ["resolve"]) == 0


async def test_a_gap_is_looked_at_from_the_last_good_read_on(
    opened: Opened, npm: NpmServer, clock: MovedClock
) -> None:
    npm.put("@acme/gap", "1.0.0")
    own = Organisation(name="acme", npm=NpmNames(scopes=["@acme"]))
    async with opened(npm, None, [own]) as parts:
        read_at = clock.now() - timedelta(minutes=1)
        checkpoint = Checkpoint(feed="npm/changes", position="7", moved_at=read_at)
        await parts.store.set_checkpoint(checkpoint)
        clock.move(days=30)  # down for a month
        await begins_now(parts, "npm")
        await parts.store.gap(Gap(feed="npm/changes", kind="serial-reset", since="7", until="3"))
        (gap,) = await parts.store.gaps()
        assert gap.read_at == read_at
        await backfilling.close_gaps(backfilling.primary(parts), parts)
        assert await parts.store.gaps() == []
        await worked(parts, ["resolve"])
        assert await parts.store.versions("npm", "@acme/gap") == {"1.0.0"}


async def test_what_was_published_long_before_the_gap_is_left_alone(
    opened: Opened, npm: NpmServer, clock: MovedClock
) -> None:
    npm.put("@acme/long-ago", "1.0.0")
    own = Organisation(name="acme", npm=NpmNames(packages=["@acme/long-ago"]))
    async with opened(npm, None, [own]) as parts:
        clock.move(days=30)
        await begins_now(parts, "npm")
        await parts.store.set_checkpoint(
            Checkpoint(feed="npm/changes", position="7", moved_at=clock.now())
        )
        clock.move(seconds=OF_A_GAP.total_seconds())
        await parts.store.gap(Gap(feed="npm/changes", kind="serial-reset"))
        await backfilling.close_gaps(backfilling.primary(parts), parts)
        assert await worked(parts, ["resolve"]) == 0


async def test_many_gaps_start_one_backfill_and_none_while_the_feed_is_broken(
    opened: Opened, npm: NpmServer
) -> None:
    own = Organisation(name="acme", npm=NpmNames(packages=["acme-nothing"]))
    async with opened(npm, None, [own]) as parts:
        for since in ("1", "2", "3"):
            await parts.store.gap(Gap(feed="npm/changes", kind="malformed-page", since=since))
        watchers = backfilling.primary(parts)
        with structlog.testing.capture_logs() as said:
            await backfilling.close_gaps(watchers, parts, {"npm/changes"})
            assert len(await parts.store.gaps()) == 3
            assert said == []
            await backfilling.close_gaps(watchers, parts)
        assert await parts.store.gaps() == []
        assert sum("backfill done" in line["event"] for line in said) == 1


async def test_what_a_second_feed_missed_while_the_first_was_well_is_no_loss(
    opened: Opened, pypi: PypiServer, clock: MovedClock
) -> None:
    own = Organisation(name="acme", pypi=PypiNames(packages=["acme-nothing"]))
    async with opened(None, pypi, [own]) as parts:
        read_at = clock.now()
        checkpoint = Checkpoint(feed="pypi/updates", position="a", moved_at=read_at)
        await parts.store.set_checkpoint(checkpoint)
        watchers = backfilling.primary(parts)
        for minutes, said_times in ((-1, 0), (1, 1)):
            await parts.store.gap(Gap(feed="pypi/updates", kind="no-overlap"))
            well = {"pypi": read_at + timedelta(minutes=minutes)}
            with structlog.testing.capture_logs() as said:
                await backfilling.close_gaps(watchers, parts, (), well)
            assert sum("backfill done" in line["event"] for line in said) == said_times
            assert await parts.store.gaps() == []


async def test_names_that_only_fit_a_glob_are_found_by_the_listing(
    opened: Opened, npm: NpmServer
) -> None:
    for name in ("acmeglob-one", "acmeglob-two", "other-acmeglob", "acmeglo"):
        npm.put(name, "1.0.0")
    own = Organisation(name="acme", npm=NpmNames(packages=["acmeglob-*", "*-acmeglob"]))
    async with opened(npm, None, [own]) as parts:
        await begins_now(parts, "npm")
        await backfill(parts, "npm")
        await worked(parts, ["resolve"])
        found = {name for _, name in await parts.store.owners()}
        assert found == {"acmeglob-one", "acmeglob-two", "other-acmeglob"}
        assert await parts.store.gaps() == []


async def test_a_registry_without_a_listing_is_said_and_stands_on_record(
    opened: Opened, npm: NpmServer, clock: MovedClock
) -> None:
    own = Organisation(name="acme", npm=NpmNames(packages=["acmenolist-*"]))
    npm.has_listing = False
    try:
        async with opened(npm, None, [own]) as parts:
            with structlog.testing.capture_logs() as said:
                await backfill(parts, "npm")
                clock.move(days=1)
                await backfilling.close_gaps(backfilling.primary(parts), parts)
            (gap,) = await parts.store.gaps()
            assert gap.gap.kind == "no-listing"
            assert "acmenolist-*" in gap.gap.detail
            assert [line.get("reason") for line in said] == ["no-listing", None]
            npm.has_listing = True
            await backfill(parts, "npm")
            assert await parts.store.gaps() == []
    finally:
        npm.has_listing = True


async def test_a_search_that_failed_is_tried_again_with_all_that_was_wanted(
    opened: Opened, npm: NpmServer, clock: MovedClock
) -> None:
    own = Organisation(name="acme", npm=NpmNames(scopes=["@acmesearch"]))
    npm.put("@acmesearch/old", "1.0.0")
    async with opened(npm, None, [own]) as parts:
        await begins_now(parts, "npm")
        npm.faults.switch_on("unavailable", "/-/v1/search|_all_docs", 2 * TRIES)
        await backfill(parts, "npm")
        assert {gap.gap.since for gap in await parts.store.gaps()} == {backfilling.ALL}
        watchers = backfilling.primary(parts)
        await backfilling.close_gaps(watchers, parts)
        assert await parts.store.versions("npm", "@acmesearch/old") == set()
        clock.move(hours=2)
        await backfilling.close_gaps(watchers, parts)
        await worked(parts, ["resolve"])
        assert await parts.store.versions("npm", "@acmesearch/old") == {"1.0.0"}
        assert await parts.store.gaps() == []
