"""What ``npm publish`` does to a real verdaccio, seen through a real ``_changes`` feed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.errors import TransientError
from monitor.registries import network as registries
from monitor.registries import targets
from monitor.watchers import WATCHERS
from monitor.watchers import npm as watched
from monitor.watchers.interest import Interest
from monitor.watchers.npm import Known
from tests.watchers.conftest import settings_of

if TYPE_CHECKING:
    from monitor.model import Checkpoint, Page
    from monitor.registries.client_config import Machine
    from monitor.registries.network import Network
    from tests.watch_servers.npm import NpmServer
    from tests.watchers.conftest import PatientClock


def changes(npm: NpmServer, network: Network) -> watched.Changes:
    [watcher] = watched.watch(settings_of(npm), network)
    return watcher


def names(page: Page) -> list[tuple[str, str]]:
    return [(notice.name, notice.action) for notice in page.notices]


async def known(network: Network, name: str) -> Known:
    packument = await watched.packuments(network).fetch(name)
    return Known(versions=frozenset(packument.versions), tags=packument.tags)


async def test_a_publish_is_the_next_page(npm: NpmServer, npm_network: Network) -> None:
    watcher = changes(npm, npm_network)
    start = await watcher.start_position()
    quiet = await watcher.poll(start)
    npm.publish("@acme/seen", "1.0.0")
    page = await watcher.poll(start)
    assert (quiet.notices, quiet.gaps, quiet.checkpoint) == ([], [], start)
    assert names(page) == [("@acme/seen", "changed")]
    assert page.notices[0].revision
    assert page.gaps == []
    assert int(page.checkpoint.position) > int(start.position)
    assert (await watcher.poll(page.checkpoint)).rows == 0


async def test_without_a_checkpoint_the_present_is_taken(
    npm: NpmServer, npm_network: Network
) -> None:
    npm.put("long-there", "1.0.0")
    page = await changes(npm, npm_network).poll(None)
    assert page.notices == []
    assert page.checkpoint == await changes(npm, npm_network).start_position()


async def test_collapsed_publishes_are_told_apart_by_the_versions(
    npm: NpmServer, npm_network: Network
) -> None:
    npm.put("collapsed", "1.0.0")
    before = await known(npm_network, "collapsed")
    watcher = changes(npm, npm_network)
    start = await watcher.start_position()
    for version in ("1.1.0", "1.2.0", "2.0.0-rc.1"):
        npm.put("collapsed", version)
    page = await watcher.poll(start)
    look = watched.packuments(npm_network)
    _, found = await look.look("collapsed", before, revision=page.notices[0].revision)
    assert names(page) == [("collapsed", "changed")]
    assert found.new == ["1.1.0", "1.2.0", "2.0.0-rc.1"]
    assert found.moved_tags == {"latest": ("1.0.0", "1.2.0"), "next": ("", "2.0.0-rc.1")}
    assert not found.is_to_be_rechecked


async def test_tags_move_and_versions_go(npm: NpmServer, npm_network: Network) -> None:
    npm.put("moving", "1.0.0")
    npm.put("moving", "1.1.0")
    watcher = changes(npm, npm_network)
    look = watched.packuments(npm_network)
    before = await known(npm_network, "moving")
    start = await watcher.start_position()
    npm.npm("dist-tag", "add", "moving@1.0.0", "old")
    tagged = await watcher.poll(start)
    _, moved = await look.look("moving", before)
    npm.npm("unpublish", "--force", "moving@1.1.0")
    one = await watcher.poll(tagged.checkpoint)
    _, found = await look.look("moving", before)
    npm.npm("unpublish", "--force", "moving")
    whole = await watcher.poll(one.checkpoint)
    _, gone = await look.look("moving", before)
    assert names(tagged) == [("moving", "changed")]
    assert moved.moved_tags == {"old": ("", "1.0.0")}
    assert names(one) == [("moving", "changed")]
    assert found.gone == ["1.1.0"]
    assert names(whole) == [("moving", "removed")]
    assert gone.is_missing
    assert gone.gone == ["1.0.0", "1.1.0"]


async def test_a_version_that_is_held_back_is_looked_at_again(
    npm: NpmServer, npm_network: Network
) -> None:
    npm.put("held", "1.0.0")
    before = await known(npm_network, "held")
    npm.hold("held", "1.1.0")
    npm.put("held", "1.1.0")
    look = watched.packuments(npm_network)
    _, during = await look.look("held", before)
    npm.free("held", "1.1.0")
    _, after = await look.look("held", before)
    assert (during.new, during.held, during.is_to_be_rechecked) == ([], ["1.1.0"], True)
    assert (after.new, after.held, after.is_to_be_rechecked) == (["1.1.0"], [], False)


async def test_a_record_behind_the_feed_is_looked_at_again(
    npm: NpmServer, npm_network: Network
) -> None:
    npm.put("lagging", "1.0.0")
    before = await known(npm_network, "lagging")
    watcher = changes(npm, npm_network)
    start = await watcher.start_position()
    npm.lag("lagging")
    npm.put("lagging", "1.1.0")
    [notice] = (await watcher.poll(start)).notices
    look = watched.packuments(npm_network)
    _, during = await look.look("lagging", before, revision=notice.revision)
    npm.catch_up("lagging")
    _, after = await look.look("lagging", before, revision=notice.revision)
    assert (during.new, during.is_behind, during.is_to_be_rechecked) == ([], True, True)
    assert (after.new, after.is_behind) == (["1.1.0"], False)


async def test_a_feed_that_began_anew_is_a_gap_and_is_read_from_its_start(
    npm: NpmServer, npm_network: Network
) -> None:
    watcher = changes(npm, npm_network)
    npm.put("before-reset", "1.0.0")
    start = await watcher.start_position()
    assert int(start.position) > 1
    npm.reset_feed()
    npm.put("after-reset", "1.0.0")
    reset = await watcher.poll(start)
    page = await watcher.poll(reset.checkpoint)
    assert [(gap.kind, gap.since) for gap in reset.gaps] == [("serial-reset", start.position)]
    assert reset.checkpoint.position == "0"
    assert names(page) == [("after-reset", "changed")]


async def test_what_is_no_page_is_a_gap_and_the_checkpoint_stands(
    npm: NpmServer, npm_network: Network
) -> None:
    watcher = changes(npm, npm_network)
    start = await watcher.start_position()
    npm.put("behind-a-gap", "1.0.0")
    npm.faults.switch_on("garbage")
    garbage = await watcher.poll(start)
    npm.faults.switch_on("empty-page", times=2)
    empty = await watcher.poll(start)
    good = await watcher.poll(start)
    assert [gap.kind for gap in garbage.gaps + empty.gaps] == ["malformed-page", "empty-page"]
    assert garbage.checkpoint == empty.checkpoint == start
    assert names(good) == [("behind-a-gap", "changed")]


async def test_an_empty_page_between_two_moments_is_asked_for_again(
    npm: NpmServer, npm_network: Network
) -> None:
    watcher = changes(npm, npm_network)
    start = await watcher.start_position()
    npm.put("just-now", "1.0.0")
    npm.faults.switch_on("empty-page")
    page = await watcher.poll(start)
    assert page.gaps == []
    assert names(page) == [("just-now", "changed")]


@pytest.mark.parametrize("kind", ["too-many", "unavailable", "cut", "truncated"])
async def test_a_server_that_stumbles_loses_nothing(
    npm: NpmServer, npm_network: Network, clock: PatientClock, kind: str
) -> None:
    watcher = changes(npm, npm_network)
    start = await watcher.start_position()
    npm.put(f"after-{kind}", "1.0.0")
    npm.faults.switch_on(kind, "_changes", times=3)
    page = await watcher.poll(start)
    assert names(page) == [(f"after-{kind}", "changed")]
    # aiohttp itself asks again once where a connection that was kept open is gone.
    assert clock.sleeps if kind == "cut" else len(clock.sleeps) == 3
    assert all(seconds > 0.2 for seconds in clock.sleeps), "Retry-After: 0 is no leave to hammer"


async def test_a_server_that_is_down_leaves_the_checkpoint(
    npm: NpmServer, npm_network: Network
) -> None:
    watcher = changes(npm, npm_network)
    start = await watcher.start_position()
    npm.put("while-down", "1.0.0")
    npm.faults.switch_on("unavailable", times=5)
    with pytest.raises(TransientError) as caught:
        await watcher.poll(start)
    page = await watcher.poll(start)
    assert caught.value.reason == "http-503"
    assert names(page) == [("while-down", "changed")]


async def test_a_body_that_never_ends_is_given_up(
    npm: NpmServer, machine: Machine, clock: PatientClock
) -> None:
    hurried = settings_of(npm, idle_seconds=2.0)
    async with registries.connect(hurried, machine, clock=clock) as network:
        watcher = changes(npm, network)
        start = await watcher.start_position()
        npm.put("after-the-loris", "1.0.0")
        npm.faults.switch_on("slow-loris", "_changes")
        page = await watcher.poll(start)
    assert names(page) == [("after-the-loris", "changed")]
    assert npm.faults.taken["slow-loris"]


async def test_backfill_reads_the_past_by_name_and_goes_on_where_it_broke_off(
    npm: NpmServer, npm_network: Network, clock: PatientClock
) -> None:
    for name in ("@acme/past-a", "@acme/past-b"):
        npm.put(name, "1.0.0")
        npm.put(name, "1.1.0")
    watcher = changes(npm, npm_network)
    interest = Interest(names=frozenset({"@acme/past-a", "@acme/past-b", "never-was"}))
    everything = [page async for page in watcher.backfill(None, interest)]
    rest = [page async for page in watcher.backfill(None, interest, after="@acme/past-a")]
    future = clock.now() + timedelta(days=365 * 50)
    nothing = [page async for page in watcher.backfill(future, interest)]
    assert [(one.name, one.version, one.action) for page in everything for one in page.notices] == [
        (name, version, "published")
        for name in ("@acme/past-a", "@acme/past-b")
        for version in ("1.0.0", "1.1.0")
    ]
    assert [page.checkpoint.position for page in rest] == ["@acme/past-b", "never-was"]
    assert sum(page.rows for page in nothing) == 0
    assert {page.checkpoint.feed for page in everything} == {"npm/backfill"}


async def test_backfill_finds_names_by_search(npm: NpmServer, npm_network: Network) -> None:
    npm.put("@found/one", "1.0.0")
    interest = Interest(scopes=frozenset({"@found"}))
    pages = [page async for page in changes(npm, npm_network).backfill(None, interest)]
    assert [notice.name for page in pages for notice in page.notices] == ["@found/one"]


async def test_who_owns_a_package(npm: NpmServer, npm_network: Network) -> None:
    repository = {"type": "git", "url": "git+https://git.acme.example/owned.git"}
    author = {"name": "A. Person", "email": "person@acme.example"}
    npm.put("owned", "1.0.0", repository=repository, author=author)
    facts = await WATCHERS["npm"].ownership(settings_of(npm), npm_network, "owned")
    assert facts.repositories == ["git+https://git.acme.example/owned.git"]
    assert "acme.example" in facts.mail_domains


async def test_what_was_seen_can_be_fetched(
    npm: NpmServer, npm_network: Network, machine_folder: str
) -> None:
    watcher = changes(npm, npm_network)
    start: Checkpoint = await watcher.start_position()
    npm.publish("fetched", "1.0.0", {"index.js": "// the very bytes\n"})
    [notice] = (await watcher.poll(start)).notices
    target = targets.parse(f"npm:{notice.name}")
    [release] = await registries.resolve(target, npm_network)
    npm.faults.switch_on("truncated", r"\.tgz")
    fetched = await registries.fetch(release.artifacts[0], npm_network, machine_folder)
    assert fetched.bytes > 0
