"""What the registry still serves: withdrawals on record, and their incidents told of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor import incidents
from monitor.errors import LeakmonError, NotFoundError
from monitor.incidents import impostors
from monitor.model import IncidentState
from monitor.registries.network import resolve
from monitor.registries.repository import ECOSYSTEMS
from monitor.service import cdns, imposture
from monitor.service.logs import logger
from monitor.service.resolved import package_target
from monitor.store import IncidentFilter
from monitor.store.artifacts import RESTORED
from monitor.watchers import WATCHERS, actions

if TYPE_CHECKING:
    from monitor.model import Incident, IncidentChange, Release
    from monitor.service.parts import Parts

_log = logger()
_STILL_THERE = frozenset({actions.YANKED})
"""A yank takes a file out of the choice of installers; its bytes can be fetched all the same."""


EVERY = timedelta(days=1)
RESOLVED_FOR = timedelta(days=30)
"""So long after it was resolved an incident is still looked after: it may be served yet."""

_WATCHED = (
    IncidentState.OPEN,
    IncidentState.ACKNOWLEDGED,
    IncidentState.SNOOZED,
    IncidentState.RESOLVED,
)
_MOST = 1_000
_MOST_VERSIONS = 20


async def gone(
    ecosystem: str, name: str, version: str, filename: str | None, *, action: str, parts: Parts
) -> None:
    """A release or file was taken back (``removed``, ``yanked`` ...), or ``restored``.

    Twice is harmless.
    """
    changed = await parts.store.withdraw(ecosystem, name, version, filename, action)
    if not changed or action in _STILL_THERE:
        return
    if action == RESTORED:
        await _there_again(ecosystem, name, version, parts)
        return
    left = {
        past.purl
        for past in await parts.store.history(ecosystem, name, limit=1000)
        if past.withdrawal not in (actions.REMOVED, actions.QUARANTINED)
    }
    for incident in await parts.store.known_incidents(ecosystem, name):
        if incident.cause == incidents.VANISHED:
            continue  # that it is gone is all that it says
        if impostors.is_impostor(incident):
            await _look_after(incident, parts)  # the package may have other versions
            continue
        if version in incident.versions and not left & set(incident.artifacts):
            await verify(incident, parts, is_present=False)


async def restored(release: Release, parts: Parts) -> None:
    """A release that had been taken back is there again."""
    await _there_again(release.ecosystem, release.name, release.version, parts)


async def _there_again(ecosystem: str, name: str, version: str, parts: Parts) -> None:
    for incident in await parts.store.known_incidents(ecosystem, name):
        if version in incident.versions and incident.is_present is False:
            await verify(incident, parts, is_present=True)


async def verify_open(parts: Parts) -> None:
    """Look once a day whether the registry still serves what incidents are about.

    Open ones, and for a while those that were resolved. One that cannot be asked about is counted
    and waits for the next pass; the others go on.
    """
    now = parts.clock.now()
    wanted = IncidentFilter(states=_WATCHED, limit=_MOST)
    due = [each for each in await parts.store.incidents(wanted) if _is_due(each, now)]
    failed = 0
    for incident in due:
        try:
            await _look_after(incident, parts)
        except LeakmonError as error:
            parts.intake.saw(error)
            parts.meters.errors.labels("verify", error.reason).inc()
            failed += 1
            name = f"{incident.ecosystem}:{incident.package}"
            _log.info(f"{name}: {error}", step="verify", reason=error.reason)
    if failed:
        _log.warning(f"{failed} of {len(due)} incidents could not be verified", step="verify")


async def _look_after(incident: Incident, parts: Parts) -> None:
    if not impostors.is_impostor(incident):
        is_present = await _is_served(incident, parts)
        await verify(incident, parts, is_present=is_present)
        if is_present:  # else the CDNs were asked with that
            await cdns.look(incident, parts)
    elif await imposture.still_there(incident.ecosystem, incident.package, parts):
        await verify(incident, parts, is_present=True)
    else:
        await imposture.settle_gone(incident.ecosystem, incident.package, parts)


def _is_due(incident: Incident, now: datetime) -> bool:
    if incident.ecosystem not in WATCHERS or incident.cause == incidents.VANISHED:
        return False
    settled_at = str(incident.detail.get("settled_at", ""))
    if incident.state is IncidentState.RESOLVED and (
        not settled_at or now - datetime.fromisoformat(settled_at) > RESOLVED_FOR
    ):
        return False
    last = incident.last_verified_at
    return last is None or now - last > EVERY


async def _is_served(incident: Incident, parts: Parts) -> bool:
    """Whether any bad version can be had; the newest are asked for first."""
    if incident.ecosystem in ECOSYSTEMS:
        from monitor.service import repositories

        latest = incident.versions[-_MOST_VERSIONS:][::-1]
        return await repositories.is_served(incident.ecosystem, incident.package, latest, parts)
    for version in reversed(incident.versions[-_MOST_VERSIONS:]):
        target = package_target(incident.ecosystem, incident.package, version)
        try:
            (release,) = await resolve(target, parts.network)
        except NotFoundError:
            continue
        if release.version == version:
            return True
    return False


async def verify(incident: Incident, parts: Parts, *, is_present: bool) -> None:
    """Note what the registry said of an incident's bytes; a change is told."""
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
    if not is_present:
        await cdns.look(incident, parts)
