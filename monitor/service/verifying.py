"""What the registry still serves: withdrawals on record, and their incidents told of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor import incidents
from monitor.errors import NotFoundError
from monitor.model import IncidentState
from monitor.registries.network import resolve
from monitor.registries.targets import PackageTarget
from monitor.store import IncidentFilter
from monitor.watchers import WATCHERS, actions

if TYPE_CHECKING:
    from monitor.model import Incident, IncidentChange, Release
    from monitor.service.parts import Parts

_STILL_THERE = frozenset({actions.YANKED})
"""A yank takes a file out of the choice of installers; its bytes can be fetched all the same."""


EVERY = timedelta(days=1)
_OPEN = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED, IncidentState.SNOOZED)
_MOST = 1_000
_MOST_VERSIONS = 20


async def gone(
    ecosystem: str, name: str, version: str, filename: str | None, *, action: str, parts: Parts
) -> None:
    """A release or file was taken back (``removed``, ``yanked`` ...). Twice is harmless."""
    changed = await parts.store.withdraw(ecosystem, name, version, filename, action)
    if not changed or action in _STILL_THERE:
        return
    left = {
        past.purl
        for past in await parts.store.history(ecosystem, name, limit=1000)
        if past.withdrawal not in (actions.REMOVED, actions.QUARANTINED)
    }
    for incident in await parts.store.known_incidents(ecosystem, name):
        if version in incident.versions and not left & set(incident.artifacts):
            await _verify(incident, parts, is_present=False)


async def restored(release: Release, parts: Parts) -> None:
    """A release that had been taken back is there again."""
    for incident in await parts.store.known_incidents(release.ecosystem, release.name):
        if release.version in incident.versions:
            await _verify(incident, parts, is_present=True)


async def verify_open(parts: Parts) -> None:
    """Look once a day whether the registry still serves what open incidents are about."""
    now = parts.clock.now()
    for incident in await parts.store.incidents(IncidentFilter(states=_OPEN, limit=_MOST)):
        last = incident.last_verified_at
        if incident.ecosystem in WATCHERS and (last is None or now - last > EVERY):
            await _verify(incident, parts, is_present=await _is_served(incident, parts))


async def _is_served(incident: Incident, parts: Parts) -> bool:
    """Whether any bad version can be had; the newest are asked for first."""
    for version in reversed(incident.versions[-_MOST_VERSIONS:]):
        target = package_target(incident.ecosystem, incident.package, version)
        try:
            (release,) = await resolve(target, parts.network)
        except NotFoundError:
            continue
        if release.version == version:
            return True
    return False


def package_target(ecosystem: str, name: str, version: str) -> PackageTarget:
    """One version of a package, in its ecosystem's words."""
    return PackageTarget(
        text=f"{ecosystem}:{name} {version}",
        ecosystem=ecosystem,
        name=name,
        spec=version if ecosystem == "npm" else f"=={version}",
    )


async def _verify(incident: Incident, parts: Parts, *, is_present: bool) -> None:
    now = parts.clock.now()

    def change(standing: Incident) -> IncidentChange:
        return incidents.verified(standing, is_present=is_present, at=now)

    await parts.store.change_incident(
        incident.id,
        change,
        actor="leakmon",
        action="verified",
        reason="present" if is_present else "gone",
        channels=parts.hearers,
    )
    await parts.wake()
