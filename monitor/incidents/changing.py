"""How a settled report opens incidents and moves those that are known."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from monitor.incidents import merging
from monitor.incidents.causes import causes
from monitor.incidents.identity import event_id, incident_id
from monitor.incidents.observed import observation
from monitor.model import Incident, IncidentChange, IncidentEvent, IncidentState, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.incidents.causes import Cause
    from monitor.incidents.observed import Earlier
    from monitor.model import Artifact, Release, TargetReport

MAX_TOLD = 25
"""Versions of one incident that are told one by one; all are recorded."""

_SETTLED = frozenset({IncidentState.RESOLVED, IncidentState.FALSE_POSITIVE})


def changes(
    report: TargetReport,
    artifact: Artifact,
    organisation: str,
    known: Sequence[Incident],
    now: datetime,
    *,
    history: Sequence[Earlier] = (),
    release: Release | None = None,
    min_severity: Severity = Severity.MEDIUM,
) -> list[IncidentChange]:
    """What the report on one artifact means for the incidents of its package.

    ``known`` are the incidents of this ecosystem and package, whatever their state; ``history``
    are its artifacts that were inspected in full (with or without this one), of which the last
    clean version, the usual size and the novelty are told. Fingerprints of secrets are taken as
    they are: hand over the keyed ones. Incidents that stay as they are, are left out.
    """
    by_id = {each.id: each for each in known}
    made: list[IncidentChange] = []
    for cause in causes(report, min_severity):
        name = incident_id(artifact.ecosystem, artifact.name, cause.name)
        seen = observation(cause, report, artifact, now, release=release, history=history)
        before = by_id.pop(name, None)
        blank = before or _blank(name, cause, artifact, organisation, now)
        after = merging.with_history(merging.with_observation(blank, seen, now), history)
        made.append(_opened(after, seen, now) if before is None else _moved(before, after, seen))
    for before in by_id.values():  # not in this artifact: it may be the last clean one
        after = merging.with_history(before, history)
        made.append(IncidentChange(incident=after))
    unchanged = {id(each) for each in made if not each.events and each.incident in known}
    return [each for each in made if id(each) not in unchanged]


def _blank(
    name: str, cause: Cause, artifact: Artifact, organisation: str, now: datetime
) -> Incident:
    return Incident(
        id=name,
        organisation=organisation,
        ecosystem=artifact.ecosystem,
        package=artifact.name,
        cause=cause.name,
        title="",
        severity=cause.severity,
        opened_at=now,
        first_seen_at=now,
    )


def _opened(incident: Incident, seen: dict[str, Any], now: datetime) -> IncidentChange:
    event = IncidentEvent(
        id=event_id(incident.id, "opened"),
        incident_id=incident.id,
        kind="opened",
        at=now,
        detail=_about(seen) | {"severity": incident.severity.value},
    )
    return IncidentChange(incident=incident, events=[event])


def _moved(before: Incident, after: Incident, seen: dict[str, Any]) -> IncidentChange:
    """The events between two standings of an incident; the state moves with them."""
    at = datetime.fromisoformat(seen["seen_at"])
    is_worse = after.severity > before.severity
    is_new = seen["purl"] not in before.artifacts
    is_new_version = seen["version"] not in before.versions
    if before.state in _SETTLED and (
        is_worse or (is_new and before.state is IncidentState.RESOLVED)
    ):
        return _reopened(before, after, seen, at)
    events: list[IncidentEvent] = []
    if is_new_version:
        is_told = not _is_quiet(before, at) and _is_worth_telling(len(after.versions))
        events.append(_event(after, "version-added", at, seen, seen["version"], is_told=is_told))
    elif is_new:
        detail = {"what": "artifact-added"}
        events.append(_event(after, "note", at, seen, seen["purl"], is_told=False, detail=detail))
    if is_worse:
        detail = {"before": before.severity.value, "severity": after.severity.value}
        events.append(_event(after, "escalated", at, seen, after.severity.value, detail=detail))
        if before.state is IncidentState.SNOOZED:
            after = replace(after, state=IncidentState.OPEN, snoozed_until=None)
    return IncidentChange(incident=after, events=events)


def _reopened(
    before: Incident, after: Incident, seen: dict[str, Any], at: datetime
) -> IncidentChange:
    was = "resolved" if before.state is IncidentState.RESOLVED else "judged a false positive"
    settled_at = str(before.detail.get("settled_at", ""))
    published = str(seen["published_at"] or "")
    if after.severity > before.severity:
        reason = (
            f"{after.severity.value} in {seen['version']}; it was {was} at {before.severity.value}"
        )
    elif settled_at and published and published <= settled_at:
        reason = f"also in {seen['version']}, published before it was {was}"
    else:
        reason = f"back in {seen['version']}, after it was {was}"
    after = replace(after, state=IncidentState.OPEN, reason=reason, snoozed_until=None)
    detail = {"reason": reason, "before": before.state.value}
    event = _event(after, "reopened", at, seen, seen["purl"], settled_at, detail=detail)
    return IncidentChange(incident=after, events=[event])


def _is_worth_telling(versions: int) -> bool:
    """A backfill may add hundreds of versions: then only every twenty-fifth is told."""
    return versions <= MAX_TOLD or versions % MAX_TOLD == 0


def _is_quiet(incident: Incident, at: datetime) -> bool:
    if incident.state is IncidentState.FALSE_POSITIVE:
        return True
    is_snoozed = incident.state is IncidentState.SNOOZED
    return is_snoozed and (incident.snoozed_until is None or at < incident.snoozed_until)


def _event(
    incident: Incident,
    kind: str,
    at: datetime,
    seen: dict[str, Any],
    *subject: str,
    is_told: bool = True,
    detail: dict[str, Any] | None = None,
) -> IncidentEvent:
    return IncidentEvent(
        id=event_id(incident.id, kind, *subject),
        incident_id=incident.id,
        kind=kind,
        at=at,
        is_told=is_told,
        detail=_about(seen) | (detail or {}),
    )


def _about(seen: dict[str, Any]) -> dict[str, Any]:
    return {key: seen[key] for key in ("version", "purl", "published_at", "reason")}
