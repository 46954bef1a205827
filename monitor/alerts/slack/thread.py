"""What is told below an incident's first message, one event at a time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from monitor.alerts.slack.message import (
    MAX_TEXT,
    SIGNS,
    Block,
    context,
    moment,
    section,
    versions,
)
from monitor.alerts.slack.mrkdwn import code, joined, plain, spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from monitor.model import Incident, IncidentEvent

BROADCAST = frozenset({"escalated", "reopened"})
"""Events that are worth the whole channel's attention once more."""


def reply(event: IncidentEvent, incident: Incident) -> list[Block]:
    """The blocks that tell of one event."""
    lines = list(_TOLD.get(event.kind, _other)(event, incident))
    return [
        section(joined(lines, MAX_TEXT - 100)),
        context(f"{moment(event.at)} · incident {code(incident.id, 60)}"),
    ]


def fallback(event: IncidentEvent, incident: Incident) -> str:
    """The event in one line."""
    return joined(list(_TOLD.get(event.kind, _other)(event, incident))[:1], 1000)


def _version_added(event: IncidentEvent, incident: Incident) -> Iterator[str]:
    published = event.detail.get("published_at")
    when = f", published {moment(datetime.fromisoformat(published))}" if published else ""
    yield f"🔁 *Also in* {code(str(event.detail.get('version', '')), 80)}{when}"
    if event.detail.get("reason"):
        yield spans(str(event.detail["reason"]), 600)
    clean = f"; last clean {code(incident.last_clean_version, 60)}"
    yield f"Affected now: {versions(incident)}{clean if incident.last_clean_version else ''}"


def _escalated(event: IncidentEvent, incident: Incident) -> Iterator[str]:
    before, after = (str(event.detail.get(key, "")) for key in ("before", "severity"))
    sign = SIGNS.get(after, SIGNS["critical"])
    about = plain(incident.package, 200)
    yield f"{sign} *Escalated from {plain(before, 20)} to {plain(after, 20)}:* {about}"
    yield from _why(event)


def _reopened(event: IncidentEvent, incident: Incident) -> Iterator[str]:
    sign = SIGNS[incident.severity.value]
    by = "" if event.actor == "leakmon" else f" by {code(event.actor, 80)}"
    yield f"{sign} *Reopened*{by}*:* {plain(incident.package, 200)}"
    yield from _why(event)


def _decided(sign: str, word: str) -> Callable[[IncidentEvent, Incident], Iterator[str]]:
    def told(event: IncidentEvent, _incident: Incident) -> Iterator[str]:
        until = event.detail.get("until")
        end = f" until {moment(datetime.fromisoformat(until))}" if until else ""
        yield f"{sign} *{word}*{end} by {code(event.actor, 80)}"
        yield from _why(event)

    return told


def _gone(_event: IncidentEvent, incident: Incident) -> Iterator[str]:
    yield f"🧹 *Gone from the registry:* {plain(incident.package, 200)}"
    yield "Mirrors and caches may still serve it; what was secret is known."


def _still_present(_event: IncidentEvent, incident: Incident) -> Iterator[str]:
    yield f"⚠️ *On the registry again:* {plain(incident.package, 200)}"


def _served(event: IncidentEvent, incident: Incident) -> Iterator[str]:
    yield f"📦 *Still on a CDN:* {plain(incident.package, 200)}"
    yield from _why(event)


def _note(event: IncidentEvent, _incident: Incident) -> Iterator[str]:
    yield f"📝 *Note* by {code(event.actor, 80)}"
    yield from _why(event)


def _other(event: IncidentEvent, incident: Incident) -> Iterator[str]:
    yield f"*{plain(event.kind, 80).capitalize()}:* {plain(incident.package, 200)}"
    yield from _why(event)


def _why(event: IncidentEvent) -> Iterator[str]:
    reason = event.detail.get("reason")
    if reason:
        yield spans(str(reason), 800)


_TOLD: Mapping[str, Callable[[IncidentEvent, Incident], Iterator[str]]] = {
    "version-added": _version_added,
    "escalated": _escalated,
    "reopened": _reopened,
    "acknowledged": _decided("👀", "Acknowledged"),
    "snoozed": _decided("💤", "Snoozed"),
    "resolved": _decided("✅", "Resolved"),
    "false-positive": _decided("🚫", "Judged a false positive"),
    "gone": _gone,
    "still-present": _still_present,
    "served-by-cdn": _served,
    "note": _note,
}
