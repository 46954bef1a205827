"""What a feed's row becomes: also where the registry lags behind, or the thing is gone already."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.incidents import VANISHED
from monitor.model import NpmNames, Organisation, PypiNames, Severity
from monitor.registries import network
from monitor.service import upkeep
from monitor.service.polling import Feed
from monitor.watchers.rechecks import MISSES
from tests.service.conftest import worked, worked_until_idle

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from monitor.model import Incident
    from monitor.service.parts import Parts
    from tests.service.conftest import MovedClock
    from tests.watch_servers.npm import NpmServer
    from tests.watch_servers.pypi import PypiServer

    Opened = Callable[..., AbstractAsyncContextManager[Parts]]

ACME = Organisation(
    name="acme",
    npm=NpmNames(scopes=["@acme"]),
    pypi=PypiNames(packages=["acmeres*"]),
)


async def feed_of(parts: Parts, ecosystem: str) -> Feed:
    """The primary feed, begun now."""
    from monitor.service.backfilling import primary  # noqa: PLC0415 - only here

    feed = Feed(ecosystem, primary(parts)[ecosystem], parts, is_primary=True)
    await feed.start()
    return feed


async def filenames(parts: Parts, name: str) -> dict[str, str]:
    return {each.filename: each.withdrawal for each in await parts.store.files("pypi", name)}


async def only_incident(parts: Parts) -> Incident:
    (incident,) = await parts.store.incidents()
    return incident


async def test_a_wheel_behind_a_stale_page_is_looked_for_until_it_is_there(
    opened: Opened, pypi: PypiServer
) -> None:
    async with opened(None, pypi, [ACME]) as parts:
        feed = await feed_of(parts, "pypi")
        pypi.put("acmeresstale", "1.0", "s")
        await feed.poll()
        await worked(parts, ["resolve"])
        pypi.freeze("acmeresstale")
        await parts.network.client.document(f"{pypi.url}simple/acmeresstale/")
        pypi.put("acmeresstale", "1.0", "w")
        await feed.poll()
        looks = 0
        for seconds in (1, 2, 4, 8):
            looks += await worked(parts, ["resolve"])
            parts.clock.move(seconds=seconds)  # type: ignore[attr-defined]  # it is a MovedClock
        assert looks >= 4
        assert list(await filenames(parts, "acmeresstale")) == ["acmeresstale-1.0.tar.gz"]
        pypi.thaw("acmeresstale")
        moved = await worked_until_idle(parts, ["resolve"])
        assert moved < timedelta(minutes=1), "the sleep doubles from a second on"
        assert len(await filenames(parts, "acmeresstale")) == 2


async def test_a_file_that_goes_before_it_is_looked_at_is_told_as_vanished(
    opened: Opened, pypi: PypiServer
) -> None:
    async with opened(None, pypi, [ACME]) as parts:
        feed = await feed_of(parts, "pypi")
        pypi.put("acmeresgone", "1.0", "s")
        (wheel,) = pypi.put("acmeresgone", "1.0", "w")
        pypi.remove_file(wheel.name)
        await feed.poll()
        await worked(parts, ["resolve"])
        assert await filenames(parts, "acmeresgone") == {
            "acmeresgone-1.0.tar.gz": "",
            wheel.name: "removed",
        }
        await worked(parts, ["artifact"])
        incident = await only_incident(parts)
        assert (incident.cause, incident.severity) == (VANISHED, Severity.MEDIUM)
        assert "vanished before inspection" in incident.title


async def test_a_file_whose_end_was_lost_with_the_journal_is_told_within_minutes(
    opened: Opened, pypi: PypiServer
) -> None:
    """The journal is set back to before the file: its page will never reach the row's serial."""
    async with opened(None, pypi, [ACME]) as parts:
        feed = await feed_of(parts, "pypi")
        (sdist,) = pypi.put("acmereslost", "1.0", "s")
        await feed.poll()
        pypi.remove_file(sdist.name)
        pypi.roll_back(3)  # the release, its file, and that it is gone
        await feed.poll()
        moved = await worked_until_idle(parts, ["resolve"])
        assert timedelta(minutes=2) < moved < timedelta(minutes=10)
        assert await filenames(parts, "acmereslost") == {sdist.name: "removed"}


