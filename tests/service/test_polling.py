"""How the daemon asks feeds: ours first, strangers cheaply, and a feed that fails in peace."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import structlog

from monitor.errors import TransientError
from monitor.http.failures import RetryError
from monitor.model import Checkpoint, Gap, Notice, NpmNames, Organisation, Page, PypiNames
from monitor.service.health import Health
from monitor.service.polling import Feed
from monitor.service.strangers import COOL_DOWN, MOST, Strangers
from monitor.service.watching import Watch
from tests.service.conftest import jobs, worked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from monitor.service.parts import Parts
    from monitor.watchers.interest import Interest
    from tests.service.conftest import MovedClock
    from tests.watch_servers.npm import NpmServer

    Opened = Callable[..., AbstractAsyncContextManager[Parts]]

ACME = Organisation(name="acme", npm=NpmNames(scopes=["@acme"]), domains=["acme.example"])


class Scripted:
    """A feed that answers as it is told: what is raised, or a page."""

    feed = "npm/changes"

    def __init__(self, clock: MovedClock) -> None:
        self.answers: list[Exception | Page] = []
        self.asked_at: list[datetime] = []
        self._clock = clock

    async def start_position(self) -> Checkpoint:
        return Checkpoint(feed=self.feed, position="1", moved_at=self._clock.now())

    async def poll(self, checkpoint: Checkpoint | None, *, limit: int = 0) -> Page:
        del limit
        self.asked_at.append(self._clock.now())
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        assert checkpoint is not None
        return answer or Page(notices=[], checkpoint=checkpoint)

    def backfill(
        self, since: datetime | None, interest: Interest, *, after: str = ""
    ) -> AsyncIterator[Page]:
        raise NotImplementedError


def page(*names: str, position: str = "2", at: datetime) -> Page:
    notices = [
        Notice(ecosystem="npm", name=name, action="changed", position=f"{position}{name}")
        for name in names
    ]
    checkpoint = Checkpoint(feed="npm/changes", position=position, moved_at=at)
    return Page(notices=notices, checkpoint=checkpoint, rows=len(notices))


def asked_to_wait(seconds: float) -> TransientError:
    error = TransientError("busy", reason="http-503")
    error.__cause__ = RetryError("busy", reason="http-503", wait=seconds)
    return error


async def test_ours_go_before_any_number_of_strangers(opened: Opened, clock: MovedClock) -> None:
    async with opened(None, None, [ACME]) as parts:
        watcher = Scripted(clock)
        feed = Feed("npm", watcher, parts, is_primary=True)
        strangers = [f"stranger-{number}" for number in range(2000)]
        watcher.answers = [page(*strangers, "@acme/cli", at=clock.now())]
        await feed.poll()
        (ours,) = await jobs(parts, "resolve")
        assert ours.payload["notice"]["name"] == "@acme/cli"
        asked = await jobs(parts, "stranger")
        assert len(asked) == 2000
        assert all(ours.priority > each.priority for each in asked)


async def test_a_stranger_is_asked_about_once_for_many_changes(
    opened: Opened, clock: MovedClock
) -> None:
    async with opened(None, None, [ACME]) as parts:
        watcher = Scripted(clock)
        feed = Feed("npm", watcher, parts, is_primary=True)
        for number in range(50):
            watcher.answers = [page("noisy", position=str(number + 2), at=clock.now())]
            await feed.poll()
        first, second = await parts.store.unfinished(), await jobs(parts, "stranger")
        assert len(first) == 2, "one look at once, one that sees all the rest"
        assert len(second) == 1, "the other is not due yet"
        clock.move(seconds=COOL_DOWN[0].total_seconds())
        assert len(await jobs(parts, "stranger")) == 1


def test_strangers_cost_less_and_less_and_no_memory_without_end(clock: MovedClock) -> None:
    strangers, now = Strangers(), clock.now()

    def notice(name: str) -> Notice:
        return Notice(ecosystem="npm", name=name, action="changed", position="1")

    looks = []
    for second in range(0, 4 * 3600, 10):
        due_at = strangers.due(notice("noisy"), now + timedelta(seconds=second))
        if due_at is not None:
            looks.append(round((due_at - now).total_seconds()))
    assert looks[:5] == [0, 30, 150, 750, 4350]
    assert len(looks) < 9
    for number in range(MOST + 10):
        strangers.due(notice(str(number)), now)
    assert len(strangers._marks) == MOST


async def test_a_package_that_was_ours_by_its_metadata_is_ours_at_once(
    opened: Opened, npm: NpmServer, clock: MovedClock
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        watcher = Scripted(clock)
        feed = Feed("npm", watcher, parts, is_primary=True)
        npm.put("innocent", "1.0.0", author="A <dev@acme.example>")
        watcher.answers = [page("innocent", at=clock.now())]
        await feed.poll()
        await worked(parts, ["stranger"])
        assert await parts.store.versions("npm", "innocent") == {"1.0.0"}
        watcher.answers = [page("innocent", position="3", at=clock.now())]
        await feed.poll()
        (known,) = await jobs(parts, "resolve")
        assert known.payload["ownership"]["organisation"] == "acme"


async def test_a_stranger_that_cannot_be_seen_yet_is_looked_at_again(
    opened: Opened, npm: NpmServer, clock: MovedClock
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        watcher = Scripted(clock)
        watcher.answers = [page("not-there-yet", at=clock.now())]
        await Feed("npm", watcher, parts, is_primary=True).poll()
        await worked(parts, ["stranger"])
        npm.put("not-there-yet", "1.0.0", author="A <dev@acme.example>")
        clock.move(seconds=31)
        await worked(parts, ["stranger"])
        assert await parts.store.versions("npm", "not-there-yet") == {"1.0.0"}


async def test_a_feed_that_asks_to_be_left_alone_is(opened: Opened, clock: MovedClock) -> None:
    async with opened(None, None, [ACME]) as parts:
        watcher = Scripted(clock)
        feed = Feed("npm", watcher, parts, is_primary=True)
        await feed.poll()
        watcher.answers = [asked_to_wait(3600)]
        for _ in range(3500):
            await feed.poll()
            clock.move(seconds=1)
        assert len(watcher.asked_at) == 2
        (pulse,) = (await parts.store.pulses()).values()
        assert pulse.not_before is not None
        assert pulse.not_before - watcher.asked_at[1] >= timedelta(seconds=3599)
        assert pulse.reason == "http-503"
        clock.move(seconds=200)
        await feed.poll()
        assert len(watcher.asked_at) == 3
        assert feed.is_well


async def test_a_feed_that_fails_is_asked_less_and_less(opened: Opened, clock: MovedClock) -> None:
    async with opened(None, None, [ACME]) as parts:
        watcher = Scripted(clock)
        feed = Feed("npm", watcher, parts, is_primary=True)
        await feed.poll()
        watcher.answers = [TransientError("down", reason="connection") for _ in range(1000)]
        with structlog.testing.capture_logs() as said:
            for _ in range(1800):
                clock.move(seconds=1)
                await feed.poll()
        assert 10 < len(watcher.asked_at) < 20
        assert [line["reason"] for line in said] == ["connection"]


async def test_a_feed_without_sense_is_said_once_and_starts_one_backfill_when_it_is_back(
    opened: Opened, clock: MovedClock
) -> None:
    async with opened(None, None, [ACME]) as parts:
        watcher = Scripted(clock)
        feed = Feed("npm", watcher, parts, is_primary=True)
        await feed.poll()
        standing = Checkpoint(feed="npm/changes", position="1", moved_at=clock.now())
        standing = (await parts.store.checkpoints())["npm/changes"]
        gap = Gap(feed="npm/changes", kind="malformed-page", detail="no JSON", since="1")
        watcher.answers = [Page(notices=[], checkpoint=standing, gaps=[gap]) for _ in range(9)]
        with structlog.testing.capture_logs() as said:
            while watcher.answers:
                await feed.poll()
                assert not feed.is_well
                clock.move(seconds=400)
            await feed.poll()
        assert feed.is_well
        assert [line.get("reason", line["event"]) for line in said] == [
            "malformed-page",
            "npm/changes answers again",
        ]
        assert len(await parts.store.gaps()) == 1


async def test_ready_means_that_the_primary_feeds_answer_now(
    opened: Opened, clock: MovedClock
) -> None:
    async with opened(None, None, [ACME]) as parts:
        watcher = Scripted(clock)
        feed = Feed("npm", watcher, parts, is_primary=True, seconds=5)
        health = Health(parts, lambda: [feed], lambda: False)

        async def ready() -> tuple[int, str]:
            answer = await health.readyz(None)  # type: ignore[arg-type]  # not looked at
            return answer.status, str(answer.text)

        assert await ready() == (503, "npm/changes: no answer yet\n")
        await feed.poll()
        assert await ready() == (200, "ready\n")
        watcher.answers = [TransientError("down", reason="connection") for _ in range(99)]
        await feed.poll()
        assert (await ready())[0] == 200, "one miss is nothing"
        clock.move(seconds=130)
        status, told = await ready()
        assert (status, "no answer for 13" in told, "(connection)" in told) == (503, True, True)
        clock.move(seconds=400)
        watcher.answers = []
        await feed.poll()
        assert (await ready())[0] == 200


@pytest.mark.parametrize(
    ("own", "feeds"),
    [
        (Organisation(name="a", npm=NpmNames(scopes=["@a"])), {"npm/changes"}),
        (
            Organisation(name="a", pypi=PypiNames(packages=["a"])),
            {"pypi/changelog", "pypi/updates", "pypi/listing"},
        ),
        (
            Organisation(name="a", domains=["a.example"]),
            {"npm/changes", "pypi/changelog", "pypi/updates", "pypi/listing"},
        ),
    ],
)
async def test_only_registries_that_somebody_is_on_are_asked(
    opened: Opened, own: Organisation, feeds: set[str]
) -> None:
    async with opened(None, None, [own]) as parts:
        assert {feed.name for feed in Watch(parts, asyncio.Event()).feeds} == feeds
