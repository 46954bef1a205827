"""Asks CDNs by their listings whether they have what an incident is about; off unless configured.

After a removal at once, else once a day with the look at the registry. Names and versions of the
packages with incidents are told to the CDNs by that, and no file of theirs is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import LeakmonError
from monitor.http.settings import netloc_of
from monitor.incidents import impostors, outliving
from monitor.model import IncidentState
from monitor.registries.cdn import CDNS, listed
from monitor.service.logs import logger

if TYPE_CHECKING:
    from monitor.model import Incident, IncidentChange
    from monitor.service.parts import Parts

MAX_VERSIONS = 5
"""The latest of an incident: they are what people fetch."""

_WATCHED = frozenset(
    {IncidentState.OPEN, IncidentState.ACKNOWLEDGED, IncidentState.SNOOZED, IncidentState.RESOLVED}
)
_log = logger()


async def look(incident: Incident, parts: Parts) -> None:
    """Note what the configured CDNs list of an incident. What hinders one is logged, not raised."""
    if not parts.settings.copies.cdn or not _is_asked_about(incident):
        return
    found: dict[str, outliving.Listing] = {}
    for key, (name, _) in CDNS.items():
        address = str(getattr(parts.settings.copies, key))
        if not address:
            continue
        try:
            found[name] = await _listing(key, address, incident, parts)
        except LeakmonError as error:
            parts.meters.errors.labels("cdn", error.reason).inc()
            _log.info(f"{name}: {error}", step="verify", reason=error.reason)
    if not found:
        return
    now = parts.clock.now()

    def change(standing: Incident) -> IncidentChange:
        return outliving.listed(standing, found, now)

    held = ", ".join(name for name, listing in found.items() if listing.versions)
    await parts.store.change_incident(
        incident.id,
        change,
        actor="leakmon",
        action="cdn-asked",
        reason=held or "nothing listed",
        channels=parts.hearers,
    )
    await parts.wake()


def _is_asked_about(incident: Incident) -> bool:
    is_ours = incident.ecosystem == "npm" and not impostors.is_impostor(incident)
    return is_ours and incident.state in _WATCHED


async def _listing(key: str, address: str, incident: Incident, parts: Parts) -> outliving.Listing:
    """What one CDN has. Raises an error of ours where it does not say."""
    wanted = outliving.files_of(incident)
    versions: list[str] = []
    files: dict[str, None] = {}
    top = address if address.endswith("/") else f"{address}/"
    parts.network.client.guard.allow(netloc_of(top))
    for version in incident.versions[-MAX_VERSIONS:]:
        url = CDNS[key][1](top, incident.package, version)
        paths = await listed(parts.network.client, url, version)
        if paths:
            versions.append(version)
            files |= dict.fromkeys(each for each in wanted if each in paths)
    return outliving.Listing(versions=versions, files=list(files))
