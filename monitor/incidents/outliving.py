"""What CDNs still have of an incident's versions: a removal from the registry does not reach them.

``detail["cdn"]`` holds, by the CDN's name, ``versions`` and ``files`` (at most ten, of those that
the incident is about) that it lists, ``asked_at`` (ISO 8601), and ``is_told``: people know of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from monitor.incidents.identity import event_id
from monitor.incidents.observed import iso
from monitor.model import NESTED, IncidentChange, IncidentEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from monitor.model import Incident

SERVED = "served-by-cdn"
CLEARED = "cleared-from-cdn"
_SHOWN = 3
MAX_FILES = 10


class Listing(Struct, frozen=True, kw_only=True):
    """What one CDN lists: versions, and those of the incident's files that are in them."""

    versions: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def files_of(incident: Incident) -> list[str]:
    """The incident's files as a CDN names them: without npm's folder, the outermost of nested."""
    paths: dict[str, None] = {}
    for seen in incident.detail.get("observations", ()):
        for place in seen.get("places", ()):
            path = str(place.get("path") or "").partition(NESTED)[0]
            paths[path.partition("/")[2] or path] = None
    return [path for path in paths if path]


def known(incident: Incident) -> Mapping[str, Mapping[str, Any]]:
    """What was found at the last look, by the CDN's name."""
    found: Mapping[str, Mapping[str, Any]] = incident.detail.get("cdn", {})
    return {name: told for name, told in found.items() if told.get("versions")}


def told(incident: Incident) -> str:
    """``jsDelivr and unpkg``, or nothing."""
    return " and ".join(sorted(known(incident)))


def listed(incident: Incident, found: Mapping[str, Listing], at: datetime) -> IncidentChange:
    """The incident after a look at CDNs; ``found`` leaves out those that could not be asked.

    That a copy outlives the removal is told, once for each CDN; while the registry itself serves
    it, it is only noted.
    """
    kept = dict(incident.detail.get("cdn", {}))
    is_gone = incident.is_present is False
    made: list[tuple[str, str, Listing, bool]] = []
    for name, listing in found.items():
        before = kept.get(name, {})
        has, had = bool(listing.versions), bool(before.get("versions"))
        was_told = bool(before.get("is_told"))
        if has and (not had or (is_gone and not was_told)):
            made.append((SERVED, name, listing, is_gone))
        elif had and not has:
            made.append((CLEARED, name, listing, was_told))
        kept[name] = {
            "versions": listing.versions[-MAX_FILES:],
            "files": listing.files[:MAX_FILES],
            "asked_at": iso(at),
            "is_told": has and (was_told or is_gone),
        }
    after = replace(incident, detail=incident.detail | {"cdn": kept})
    events = [
        _event(after, kind, name, listing, at, is_told=is_told)
        for kind, name, listing, is_told in made
    ]
    return IncidentChange(incident=after, events=events)


def _event(
    incident: Incident, kind: str, name: str, listing: Listing, at: datetime, *, is_told: bool
) -> IncidentEvent:
    if kind == SERVED:
        reason = f"{name} lists {_some(listing.versions)}"
        if listing.files:
            reason += f" with {_some(listing.files)}"
        reason += ": ask it to remove them" if is_told else ""
    else:
        reason = f"{name} lists none of its versions any more"
    return IncidentEvent(
        id=event_id(incident.id, kind, name, at.isoformat()),
        incident_id=incident.id,
        kind=kind,
        at=at,
        is_told=is_told,
        detail={"reason": reason, "cdn": name, "versions": listing.versions[-MAX_FILES:]},
    )


def _some(words: Sequence[str]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[-_SHOWN:]) + more