async def test_a_version_unpublished_before_we_looked_is_told_and_its_return_inspected(
    opened: Opened, npm: NpmServer
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("@acme/brief", "1.0.0")
        npm.put("@acme/brief", "1.0.1", {"index.js": "2;\n"})
        npm.hold("@acme/brief", "1.0.1")  # in the record's times, and not to be had
        await feed.poll()
        moved = await worked_until_idle(parts)
        assert moved >= MISSES[-1], "npm may only be scanning it"
        incident = await only_incident(parts)
        assert (incident.cause, incident.versions) == (VANISHED, ["1.0.1"])
        assert await parts.store.releases("npm", "@acme/brief") == {"1.0.0": "", "1.0.1": "removed"}
        npm.free("@acme/brief", "1.0.1")
        npm.put("@acme/brief", "1.0.2")
        await feed.poll()
        await worked(parts)
        assert (await parts.store.releases("npm", "@acme/brief"))["1.0.1"] == ""
        inspected = [each.version for each in await parts.store.history("npm", "@acme/brief")]
        assert inspected.count("1.0.1") == 2  # once as vanished, once as it is
        await only_incident(parts)


async def test_a_tarball_that_goes_between_notice_and_fetch_is_told_as_vanished(
    opened: Opened, npm: NpmServer
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("@acme/snatched", "1.0.0")
        await feed.poll()
        await worked(parts, ["resolve"])
        npm.faults.switch_on("not-found", r"snatched-1\.0\.0\.tgz", 1000)
        await worked_until_idle(parts)
        incident = await only_incident(parts)
        assert (incident.cause, incident.versions) == (VANISHED, ["1.0.0"])
        assert (await parts.queue.depth())["artifact"] == {"done": 1}


async def test_tags_are_on_record_and_a_moved_one_is_an_event(
    opened: Opened, npm: NpmServer
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("@acme/tags", "1.0.0")
        npm.put("@acme/tags", "1.1.0-rc.1")
        await feed.poll()
        await worked(parts, ["resolve"])
        assert await parts.store.tags("npm", "@acme/tags") == {
            "latest": "1.0.0",
            "next": "1.1.0-rc.1",
        }
        npm.npm("dist-tag", "add", "@acme/tags@1.1.0-rc.1", "latest")
        await feed.poll()
        await worked(parts, ["resolve"])
        assert (await parts.store.tags("npm", "@acme/tags"))["latest"] == "1.1.0-rc.1"
        events = await parts.store.package_events("npm", "@acme/tags")
        assert events[-1].kind == "tag-moved"
        assert events[-1].detail == {"tag": "latest", "before": "1.0.0", "after": "1.1.0-rc.1"}


async def test_a_leak_that_only_the_next_tag_points_to_is_found(
    opened: Opened, npm: NpmServer
) -> None:
    from tests.e2e.daemon import token  # noqa: PLC0415 - only here

    async with opened(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("@acme/nextonly", "1.0.0", license="UNLICENSED")
        files = {".env": f"GITHUB_TOKEN={token('next')}\n"}
        npm.put("@acme/nextonly", "2.0.0-rc.1", files, license="UNLICENSED")
        await feed.poll()
        await worked(parts)
        incident = await only_incident(parts)
        assert (incident.severity, incident.versions) == (Severity.CRITICAL, ["2.0.0-rc.1"])


@pytest.mark.parametrize(
    ("version", "kind"), [("0.0.0-stage", "staged"), ("0.0.1-security", "security-holder")]
)
async def test_placeholders_are_on_record_and_never_fetched(
    opened: Opened, npm: NpmServer, version: str, kind: str
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        name = f"@acme/{kind}"
        npm.put(name, version)
        await feed.poll()
        await worked_until_idle(parts)
        events = await parts.store.package_events("npm", name)
        assert {each.kind for each in events} == {kind, "tag-moved"}
        assert await parts.store.releases("npm", name) == {}
        assert (await parts.queue.depth())["resolve"] == {"done": 1}


Change = tuple[str, str]


@pytest.mark.parametrize("is_recheck", [True, False], ids=["recheck", "listing"])
async def test_what_was_taken_back_unheard_is_seen_on_the_page(
    opened: Opened, pypi: PypiServer, clock: MovedClock, *, is_recheck: bool
) -> None:
    name = f"acmeresquiet{int(is_recheck)}"
    async with opened(None, pypi, [ACME]) as parts:
        feed = await feed_of(parts, "pypi")
        sdist, wheel = pypi.put(name, "1.0")
        await feed.poll()
        await worked(parts, ["resolve"])

        async def looked() -> dict[str, Any]:
            await upkeep.reconcile(parts)
            clock.move(days=2)
            if not is_recheck:
                await parts.store.record_notices("pypi/listing", [_changed(name, clock)])
            await worked(parts, ["resolve", "recheck"])
            return await filenames(parts, name)

        pypi.yank(name, "1.0", is_told=False)
        assert await looked() == {sdist.name: "yanked", wheel.name: "yanked"}
        pypi.unyank(name, "1.0", is_told=False)
        assert await looked() == {sdist.name: "", wheel.name: ""}
        pypi.quarantine(name, is_told=False)
        assert await looked() == {sdist.name: "quarantined", wheel.name: "quarantined"}
        pypi.clear(name, is_told=False)
        assert await looked() == {sdist.name: "", wheel.name: ""}
        pypi.remove_file(wheel.name, is_told=False)
        assert await looked() == {sdist.name: "", wheel.name: "removed"}


def _changed(name: str, clock: MovedClock) -> tuple[Any, Any]:
    from monitor.model import Notice, Ownership  # noqa: PLC0415 - only here

    notice = Notice(ecosystem="pypi", name=name, action="changed", position=clock.now().isoformat())
    return notice, Ownership(organisation="acme", reason="PyPI package acmeres*")


async def test_each_look_of_the_daemon_at_kept_bytes_is_on_record(
    opened: Opened, npm: NpmServer, tmp_path: Path
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("@acme/reread", "1.0.0")
        await feed.poll()
        await worked(parts, ["resolve"])
        (file,) = [each for each in await parts.store.unfinished() if each.kind == "artifact"]
        stored = await parts.store.artifact(int(file.payload["artifact"]))
        path = (await network.fetch(stored.artifact, parts.network, str(tmp_path))).path
        kept = await parts.evidence.put(path)
        await parts.store.fetched(
            stored.artifact_id, evidence_key=kept.key, sha256=kept.sha256, size=kept.size
        )  # and here it was killed
        await worked(parts, ["artifact"])
        (entry,) = await parts.store.audit_log(action="evidence-read")
        assert (entry.actor, entry.subject) == ("leakmon", kept.key)
        assert "cut short" in entry.reason
