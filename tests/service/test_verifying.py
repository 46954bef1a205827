"""What the registry still serves: one that fails ends no pass, and resolved is looked after."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from monitor import incidents
from monitor.model import IncidentState, NpmNames, Organisation, PypiNames
from monitor.service import verifying
from tests.e2e.daemon import token
from tests.service.conftest import worked
from tests.service.test_resolving import feed_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from monitor.model import Incident, IncidentChange
    from monitor.service.parts import Parts
    from tests.service.conftest import MovedClock
    from tests.watch_servers.npm import NpmServer
    from tests.watch_servers.pypi import PypiServer

    Opened = Callable[..., AbstractAsyncContextManager[Parts]]

ACME = Organisation(name="acme", npm=NpmNames(scopes=["@acme"]))


async def leaked(parts: Parts, npm: NpmServer, *names: str) -> None:
    feed = await feed_of(parts, "npm")
    for name in names:
        files = {".env": f"GITHUB_TOKEN={token(name)}\n"}
        npm.put(name, "1.0.0", files, license="UNLICENSED")
    await feed.poll()
    await worked(parts)


async def test_a_package_that_cannot_be_asked_about_ends_no_pass(
    opened: Opened, npm: NpmServer, clock: MovedClock
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        await leaked(parts, npm, "@acme/v-one", "@acme/v-two", "@acme/v-three")
        clock.move(days=2)
        npm.faults.switch_on("garbage-answer", "v-two", 1000)
        await verifying.verify_open(parts)
        verified = {
            each.package: each.last_verified_at is not None
            for each in await parts.store.incidents()
        }
        assert verified == {"@acme/v-one": True, "@acme/v-two": False, "@acme/v-three": True}
        npm.faults.clear()
        await verifying.verify_open(parts)
        assert all(each.last_verified_at for each in await parts.store.incidents())


async def test_what_was_resolved_and_is_served_all_the_same_is_reopened_once(
    opened: Opened, npm: NpmServer, clock: MovedClock
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        await leaked(parts, npm, "@acme/v-served")

        async def resolve() -> None:
            def change(standing: Incident) -> IncidentChange:
                return incidents.acted(standing, "resolved", at=clock.now(), actor="kim")

            (standing,) = await parts.store.incidents()
            await parts.store.change_incident(standing.id, change, actor="kim", action="resolved")

        async def state() -> IncidentState:
            clock.move(days=2)
            await verifying.verify_open(parts)
            (standing,) = await parts.store.incidents()
            return standing.state

        await resolve()
        assert await state() is IncidentState.OPEN
        await resolve()
        assert await state() is IncidentState.RESOLVED, "whoever resolved it again knew"


def test_what_was_resolved_long_ago_is_left_alone(clock: MovedClock) -> None:
    from tests.contract import samples  # noqa: PLC0415 - only here

    now = clock.now()
    settled = {"settled_at": (now - timedelta(days=3)).isoformat()}
    recent = samples.incident(state=IncidentState.RESOLVED, detail=settled)
    old = replace(recent, detail={"settled_at": (now - timedelta(days=40)).isoformat()})
    assert verifying._is_due(recent, now)
    assert not verifying._is_due(old, now)
    assert not verifying._is_due(replace(recent, cause=incidents.VANISHED), now)


async def test_a_quarantine_and_its_end_are_told_to_the_incidents(
    opened: Opened, pypi: PypiServer, clock: MovedClock
) -> None:
    own = Organisation(name="acme", pypi=PypiNames(packages=["acmeverjail"]))
    async with opened(None, pypi, [own]) as parts:
        feed = await feed_of(parts, "pypi")
        pypi.put("acmeverjail", "1.0", "w")  # a wheel whose RECORD does not list its members
        seen = []
        for change in (None, pypi.quarantine, pypi.clear):
            if change is not None:
                change("acmeverjail")
            await feed.poll()
            await worked(parts)
            clock.move(minutes=1)
            (incident,) = await parts.store.incidents()
            (file,) = await parts.store.files("pypi", "acmeverjail")
            seen.append((incident.is_present, file.withdrawal))
        assert seen == [(None, ""), (False, "quarantined"), (True, "")]
        kinds = [event.kind for event in await parts.store.incident_events(incident.id)]
        assert kinds == ["opened", "gone", "still-present"]
