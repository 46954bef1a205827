"""What ``twine upload`` does to a real devpi, seen through the feeds that PyPI has."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from monitor.errors import IntegrityError, NotFoundError, TransientError
from monitor.model import Checkpoint, Organisation, PypiNames
from monitor.registries import network as registries
from monitor.registries import targets
from monitor.watchers import WATCHERS
from monitor.watchers import pypi as watched
from monitor.watchers.interest import Interest
from monitor.watchers.outages import Outage, observed
from monitor.watchers.perimeter import Perimeter
from tests.watchers.conftest import settings_of

if TYPE_CHECKING:
    from monitor.model import Page
    from monitor.registries.network import Network
    from monitor.watchers import Watcher
    from tests.watch_servers.pypi import PypiServer
    from tests.watchers.conftest import PatientClock


def feeds(
    pypi: PypiServer, network: Network
) -> tuple[watched.Changelog, watched.Updates, watched.Listing]:
    return watched.watch(settings_of(pypi=pypi), network)


def rows(page: Page) -> list[tuple[str, str | None, str, str | None]]:
    return [(one.name, one.version, one.action, one.filename) for one in page.notices]


async def test_an_upload_is_in_all_three_feeds(pypi: PypiServer, pypi_network: Network) -> None:
    watchers: tuple[Watcher, ...] = feeds(pypi, pypi_network)
    starts = [await watcher.start_position() for watcher in watchers]
    pypi.upload("Acme_Seen", "1.0")
    journal, releases, listing = [
        await watcher.poll(start) for watcher, start in zip(watchers, starts, strict=True)
    ]
    assert rows(journal) == [
        ("acme-seen", None, "created", None),
        ("acme-seen", None, "roles-changed", None),
        ("acme-seen", "1.0", "released", None),
        ("acme-seen", "1.0", "published", "Acme_Seen-1.0-py3-none-any.whl"),
        ("acme-seen", "1.0", "published", "Acme_Seen-1.0.tar.gz"),
    ]
    assert rows(releases) == [("acme-seen", "1.0", "released", None)]
    assert rows(listing) == [("acme-seen", None, "changed", None)]
    for watcher, page in zip(watchers, (journal, releases, listing), strict=True):
        assert page.gaps == []
        assert (await watcher.poll(page.checkpoint)).rows == 0


async def test_a_wheel_added_later_is_a_file_of_its_own(
    pypi: PypiServer, pypi_network: Network
) -> None:
    changelog, updates, _ = feeds(pypi, pypi_network)
    pypi.put("grows", "1.0", "s")
    start, second = await changelog.start_position(), await updates.start_position()
    pypi.put("grows", "1.0", "w")
    page = await changelog.poll(start)
    assert rows(page) == [("grows", "1.0", "published", "grows-1.0-py3-none-any.whl")]
    assert (await updates.poll(second)).notices == [], "which is why the journal comes first"


async def test_what_happens_to_a_release_is_told(pypi: PypiServer, pypi_network: Network) -> None:
    changelog, _, _ = feeds(pypi, pypi_network)
    pypi.put("fated", "1.0")
    start = await changelog.start_position()
    pypi.yank("fated", "1.0")
    pypi.unyank("fated", "1.0")
    pypi.remove_file("fated-1.0.tar.gz")
    pypi.quarantine("fated")
    assert [one.action for one in (await changelog.poll(start)).notices] == [
        "yanked",
        "unyanked",
        "removed",
        "quarantined",
    ]


async def test_a_page_ends_at_its_limit_and_the_next_goes_on(
    pypi: PypiServer, pypi_network: Network
) -> None:
    changelog, _, _ = feeds(pypi, pypi_network)
    start = await changelog.start_position()
    pypi.put("in-pieces", "1.0")
    whole = await changelog.poll(start)
    found, checkpoint = [], start
    while True:
        page = await changelog.poll(checkpoint, limit=2)
        found += page.notices
        checkpoint = page.checkpoint
        if page.rows < 2:
            break
    assert found == whole.notices
    assert checkpoint == whole.checkpoint


async def test_a_serial_that_went_back_is_a_gap_and_nothing_after_it_is_lost(
    pypi: PypiServer, pypi_network: Network
) -> None:
    changelog, _, _ = feeds(pypi, pypi_network)
    pypi.put("soon-forgotten", "1.0")
    start = await changelog.start_position()
    pypi.roll_back(4)
    pypi.journal.write("written-over", "1.0", "new release")
    page = await changelog.poll(start)
    again = await changelog.poll(page.checkpoint)
    assert [gap.kind for gap in page.gaps] == ["serial-reset"]
    assert int(page.checkpoint.position) < int(start.position)
    assert again.notices[-1].name == "written-over"
    pypi.journal.serial += 4


async def test_releases_that_rolled_off_are_a_gap(pypi: PypiServer, pypi_network: Network) -> None:
    _, updates, _ = feeds(pypi, pypi_network)
    pypi.put("rolls", "1.0", "s")
    start = await updates.start_position()
    pypi.window = 2
    for version in ("1.1", "1.2", "1.3"):
        pypi.put("rolls", version, "s")
    page = await updates.poll(start)
    assert [gap.kind for gap in page.gaps] == ["no-overlap"]
    assert [one.version for one in page.notices] == ["1.2", "1.3"]
    assert (await updates.poll(page.checkpoint)).gaps == []


async def test_news_of_a_registry_without_releases_are_no_gap(
    pypi: PypiServer, pypi_network: Network
) -> None:
    _, updates, _ = feeds(pypi, pypi_network)
    start = await updates.start_position()
    pypi.faults.switch_on("empty-page", "rss", 2)
    fresh = replace(start, position="")
    assert (await updates.poll(fresh)).gaps == []
    assert [gap.kind for gap in (await updates.poll(replace(start, position="a"))).gaps] == [
        "empty-page"
    ]


async def test_an_older_body_after_a_newer_tells_nothing_twice(
    pypi: PypiServer, pypi_network: Network
) -> None:
    _, updates, _ = feeds(pypi, pypi_network)
    start = await updates.start_position()
    pypi.put("aged", "1.0", "s")
    first = await updates.poll(start)
    pypi.put("aged", "1.1", "s")
    second = await updates.poll(first.checkpoint)
    pypi.faults.switch_on("older-body")
    older = await updates.poll(second.checkpoint)
    newer = await updates.poll(older.checkpoint)
    assert pypi.faults.taken["older-body"]
    assert [page.rows for page in (first, second, older, newer)] == [1, 1, 0, 0]
    assert older.checkpoint == newer.checkpoint == second.checkpoint
    assert older.gaps == newer.gaps == []


async def test_the_second_feed_is_asked_conditionally(
    pypi: PypiServer, pypi_network: Network
) -> None:
    _, updates, _ = feeds(pypi, pypi_network)
    start = await updates.start_position()
    pypi.put("tagged", "1.0", "s")
    page = await updates.poll(start)
    answers = pypi.unchanged
    quiet = await updates.poll(page.checkpoint)
    assert pypi.unchanged == answers + 1
    assert quiet.checkpoint == page.checkpoint
    # The page was never stored: its checkpoint did not move, so the whole is asked for again.
    assert (await updates.poll(start)).rows == 1


@pytest.mark.parametrize("kind", ["garbage", "empty-page"])
async def test_what_is_no_page_is_a_gap_and_the_checkpoint_stands(
    pypi: PypiServer, pypi_network: Network, kind: str
) -> None:
    found = []
    for watcher in feeds(pypi, pypi_network)[:2]:
        start = await watcher.start_position()
        pypi.put(f"behind-{kind}-{watcher.feed[5:]}", "1.0", "s")
        pypi.faults.switch_on(kind, "since_serial|rss", times=2)
        page = await watcher.poll(start)
        assert page.checkpoint == start
        found += [gap.kind for gap in page.gaps]
        pypi.faults.clear()
        assert (await watcher.poll(start)).notices[-1].name.startswith(f"behind-{kind}")
    assert found == ["malformed-page" if kind == "garbage" else kind] * 2


async def test_the_rate_limit_is_obeyed(
    pypi: PypiServer, pypi_network: Network, clock: PatientClock
) -> None:
    changelog, _, _ = feeds(pypi, pypi_network)
    start = await changelog.start_position()
    pypi.put("limited", "1.0", "s")
    pypi.faults.switch_on("rate-limit", times=2)
    page = await changelog.poll(start)
    assert page.notices[-1].name == "limited"
    assert len(clock.sleeps) == 2
    assert min(clock.sleeps) >= 1.0
    pypi.faults.switch_on("rate-limit", times=5)
    with pytest.raises(TransientError) as caught:
        await changelog.poll(start)
    assert caught.value.reason == "rate-limit"
    state, turn = observed(Outage(), caught.value, clock.now())
    assert turn == "down"
    assert state.not_before == clock.now() + timedelta(seconds=1)


@pytest.mark.parametrize("kind", ["too-many", "unavailable", "cut", "truncated"])
async def test_a_server_that_stumbles_loses_nothing(
    pypi: PypiServer, pypi_network: Network, kind: str
) -> None:
    watchers: tuple[Watcher, ...] = feeds(pypi, pypi_network)[1:]
    starts = [await watcher.start_position() for watcher in watchers]
    pypi.put(f"after-{kind}", "1.0", "s")
    for watcher, start in zip(watchers, starts, strict=True):
        pypi.faults.switch_on(kind, times=3)
        assert (await watcher.poll(start)).notices[-1].name == f"after-{kind}"


async def test_a_file_that_goes_between_notice_and_fetch_is_said_to_be_gone(
    pypi: PypiServer, pypi_network: Network, machine_folder: str
) -> None:
    pypi.put("vanishes", "1.0", "s")
    [release] = await registries.resolve(targets.parse("pypi:vanishes==1.0"), pypi_network)
    pypi.remove_file("vanishes-1.0.tar.gz")
    with pytest.raises(NotFoundError):
        await registries.fetch(release.artifacts[0], pypi_network, machine_folder)
    assert not any(os.scandir(machine_folder))


async def test_bytes_that_are_not_those_announced_are_refused(
    pypi: PypiServer, pypi_network: Network, machine_folder: str
) -> None:
    [built] = pypi.put("altered", "1.0", "s")
    [release] = await registries.resolve(targets.parse("pypi:altered==1.0"), pypi_network)
    [artifact] = release.artifacts
    pypi.faults.switch_on("wrong-digest", "/files/")
    with pytest.raises(IntegrityError):
        await registries.fetch(artifact, pypi_network, machine_folder)
    pypi.faults.switch_on("truncated", "/files/")
    fetched = await registries.fetch(artifact, pypi_network, machine_folder)
    assert fetched.sha256 == hashlib.sha256(built.read_bytes()).hexdigest()


async def test_backfill_lists_files_by_name_and_by_glob(
    pypi: PypiServer, pypi_network: Network, clock: PatientClock
) -> None:
    changelog, _, _ = feeds(pypi, pypi_network)
    pypi.put("past_one", "1.0")
    pypi.put("past_two", "2.0", "s")
    pypi.put("tracked", "3.0", "s")
    ours = Organisation(name="acme", pypi=PypiNames(packages=["past-*"]))
    interest = Perimeter([ours]).interest("pypi", ["Tracked"])
    pages = [page async for page in changelog.backfill(None, interest)]
    rest = [page async for page in changelog.backfill(None, interest, after="past-two")]
    future = clock.now() + timedelta(days=365 * 50)
    nothing = [page async for page in changelog.backfill(future, interest)]
    assert sorted(
        (one.name, str(one.version), str(one.filename)) for page in pages for one in page.notices
    ) == [
        ("past-one", "1.0", "past_one-1.0-py3-none-any.whl"),
        ("past-one", "1.0", "past_one-1.0.tar.gz"),
        ("past-two", "2.0", "past_two-2.0.tar.gz"),
        ("tracked", "3.0", "tracked-3.0.tar.gz"),
    ]
    assert [page.checkpoint.position for page in rest] == ["tracked"]
    assert sum(page.rows for page in nothing) == 0


async def test_backfill_reads_known_names_though_the_listing_fails(
    pypi: PypiServer, pypi_network: Network
) -> None:
    changelog, _, _ = feeds(pypi, pypi_network)
    pypi.put("still-read", "1.0", "s")
    pypi.faults.switch_on("unavailable", "/simple/$", times=5)
    interest = Interest(names=frozenset({"still-read"}))
    pages = [page async for page in changelog.backfill(None, interest)]
    assert [gap.kind for gap in pages[0].gaps] == ["resync"]
    assert [one.name for page in pages for one in page.notices] == ["still-read"]


async def test_who_owns_a_project(pypi: PypiServer, pypi_network: Network) -> None:
    pypi.put("owned", "1.0", "s")
    pypi.own("owned", "acme", "alice")
    facts = await WATCHERS["pypi"].ownership(settings_of(pypi=pypi), pypi_network, "owned")
    ours = Perimeter([Organisation(name="acme", pypi=PypiNames(owners=["acme"]))])
    found = ours.by_metadata(facts)
    assert (facts.organisation, facts.owners) == ("acme", ["alice"])
    assert found is not None
    assert found.reason == "PyPI owner acme"


async def test_a_listing_that_is_cached_is_no_gap(pypi: PypiServer, pypi_network: Network) -> None:
    _, _, listing = feeds(pypi, pypi_network)
    start = await listing.start_position()
    ahead = Checkpoint(feed=start.feed, position="99999999", moved_at=start.moved_at)
    page = await listing.poll(ahead)
    assert (page.checkpoint, page.gaps, page.notices) == (ahead, [], [])
