"""What is told of an event, in words for any channel that has no layout of its own.

Every text is on one line, without control characters and bounded; escaping for a markup is the
channel's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from monitor.alerts import steps
from monitor.report.text import count, prose, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monitor.model import Digest, Incident, IncidentEvent, Outgoing

MAX_SUBJECT = 180
MAX_TEXT = 600
MAX_PLACES = 10
_VERSIONS = 8

_HAPPENED: Mapping[str, str] = {
    "opened": "New",
    "version-added": "Found in a further version",
    "escalated": "Worse than before",
    "reopened": "Reopened",
    "acknowledged": "Acknowledged",
    "snoozed": "Snoozed",
    "resolved": "Resolved",
    "false-positive": "Judged a false positive",
    "gone": "Gone from the registry",
    "still-present": "On the registry again",
    "served-by-cdn": "Still on a CDN",
    "cleared-from-cdn": "Gone from a CDN",
    "note": "Note",
}


class Telling(Struct, frozen=True, kw_only=True):
    """One event in words. ``facts`` are labelled lines, ``places`` paths inside the artifact.

    ``happened`` is the event in a few words, ``why`` what was said with it (may be empty).
    """

    subject: str
    happened: str
    lead: str
    why: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    places_hidden: int = 0
    steps: list[steps.Step] = field(default_factory=list)


def telling(outgoing: Outgoing, now: datetime) -> Telling:
    """The words for one event: all of the incident at first, later what is new with its state."""
    event, incident = outgoing.event, outgoing.incident
    seen = steps.worst(incident)
    is_first = outgoing.thread is None
    places: Sequence[Mapping[str, Any]] = seen.get("places", ()) if is_first else ()
    shown = [_place(each) for each in places[:MAX_PLACES]]
    total = max(int(seen.get("places_total", 0) or 0), len(places)) if is_first else 0
    return Telling(
        subject=subject(incident),
        happened=_HAPPENED.get(event.kind, line(event.kind, 60).capitalize()),
        lead=line(str(seen.get("reason") or incident.title)),
        why=_why(event),
        facts=list(_facts(incident, seen)) if is_first else list(_standing(incident)),
        places=shown,
        places_hidden=total - len(shown),
        steps=steps.steps(incident, now) if is_first else [],
    )


def subject(incident: Incident) -> str:
    """The incident in one line. It never changes with the state, so that threads hold together."""
    version = incident.first_bad_version or (incident.versions[0] if incident.versions else "")
    about = line(f"{incident.package} {version}".strip(), 100)
    return line(f"leakmon: {about}: {incident.title}", MAX_SUBJECT)


def digest_subject(digest: Digest) -> str:
    """A digest in one line."""
    many = count(len(digest.entries), "event")
    return f"leakmon: {many} of less urgency, until {moment(digest.created_at)}"


def digest_lines(digest: Digest) -> list[str]:
    """One line for each incident of a digest, the worst first, with what happened to it."""
    happened: dict[str, list[str]] = {}
    incidents = {each.incident.id: each.incident for each in digest.entries}
    for each in digest.entries:
        word = _HAPPENED.get(each.event.kind, each.event.kind)
        happened.setdefault(each.incident.id, []).append(line(word, 60).lower())
    ordered = sorted(incidents.values(), key=lambda each: (-each.severity.rank, each.package))
    return [
        f"{each.severity.value.upper()} {line(each.package, 100)}: {line(each.title, 200)} "
        f"({', '.join(dict.fromkeys(happened[each.id]))}; {each.id})"
        for each in ordered
    ]


def line(text: str, limit: int = MAX_TEXT) -> str:
    """Untrusted text on one line, every control character spelt out, at most ``limit`` long."""
    made = prose(text[: 4 * limit])
    return made if len(made) <= limit else f"{made[: limit - 1]}…"


def moment(at: datetime | None) -> str:
    """A time to the second, in UTC; empty for none."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at is not None else ""


def _why(event: IncidentEvent) -> str:
    reason = str(event.detail.get("reason") or "")
    by = "" if event.actor == "leakmon" else f"by {line(event.actor, 80)}"
    return ": ".join(part for part in (by, line(reason)) if part)


def _facts(incident: Incident, seen: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _standing(incident)
    yield "Package", line(str(seen.get("purl") or f"{incident.ecosystem}:{incident.package}"), 300)
    posture = seen.get("posture", {})
    evidence = "; ".join(str(each) for each in posture.get("evidence", ()))
    told = line(f"{posture.get('value', 'unknown')}{f': {evidence}' if evidence else ''}")
    yield "Meant to be", told
    yield "Published", moment(incident.published_at)
    yield "First seen", moment(incident.first_seen_at)
    yield "Last clean version", line(incident.last_clean_version, 80)
    yield "Publisher", line(str(seen.get("publisher") or ""), 80)
    if isinstance(seen.get("size"), int):
        yield "Size", size(seen["size"])
    yield "sha256", line(str(seen.get("sha256") or ""), 80)
    if seen.get("is_partial"):
        yield "Note", "Not everything in it could be inspected: there may be more."


def _standing(incident: Incident) -> Iterator[tuple[str, str]]:
    yield "Severity", incident.severity.value
    state = incident.state.value
    until = f" until {moment(incident.snoozed_until)}" if incident.snoozed_until else ""
    yield "State", state + until
    shown = incident.versions[-_VERSIONS:]
    older = len(incident.versions) - len(shown)
    told = ", ".join(line(each, 60) for each in shown)
    yield "Affected", f"{count(older, 'older version')}, {told}" if older else told
    yield "Incident", incident.id


def _place(place: Mapping[str, Any]) -> str:
    told = line(str(place.get("path") or ""), 300)
    if place.get("line"):
        told += f" line {place['line']:,}"
    if place.get("decoded"):
        told += f", inside {line(', '.join(map(str, place['decoded'])), 60)}"
    if place.get("redacted"):
        told += f": {line(str(place['redacted']), 60)}"
        told += f" (fingerprint {line(str(place.get('fingerprint') or ''), 16)})"
    return told
