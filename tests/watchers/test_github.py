"""GitHub's lists, sweeps and events, with the limits that GitHub has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import NotFoundError, TargetError, TransientError
from monitor.http.settings import HttpSettings
from monitor.registries import network
from monitor.registries.settings import GithubSettings, NetworkSettings
from monitor.watchers import actions, github, holdings
from monitor.watchers.github import sweep
from monitor.watchers.github.owner import of_rows
from monitor.watchers.interest import Interest
from tests.watch_servers import github as fake

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from monitor.model import Checkpoint, Page
    from monitor.registries.client_config import Machine
    from monitor.watchers import Watcher
    from tests.watchers.conftest import PatientClock

    Connect = Callable[..., AbstractAsyncContextManager[list[Watcher]]]

CORE = ("core", "graphql")


@pytest.fixture
def site(tmp_path: Path, clock: PatientClock) -> Iterator[fake.Github]:
    with fake.running(tmp_path / "github", now=lambda: clock.now().timestamp()) as made:
        yield made


class Watched:
    """The feeds of one place, and the network that they use."""

    def __init__(self, net: network.Network, feeds: list[github.Owner | github.Events]) -> None:
        self.net = net
        self.feeds = feeds
        self.checkpoints: dict[str, Checkpoint] = {}

    async def poll(self, number: int = 0) -> Page:
        feed = self.feeds[number]
        before = self.checkpoints.get(feed.feed) or await feed.start_position()
        page = await feed.poll(before)
        self.checkpoints[feed.feed] = page.checkpoint
        return page

    def told(self, page: Page) -> dict[str, str]:
        return {notice.name: notice.action for notice in page.notices}


@pytest.fixture
async def watched(
    site: fake.Github, machine: Machine, clock: PatientClock
) -> AsyncIterator[Watched]:
    async with network.connect(settings(site), machine, clock=clock) as net:
        yield Watched(net, github.watch(settings(site), net))


@pytest.fixture
async def anonymous(
    site: fake.Github, machine: Machine, clock: PatientClock
) -> AsyncIterator[Watched]:
    told = settings(site, token="")
    async with network.connect(told, machine, clock=clock) as net:
        yield Watched(net, github.watch(told, net))


def settings(
    site: fake.Github, *, token: str = fake.TOKEN, members: bool = False, place: str = "github:acme"
) -> NetworkSettings:
    return NetworkSettings(
        http=HttpSettings(tries=2),
        github=GithubSettings(api=site.url, token=token, members=members),
        repositories=[place],
    )


@pytest.mark.parametrize("has_graphql", [True, False])
async def test_what_is_there_first_is_tracked_and_what_comes_later_is_found(
    site: fake.Github,
    watched: Watched,
    has_graphql: bool,  # noqa: FBT001 - a case
) -> None:
    site.has_graphql = has_graphql
    site.list_only("acme/old")
    site.list_only("other/theirs")
    assert watched.told(await watched.poll()) == {"acme/old": actions.TRACKED}
    assert (await watched.poll()).notices == []
    site.list_only("acme/new")
    site.list_only("acme/fork", is_fork=True)
    site.list_only("acme/secret", is_private=True)
    page = await watched.poll()
    assert watched.told(page) == {"acme/new": actions.FOUND, "acme/fork": actions.TRACKED}
    assert {notice.place for notice in page.notices} == {"github:acme"}
    site.repos["acme/secret"].is_private = False
    site.repos["acme/old"].pushed_at += 5
    told = watched.told(await watched.poll())
    assert told == {"acme/secret": actions.FOUND, "acme/old": actions.CHANGED}
    site.delete("acme/old")
    assert watched.told(await watched.poll()) == {"acme/old": actions.REMOVED}
    assert (await watched.poll()).notices == []


async def test_a_renamed_repository_is_not_found_anew(site: fake.Github, watched: Watched) -> None:
    old = site.list_only("acme/old")
    await watched.poll()
    site.delete("acme/old")
    site.list_only("acme/new").number = old.number
    told = watched.told(await watched.poll())
    assert told == {"acme/new": actions.TRACKED, "acme/old": actions.REMOVED}


async def test_a_sweep_sees_a_release_without_a_push(site: fake.Github, watched: Watched) -> None:
    site.list_only("acme/app")
    await watched.poll()
    site.release("acme/app", "v1", {"app.zip": b"x"})
    assert watched.told(await watched.poll()) == {"acme/app": actions.CHANGED}
    site.repos["acme/app"].releases[0]["assets"].append({})
    assert watched.told(await watched.poll()) == {"acme/app": actions.CHANGED}


@pytest.mark.parametrize("has_graphql", [True, False])
async def test_a_long_list_is_followed_to_its_end(
    site: fake.Github,
    watched: Watched,
    has_graphql: bool,  # noqa: FBT001 - a case
) -> None:
    site.has_graphql = has_graphql
    site.page_size = 7
    for number in range(30):
        site.list_only(f"acme/r{number}")
    assert len((await watched.poll()).notices) == 30
    site.repos["acme/r0"].pushed_at -= 100
    site.delete("acme/r17")
    assert watched.told(await watched.poll()) == {"acme/r17": actions.REMOVED}


async def test_the_same_answer_costs_nothing_of_the_limit(
    site: fake.Github, watched: Watched
) -> None:
    site.has_graphql = False
    site.list_only("acme/app")
    for _ in range(4):
        await watched.poll()
    spent = site.spent["core"]
    for _ in range(20):
        await watched.poll()
    assert site.spent["core"] == spent
    assert [status for _, status in site.asked[-20:]] == [304] * 20
    (account,) = [
        found for (_, name), found in watched.net.client.limits.accounts.items() if name == "core"
    ]
    assert account.unchanged >= 20
    assert account.remaining == site.limits["core"] - spent


async def test_without_a_token_only_the_first_page_is_asked_until_an_hour_has_passed(
    site: fake.Github, anonymous: Watched, clock: PatientClock
) -> None:
    site.page_size = 5
    site.anonymous_limit = 1000
    for number in range(12):
        site.list_only(f"acme/r{number}", pushed_at=clock.now().timestamp() - number)
    assert len((await anonymous.poll()).notices) == 12
    site.asked.clear()
    site.repos["acme/r11"].pushed_at += 100
    site.delete("acme/r8")
    assert anonymous.told(await anonymous.poll()) == {"acme/r11": actions.CHANGED}
    assert len(site.asked) == 1
    clock.time += 3700
    assert anonymous.told(await anonymous.poll()) == {"acme/r8": actions.REMOVED}


async def test_a_spent_limit_is_waited_for_without_asking(
    site: fake.Github, anonymous: Watched, clock: PatientClock
) -> None:
    site.anonymous_limit = 3
    site.list_only("acme/app")
    await anonymous.poll()
    refused = 0
    for _ in range(60):
        clock.time += 30
        try:
            await anonymous.poll()
        except TransientError as error:
            refused += 1
            assert error.reason in {"rate-limited", "http-403"}  # noqa: PT017 - most polls are fine
    assert len(site.asked) <= 4, "it asked although nothing was left"
    assert site.spent["core"] <= 3
    clock.time += 3600
    site.repos["acme/app"].pushed_at += 5
    assert anonymous.told(await anonymous.poll()) == {"acme/app": actions.CHANGED}


async def test_what_is_left_of_a_limit_is_spread_over_the_time(
    site: fake.Github, anonymous: Watched, clock: PatientClock
) -> None:
    site.list_only("acme/app")
    for _ in range(110):  # 55 minutes
        await anonymous.poll()
        clock.time += 30
    assert 30 <= site.spent["core"] <= 60
    assert site.asked[-1][1] != 403


async def test_a_secondary_limit_is_obeyed_and_doubles(
    site: fake.Github, watched: Watched, clock: PatientClock
) -> None:
    site.has_graphql = False
    site.list_only("acme/app")
    await watched.poll()
    site.secondary = 2
    start = clock.time
    with pytest.raises(TransientError):
        await watched.poll()
    (account,) = [
        found for (_, name), found in watched.net.client.limits.accounts.items() if name == "core"
    ]
    assert account.refusals == 2
    assert account.held_until - clock.now().timestamp() == pytest.approx(120, abs=2)
    assert clock.time - start >= 60
    asked = len(site.asked)
    clock.time += 200
    await watched.poll()
    assert account.refusals == 0
    assert len(site.asked) == asked + 1


async def test_a_retry_after_is_obeyed_to_the_second(
    site: fake.Github, watched: Watched, clock: PatientClock
) -> None:
    site.has_graphql = False
    site.list_only("acme/app")
    await watched.poll()
    site.secondary, site.secondary_after = 1, 1800
    with pytest.raises(TransientError, match="left alone for 1800 s"):
        await watched.poll()
    asked = len(site.asked)
    clock.time += 1000
    with pytest.raises(TransientError):
        await watched.poll()
    assert len(site.asked) == asked, "it asked too early"
    clock.time += 790
    clock.sleeps.clear()
    await watched.poll()
    assert clock.sleeps == [pytest.approx(10, abs=1)]


async def test_one_repository_may_come_and_go(
    site: fake.Github, machine: Machine, clock: PatientClock
) -> None:
    told = settings(site, place="github:acme/app")
    async with network.connect(told, machine, clock=clock) as net:
        watched = Watched(net, github.watch(told, net))
        assert (await watched.poll()).notices == []
        site.list_only("acme/app")
        site.list_only("acme/other")
        assert watched.told(await watched.poll()) == {"acme/app": actions.FOUND}
        site.delete("acme/app")
        assert watched.told(await watched.poll()) == {"acme/app": actions.REMOVED}


async def test_a_glob_narrows_an_owner(
    site: fake.Github, machine: Machine, clock: PatientClock
) -> None:
    told = settings(site, place="github:acme/cli-*")
    site.list_only("acme/cli-one")
    site.list_only("acme/Other")
    async with network.connect(told, machine, clock=clock) as net:
        watched = Watched(net, github.watch(told, net))
        assert watched.told(await watched.poll()) == {"acme/cli-one": actions.TRACKED}


async def test_an_owner_that_is_none_is_an_error_and_not_an_empty_list(
    site: fake.Github, machine: Machine, clock: PatientClock
) -> None:
    told = settings(site, place="github:nobody")
    async with network.connect(told, machine, clock=clock) as net:
        watched = Watched(net, github.watch(told, net))
        for _ in range(2):
            with pytest.raises(NotFoundError):
                await watched.poll()
            site.has_graphql = False


async def test_members_and_their_gists_are_watched_if_that_is_wanted(
    site: fake.Github, machine: Machine, clock: PatientClock
) -> None:
    site.kinds["kim"] = "User"
    site.members["acme"] = ["kim"]
    site.list_only("acme/app")
    site.list_only("kim/dotfiles")
    told = settings(site, members=True)
    async with network.connect(told, machine, clock=clock) as net:
        watched = Watched(net, github.watch(told, net))
        page = await watched.poll()
        assert set(watched.told(page)) == {"acme/app", "kim/dotfiles"}
        site.create("kim/gists/aa5a315d61ae9438b18d")
        assert (await watched.poll()).notices == [], "not their turn yet"
        clock.time += 601
        page = await watched.poll()
        assert watched.told(page) == {"kim/gists/aa5a315d61ae9438b18d": actions.FOUND}
        assert page.notices[0].place == "github:acme"
        address = await net.github.gist_address("aa5a315d61ae9438b18d")
        assert address == f"{site.url}kim/gists/aa5a315d61ae9438b18d.git"


async def test_events_hint_at_pushes_and_what_they_threw_away(
    site: fake.Github, watched: Watched, clock: PatientClock
) -> None:
    site.event("acme/app", "PushEvent", {"ref": "refs/heads/main", "before": "a" * 40})
    assert (await watched.poll(1)).notices == [], "the past"
    site.poll_interval = 60
    site.event("acme/app", "PushEvent", {"ref": "refs/heads/main", "before": "b" * 40})
    site.event("acme/app", "PushEvent", {"ref": "../../x", "before": "c" * 40})
    site.event("acme/app", "PushEvent", {"ref": "refs/heads/main", "before": "not an id"})
    site.event("acme/../..", "PushEvent", {"ref": "refs/heads/main", "before": "d" * 40})
    site.event("acme/inside", "PublicEvent", {})
    site.event("acme/app", "WatchEvent", {})
    clock.time += 2
    page = await watched.poll(1)
    assert [(n.name, n.action, n.filename, n.revision) for n in page.notices] == [
        ("acme/app", actions.PUSHED, "refs/heads/main", "b" * 40),
        ("acme/app", actions.PUSHED, None, "c" * 40),
        ("acme/inside", actions.FOUND, None, ""),
    ]
    asked = len(site.asked)
    clock.time += 30
    await watched.poll(1)
    assert len(site.asked) == asked, "X-Poll-Interval was not obeyed"
    clock.time += 31
    await watched.poll(1)
    assert len(site.asked) == asked + 1


async def test_a_backfill_asks_for_the_past_of_what_was_pushed_to_since(
    site: fake.Github, watched: Watched, clock: PatientClock
) -> None:
    now = clock.now()
    site.list_only("acme/new", pushed_at=now.timestamp() - 10)
    site.list_only("acme/old", pushed_at=now.timestamp() - 10_000)
    feed = watched.feeds[0]
    since = holdings.at(holdings.epoch(now) - 100)
    for wanted, names in ((since, ["acme/new"]), (None, ["acme/new", "acme/old"])):
        pages = [page async for page in feed.backfill(wanted, Interest())]
        assert [notice.name for page in pages for notice in page.notices] == names
        assert {notice.action for page in pages for notice in page.notices} == {actions.HISTORY}
        assert pages[-1].checkpoint.position == "acme"
    assert [page async for page in feed.backfill(None, Interest(), after="acme")] == []


async def test_pages_that_go_on_elsewhere_are_refused(
    site: fake.Github, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.has_graphql = False
    site.page_size = 1
    for number in range(3):
        site.list_only(f"acme/r{number}")
    own, site.url = site.url, "http://127.0.0.2:9/"
    with pytest.raises(TargetError) as caught:
        await watched.poll()
    assert caught.value.reason == "bad-address"
    site.url = own
    monkeypatch.setattr("monitor.watchers.github.owner.MAX_PAGES", 2)
    assert len((await watched.poll()).notices) == 2


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=30),
       lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
           st.sampled_from(["full_name", "id", "pushed_at", "private", "fork", "nameWithOwner",
                            "databaseId", "pushedAt", "releases", "nodes", "target", "refs"]),
           inner, max_size=5)))  # fmt: skip
def test_rows_of_any_shape_can_be_read(value: object) -> None:
    rows = [each for each in (value if isinstance(value, list) else [value])
            if isinstance(each, dict)]  # fmt: skip
    for name, one in (of_rows(rows) | sweep.holdings_of(rows)).items():
        assert holdings.is_name(name)
        written = holdings.written({name: one})
        assert holdings.read(written) == {name: one}


@given(st.text(max_size=60))
def test_any_position_is_read_or_refused(text: str) -> None:
    try:
        found = holdings.read(text)
    except ValueError:
        return
    assert found is None or isinstance(found, dict)


NAMES = ["acme/../x", "acme/x y", "-acme/x", "acme//x", "acme/x?y", "acme/x#y", "acme/\x1bx",
         "acme/x%2f..", "", "acme/x\n", "acme:x/y", "acme/" + "x" * 500]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_would_lead_elsewhere_is_none(name: str) -> None:
    assert not holdings.is_name(name)
    assert of_rows([{"full_name": name, "id": 1}]) == {}
