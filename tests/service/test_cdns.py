"""A removal does not reach CDNs: what they list is noted, and told once the registry is clean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.alerts import steps
from monitor.config.settings import Copies
from monitor.model import NpmNames, Organisation
from monitor.service import verifying
from tests.service.conftest import worked
from tests.service.test_copies import leaking
from tests.service.test_resolving import feed_of
from tests.watch_servers.cdn import CdnServer, cdn_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.model import Incident
    from monitor.service.parts import Parts
    from tests.service.test_resolving import Opened
    from tests.watch_servers.npm import NpmServer


@pytest.fixture
def cdn() -> Iterator[CdnServer]:
    with cdn_server() as made:
        yield made


async def the_maps(parts: Parts) -> Incident:
    found = await parts.store.incidents()
    return next(each for each in found if each.cause == "source-maps")


async def kinds(parts: Parts, incident: Incident) -> list[tuple[str, bool]]:
    found = await parts.store.incident_events(incident.id)
    return [(each.kind, each.is_told) for each in found if "cdn" in each.kind]


async def test_what_outlives_the_removal_is_told_once_and_its_end_as_well(
    opened: Opened, npm: NpmServer, cdn: CdnServer
) -> None:
    name = "@acmecdn/cli"
    own = Organisation(name="acme", npm=NpmNames(scopes=["@acmecdn"]))
    asked = Copies(cdn=True, jsdelivr=cdn.jsdelivr, unpkg=cdn.unpkg.rstrip("/"))
    async with opened(npm, None, [own], copies=asked) as parts:
        feed = await feed_of(parts, "npm")
        npm.put(name, "1.0.0", leaking(), license="UNLICENSED")
        cdn.kept[f"{name}@1.0.0"] = ["cli.js", "cli.js.map", "package.json"]
        await feed.poll()
        await worked(parts)
        await verifying.verify_open(parts)
        incident = await the_maps(parts)
        assert await kinds(parts, incident) == [("served-by-cdn", False)] * 2, "npm has it, too"
        assert incident.detail["cdn"]["jsDelivr"]["files"] == ["cli.js.map"]
        npm.npm("unpublish", name, "--force")
        parts.clock.move(days=2)  # type: ignore[attr-defined]  # it is a MovedClock
        for _ in range(2):
            await verifying.verify_open(parts)
            parts.clock.move(days=2)  # type: ignore[attr-defined]  # it is a MovedClock
        told = await kinds(parts, incident)
        assert told[2:] == [("served-by-cdn", True)] * 2
        incident = await the_maps(parts)
        first = [each.do for each in steps.steps(incident, parts.clock.now())]
        assert "Ask jsDelivr and unpkg to remove it" in first
        cdn.kept.clear()
        await verifying.verify_open(parts)
        assert (await kinds(parts, incident))[4:] == [("cleared-from-cdn", True)] * 2
        incident = await the_maps(parts)
        assert not any("jsDelivr and" in e.do for e in steps.steps(incident, parts.clock.now()))
    assert cdn.asked
    assert all("structure=flat" in path or "meta" in path for path in cdn.asked), "no file"


async def test_a_cdn_that_does_not_say_hinders_nothing(
    opened: Opened, npm: NpmServer, cdn: CdnServer
) -> None:
    own = Organisation(name="acme", npm=NpmNames(packages=["acmecdnlarge"]))
    asked = Copies(cdn=True, jsdelivr=cdn.jsdelivr, unpkg="")
    async with opened(npm, None, [own], copies=asked) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("acmecdnlarge", "1.0.0", leaking(), license="UNLICENSED")
        cdn.too_large.add("acmecdnlarge@1.0.0")
        await feed.poll()
        await worked(parts)
        await verifying.verify_open(parts)
        incident = await the_maps(parts)
        assert incident.is_present
        assert not incident.detail.get("cdn")
        assert len(cdn.asked) >= 1


async def test_no_cdn_is_asked_unless_that_is_configured(
    opened: Opened, npm: NpmServer, cdn: CdnServer
) -> None:
    own = Organisation(name="acme", npm=NpmNames(packages=["acmecdnoff"]))
    silent = Copies(jsdelivr=cdn.jsdelivr, unpkg=cdn.unpkg)
    async with opened(npm, None, [own], copies=silent) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("acmecdnoff", "1.0.0", leaking(), license="UNLICENSED")
        await feed.poll()
        await worked(parts)
        await verifying.verify_open(parts)
    assert not cdn.asked
