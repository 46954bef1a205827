"""What leaked is recognised in others' packages: by its sources, under names that fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from monitor.alerts import steps
from monitor.config import cache_folder, environment
from monitor.config.settings import Copies
from monitor.model import NpmNames, Organisation, Severity
from monitor.rules import bundled_rules_folder
from monitor.sandbox import Sandbox
from monitor.sandbox import Settings as SandboxSettings
from monitor.service.copies import LOOKED
from monitor.store import IncidentFilter
from tests.private_code import code
from tests.service.conftest import worked, worked_until_idle
from tests.service.test_resolving import feed_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.model import Incident
    from monitor.service.parts import Parts
    from tests.service.test_resolving import Opened
    from tests.watch_servers.npm import NpmServer

SOURCES = {
    f"../src/billing/{name}.ts": code.CLIENT.replace("Invoice", name.title()).replace(
        "this.", f"this.{name}."
    )
    for name in ("ledger", "tariff", "voucher", "escrow")
}
FOREIGN = {"../node_modules/left-pad/index.js": code.other(3)}
FOLLOWING = Copies(follow=True, downloads_per_day=3)


def owner(name: str) -> Organisation:
    return Organisation(name="acme", npm=NpmNames(packages=[name]), lookalikes=False)


def leaking() -> dict[str, str]:
    """A bundle with its map, as a careless build leaves it."""
    found = {**SOURCES, **FOREIGN}
    told = {
        "version": 3,
        "sources": list(found),
        "sourcesContent": list(found.values()),
        "names": [],
        "mappings": "AAAA",
    }
    bundle = "".join(code.minified(text) for text in SOURCES.values())
    return {
        "cli.js": f"{bundle}\n//# sourceMappingURL=cli.js.map\n",
        "cli.js.map": json.dumps(told),
    }


@pytest.fixture(scope="module")
def printing() -> Iterator[Sandbox]:
    settings = SandboxSettings(
        rule_folders=(bundled_rules_folder(),),
        cache_folder=cache_folder(environment()),
        has_prints=True,
    )
    with Sandbox(settings) as made:
        yield made


async def copies(parts: Parts) -> dict[str, Incident]:
    found = await parts.store.incidents(IncidentFilter())
    return {each.package: each for each in found if each.cause.startswith("copy:")}


async def test_republished_sources_are_told_once_as_a_copy(
    opened: Opened, npm: NpmServer, printing: Sandbox
) -> None:
    async with opened(npm, None, [owner("quillpad-cli")], copies=FOLLOWING) as parts:
        parts.sandbox = printing
        feed = await feed_of(parts, "npm")
        npm.put("quillpad-cli", "1.0.0", leaking(), license="UNLICENSED")
        await feed.poll()
        await worked(parts)
        known = await parts.store.incidents(IncidentFilter(package="quillpad-cli"))
        incident = next(each for each in known if each.cause == "source-maps")
        reformatted = {
            f"lib/{number}.ts": "// recovered\n" + text.replace("    ", "\t")
            for number, text in enumerate(SOURCES.values())
        }
        npm.put("quillpad-source", "0.0.1", reformatted, maintainers=[{"name": "mallory"}])
        npm.put("my-quillpad-cli-theme", "1.0.0", {"index.js": code.other(7)})
        npm.put("nothing-of-the-sort", "1.0.0", reformatted)
        npm.put("open-quillpad", "1.0.0", {"index.js": FOREIGN[next(iter(FOREIGN))]})
        parts.clock.move(minutes=2)  # type: ignore[attr-defined]  # it is a MovedClock
        await feed.poll()
        await worked_until_idle(parts)
        found = await copies(parts)
        assert set(found) == {"quillpad-source"}
        copy = found["quillpad-source"]
        assert copy.severity is Severity.CRITICAL
        assert copy.cause == f"copy:{incident.id}"
        assert f"Copy of npm:quillpad-cli ({incident.id})" in copy.title
        assert "4 of the 4 source files" in copy.detail["observations"][0]["reason"]
        assert steps.steps(copy, parts.clock.now())[0].do == "Have it removed"
        looked = await parts.store.count_events(LOOKED, copy.opened_at.replace(year=2020))
        assert looked == 3, "what does not fit by its name is never fetched"
        npm.put("quillpad-source", "0.0.2", reformatted)
        npm.put("quillpad-leaked", "1.0.0", reformatted)
        parts.clock.move(hours=3)  # type: ignore[attr-defined]  # it is a MovedClock
        await feed.poll()
        await worked_until_idle(parts)
        assert set(await copies(parts)) == {"quillpad-source"}, "the day's downloads are used up"
        parts.clock.move(days=2)  # type: ignore[attr-defined]  # it is a MovedClock
        npm.put("quillpad-leaked", "1.0.1", reformatted)
        npm.put("quillpad-source", "0.0.3", reformatted)
        await feed.poll()
        await worked_until_idle(parts)
        assert set(await copies(parts)) == {"quillpad-source", "quillpad-leaked"}
        events = await parts.store.incident_events(copy.id)
        assert [each.kind for each in events] == ["opened"]


async def test_it_ends_after_its_days(opened: Opened, npm: NpmServer, printing: Sandbox) -> None:
    async with opened(npm, None, [owner("brassbell-cli")], copies=FOLLOWING) as parts:
        parts.sandbox = printing
        feed = await feed_of(parts, "npm")
        npm.put("brassbell-cli", "1.0.0", leaking(), license="UNLICENSED")
        await feed.poll()
        await worked(parts)
        parts.clock.move(minutes=2)  # type: ignore[attr-defined]  # it is a MovedClock
        await parts.followed.refresh(parts)
        assert parts.followed.is_wanted("npm", "brassbell-source")
        assert parts.followed.is_wanted("pypi", "brassbell_cli")
        assert not parts.followed.is_wanted("npm", "brass-of-others")
        assert not parts.followed.is_wanted("github", "brassbell-cli")
        parts.clock.move(days=31)  # type: ignore[attr-defined]  # it is a MovedClock
        await parts.followed.refresh(parts)
        assert not parts.followed.is_wanted("npm", "brassbell-source")


async def test_without_being_asked_nothing_is_followed(opened: Opened, npm: NpmServer) -> None:
    async with opened(npm, None, [owner("tidemark-cli")]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("tidemark-cli", "1.0.0", leaking(), license="UNLICENSED")
        await feed.poll()
        await worked(parts)
        parts.clock.move(minutes=2)  # type: ignore[attr-defined]  # it is a MovedClock
        npm.put("tidemark-cli-source", "1.0.0", leaking())
        await feed.poll()
        assert not await worked(parts)
