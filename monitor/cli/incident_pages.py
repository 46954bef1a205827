"""Incidents as text: one a line, one as a page, many as CSV."""

from __future__ import annotations

import io
import textwrap
from csv import writer
from typing import TYPE_CHECKING, Any

from monitor.alerts import steps
from monitor.model.wording import count
from monitor.report.text import prose, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from monitor.model import Incident, IncidentEvent

WIDTH = 96
_SHOWN = 20
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "id", "severity", "state", "organisation", "ecosystem", "package", "title", "versions",
    "first_bad_version", "last_clean_version", "published_at", "first_seen_at", "opened_at",
    "alerted_at", "last_verified_at", "is_present", "snoozed_until", "reason", "cause",
)  # fmt: skip


def table(incidents: Sequence[Incident]) -> Iterator[str]:
    """Aligned columns: id, severity, state, package, versions, when, what."""
    rows = [
        (
            each.id,
            each.severity.value,
            each.state.value,
            prose(f"{each.ecosystem}:{each.package}"),
            count(len(each.versions), "version"),
            f"{each.opened_at:%Y-%m-%d %H:%M}",
            prose(each.title)[:WIDTH],
        )
        for each in incidents
    ]
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(6)]
    for row in rows:
        aligned = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        yield "  ".join((*aligned, row[-1]))


def page(incident: Incident, events: Sequence[IncidentEvent], now: datetime) -> Iterator[str]:
    """Everything of one incident: what, where, when, what to do, what happened."""
    seen = steps.worst(incident)
    package = prose(f"{incident.ecosystem}:{incident.package}")
    yield f"{incident.severity.value.upper()}  {package}  {prose(incident.title)}"
    yield ""
    for name, value in _facts(incident, seen):
        if value:
            yield f"  {name:<12} {value}"
    yield from _section("Where", _places(seen))
    yield from _section("Do now, in this order", _steps(incident, now))
    yield from _section("What happened", [_event(each) for each in events])


def csv(incidents: Sequence[Incident]) -> str:
    """One row each; a cell that a spreadsheet would calculate begins with an apostrophe."""
    out = io.StringIO()
    sheet = writer(out)
    sheet.writerow(_COLUMNS)
    for incident in incidents:
        sheet.writerow([_cell(incident, name) for name in _COLUMNS])
    return out.getvalue()


def rules(incident: Incident) -> set[str]:
    """The rules by which the cause was found, as far as they are remembered."""
    seen = incident.detail.get("observations", ())
    return {str(place["rule"]) for each in seen for place in each.get("places", ())}


def _facts(incident: Incident, seen: Any) -> Iterator[tuple[str, str]]:
    yield "incident", incident.id
    until = f" until {_moment(incident.snoozed_until)}" if incident.snoozed_until else ""
    yield "state", incident.state.value + until
    yield "because", prose(incident.reason)
    yield "note", prose(incident.note)
    shown = ", ".join(incident.versions[-_SHOWN:])
    more = len(incident.versions) - _SHOWN
    yield "affected", prose(f"{more} older, {shown}" if more > 0 else shown)
    yield "last clean", prose(incident.last_clean_version)
    yield "published", _moment(incident.published_at)
    yield "first seen", _moment(incident.first_seen_at)
    yield "alerted", _moment(incident.alerted_at)
    presence = {True: "still there", False: "gone", None: ""}[incident.is_present]
    checked = _moment(incident.last_verified_at)
    yield "registry", f"{presence} ({checked})" if presence else ""
    posture = seen.get("posture", {})
    evidence = "; ".join(map(str, posture.get("evidence", ())))
    yield "meant to be", prose(f"{posture.get('value', '')}: {evidence}") if posture else ""
    yield "package", prose(str(seen.get("purl", "")))
    yield "sha256", prose(str(seen.get("sha256", "")))
    told = seen.get("size")
    yield "size", size(told) if isinstance(told, int) else ""
    yield "publisher", prose(str(seen.get("publisher", "")))
    yield "cause", prose(incident.cause)


def _places(seen: Any) -> list[str]:
    told = []
    for place in seen.get("places", ()):
        line = f":{place['line']}" if place.get("line") else ""
        redacted = str(place["redacted"]) if place.get("redacted") else ""
        told.append(f"{prose(str(place.get('path', '')))}{line}  {prose(redacted)}".rstrip())
    more = int(seen.get("places_total", 0)) - len(told)
    return [*told, f"and {count(more, 'more place')}"] if more > 0 else told


def _steps(incident: Incident, now: datetime) -> list[str]:
    lines: list[str] = []
    for number, step in enumerate(steps.steps(incident, now), 1):
        needs = f"({step.needs})" if step.needs else ""
        words = " ".join(each for each in (step.do, step.told, step.command, needs) if each)
        lines += textwrap.wrap(f"{number}. {prose(words)}", WIDTH, subsequent_indent="   ")
    return lines


def _event(event: IncidentEvent) -> str:
    about = event.detail.get("reason") or event.detail.get("version") or ""
    return f"{_moment(event.at)}  {event.kind:<14}  {prose(event.actor)}  {prose(str(about))}"


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from (f"  {line}" for line in lines)


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at is not None else ""


def _cell(incident: Incident, name: str) -> str:
    value = getattr(incident, name)
    if value is None:
        return ""
    if isinstance(value, list):
        value = " ".join(value)
    text = value.isoformat() if hasattr(value, "isoformat") else str(getattr(value, "value", value))
    text = prose(text)
    return f"'{text}" if text.startswith(_FORMULAS) else text
