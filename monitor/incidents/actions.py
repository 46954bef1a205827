"""What people decide on an incident, what its registry says now, and the end of a snooze."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from monitor.errors import UsageError
from monitor.incidents.identity import event_id
from monitor.model import Incident, IncidentChange, IncidentEvent, IncidentState

if TYPE_CHECKING:
    from datetime import datetime

ACTIONS: dict[str, IncidentState | None] = {
    "acknowledged": IncidentState.ACKNOWLEDGED,
    "snoozed": IncidentState.SNOOZED,
    "resolved": IncidentState.RESOLVED,
    "false-positive": IncidentState.FALSE_POSITIVE,
    "reopened": IncidentState.OPEN,
    "note": None,
}
"""What a person may do (a kind of event), and the state that it leads to (None: stays)."""

_SETTLED = frozenset({IncidentState.RESOLVED, IncidentState.FALSE_POSITIVE})


def acted(
    incident: Incident,
    kind: str,
    *,
    at: datetime,
    actor: str,
    reason: str = "",
    until: datetime | None = None,
) -> IncidentChange:
    """The incident after a person's decision; no event where it stands so already.

    Raises UsageError for an unknown action, a snooze without an end in the future, a judgement
    (``false-positive``) without a reason, and an acknowledgement of what is settled.
    """
    if kind not in ACTIONS:
        raise UsageError(f"there is no action {kind!r}: choose of {', '.join(ACTIONS)}")
    if kind == "snoozed" and (until is None or until <= at):
        raise UsageError("a snooze needs an end in the future")
    if kind == "false-positive" and not reason.strip():
        raise UsageError("say why it is a false positive: whoever sees it next wants to know")
    if kind in {"acknowledged", "snoozed"} and incident.state in _SETTLED:
        raise UsageError(f"{incident.id} is {incident.state.value}: reopen it first")
    state = ACTIONS[kind] or incident.state
    is_same = state is incident.state and until == incident.snoozed_until
    if kind != "note" and is_same:
        return IncidentChange(incident=incident)
    detail = dict(incident.detail)
    detail.pop("settled_at", None)
    if state in _SETTLED:
        detail["settled_at"] = at.isoformat()
    after = replace(
        incident,
        state=state,
        snoozed_until=until if kind == "snoozed" else None,
        note=reason if kind == "note" else incident.note,
        reason=reason if kind != "note" else incident.reason,
        detail=detail if kind != "note" else incident.detail,
    )
    told: dict[str, Any] = {"reason": reason, "before": incident.state.value}
    if until is not None:
        told["until"] = until.isoformat()
    return _change(after, kind, at, actor, told, subject=(at.isoformat(), actor))


def verified(incident: Incident, *, is_present: bool, at: datetime) -> IncidentChange:
    """The incident after a look at its registry. A change is told; the same again is not.

    What was resolved although its bytes are still there is reopened, once: whoever resolves it
    again knows.
    """
    last = incident.last_verified_at
    if last is not None and at <= last:
        return IncidentChange(incident=incident)
    after = replace(incident, is_present=is_present, last_verified_at=at)
    if is_present and incident.state is IncidentState.RESOLVED:
        if incident.is_present and incident.detail.get("is_served_told"):
            return IncidentChange(incident=after)
        reason = "resolved, but the registry still serves it"
        if incident.is_present is False:
            reason = "resolved, and the registry serves it again"
        detail = incident.detail | {"is_served_told": True}
        after = replace(after, state=IncidentState.OPEN, reason=reason, detail=detail)
        return _change(after, "reopened", at, "leakmon", {"reason": reason})
    if incident.is_present is is_present or (incident.is_present is None and is_present):
        return IncidentChange(incident=after)
    kind = "still-present" if is_present else "gone"
    return _change(after, kind, at, "leakmon", {"versions": incident.versions[-20:]})


def taken_down(incident: Incident, *, at: datetime) -> IncidentChange:
    """An incident about a stranger's package, once its registry serves that no longer.

    It is resolved with that; where somebody has settled it already, only the fact is noted.
    """
    gone = replace(incident, is_present=False, last_verified_at=at)
    if incident.state in _SETTLED:
        return IncidentChange(incident=gone)
    reason = "its registry no longer serves the package"
    after = replace(
        gone,
        state=IncidentState.RESOLVED,
        snoozed_until=None,
        reason=reason,
        detail=incident.detail | {"settled_at": at.isoformat()},
    )
    told = {"reason": reason, "before": incident.state.value}
    return _change(after, "resolved", at, "leakmon", told)


def woken(incident: Incident, now: datetime) -> IncidentChange:
    """The incident once its snooze has ended; unchanged before."""
    until = incident.snoozed_until
    if incident.state is not IncidentState.SNOOZED or until is None or now < until:
        return IncidentChange(incident=incident)
    reason = "its snooze has ended"
    after = replace(incident, state=IncidentState.OPEN, snoozed_until=None, reason=reason)
    detail = {"reason": reason, "before": incident.state.value}
    return _change(after, "reopened", now, "leakmon", detail, subject=(until.isoformat(),))


def _change(
    incident: Incident,
    kind: str,
    at: datetime,
    actor: str,
    detail: dict[str, Any],
    *,
    subject: tuple[str, ...] = (),
) -> IncidentChange:
    named = subject or (at.isoformat(),)
    event = IncidentEvent(
        id=event_id(incident.id, kind, *named),
        incident_id=incident.id,
        kind=kind,
        at=at,
        actor=actor,
        detail=detail,
    )
    return IncidentChange(incident=incident, events=[event])
