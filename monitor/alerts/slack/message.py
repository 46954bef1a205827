"""The first message of an incident: made to be acted on within a minute.

Block Kit's limits hold for any incident (``LIMITS``). Where the whole would become too long, fewer
places are told; what was left out is counted, and ``leakmon incidents show`` has all of it.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from monitor.alerts import steps
from monitor.alerts.slack import buttons
from monitor.alerts.slack.mrkdwn import NOTHING, code, joined, plain, spans, title
from monitor.incidents import VANISHED
from monitor.model import IncidentState
from monitor.model.wording import count
from monitor.report.text import size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monitor.model import Incident

MAX_BLOCKS = 50
MAX_TEXT = 3000
MAX_HEADER = 150
MAX_FIELD = 2000
MAX_FIELDS = 10
MAX_FALLBACK = 3500  # Slack advises 4,000; what is longer is cut for notifications anyway
MAX_TOTAL = 11_000
"""Characters of all blocks as JSON, without buttons (at most 900).

Slack refuses from about 13,200 (``msg_blocks_too_long``).
"""

Block = dict[str, Any]

SIGNS: Mapping[str, str] = {
    "critical": "🔴",
    "high": "🟠",
    "medium": "🟡",
    "low": "🔵",
    "info": "⚪",
    "none": "⚪",
}
STATES: Mapping[IncidentState, tuple[str, str]] = {
    IncidentState.OPEN: ("", "Open: nobody has it yet"),
    IncidentState.ACKNOWLEDGED: ("👀", "Acknowledged: somebody is on it"),
    IncidentState.SNOOZED: ("💤", "Snoozed"),
    IncidentState.FALSE_POSITIVE: ("🚫", "False positive"),
    IncidentState.RESOLVED: ("✅", "Resolved"),
}
_VERSIONS = 8
_FALLING = (10, 6, 3, 1)
_MINUTE = 60
_HOUR = 3600
_DAY = 86_400


def message(incident: Incident, now: datetime, *, has_buttons: bool = False) -> list[Block]:
    """The blocks that tell of an incident as it stands now."""
    made = _fitting(incident, now)
    return [*made, buttons.block(incident)] if has_buttons else made


def _fitting(incident: Incident, now: datetime) -> list[Block]:
    blocks: list[Block] = []
    for places in _FALLING:
        blocks = list(_blocks(incident, now, places))
        if _length(blocks) <= MAX_TOTAL:
            return blocks
    return _cut_down(blocks, incident)


def fallback(incident: Incident) -> str:
    """The message in one line, for notifications and screen readers."""
    reason = spans(_reason(incident), 600)
    about = f"{incident.package} {_version(incident)}"
    return f"{incident.severity.value.upper()}: {plain(about, 300)}: {reason}"


def section(text: str) -> Block:
    """A paragraph. ``verbatim``: Slack is to make no links and mentions of what looks like some."""
    return {"type": "section", "text": _text(text)}


def context(*texts: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [_text(each) for each in texts]}


def moment(at: datetime | None) -> str:
    """A time to the second, in UTC: responders compare it with logs."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at is not None else NOTHING


def later(since: datetime | None, at: datetime) -> str:
    """``3 s later``, ``25 h later``: how fast it was; empty where that makes no sense."""
    seconds = int((at - since).total_seconds()) if since is not None else -1
    if seconds < 0:
        return ""
    if seconds < 2 * _MINUTE:
        return f"{seconds} s later"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE} min later"
    return f"{seconds // _HOUR} h later" if seconds < 2 * _DAY else f"{seconds // _DAY} days later"


def versions(incident: Incident) -> str:
    """The affected versions, the newest last."""
    shown = incident.versions[-_VERSIONS:]
    hidden = len(incident.versions) - len(shown)
    told = ", ".join(code(each, 60) for each in shown)
    return f"{hidden:,} older, {told}" if hidden else told or NOTHING


def _cut_down(blocks: list[Block], incident: Incident) -> list[Block]:
    """Without its longest blocks, which only hostile names make so long: that is said."""
    head, *middle, last = blocks
    told = f"Left out here for its length: {code(f'leakmon incidents show {incident.id}', 120)}"
    while middle and _length([head, *middle, section(told), last]) > MAX_TOTAL:
        middle.remove(max(middle, key=lambda block: _length([block])))
    return [head, *middle, section(told), last]


def _length(blocks: Sequence[Block]) -> int:
    return len(json.dumps(blocks))


def _blocks(incident: Incident, now: datetime, places: int) -> Iterator[Block]:
    seen = steps.worst(incident)
    yield _header(incident)
    yield section(_told(incident, seen))
    yield {"type": "section", "fields": [_text(each) for each in _fields(incident, seen, now)]}
    yield section(_where(incident, seen, places))
    yield section(_next(incident, now))
    yield {"type": "divider"}
    yield context(_identity(incident, seen), _commands(incident))


def _header(incident: Incident) -> Block:
    sign, _ = STATES[incident.state]
    word = incident.state.value.replace("-", " ").upper()
    state = f"{sign} {word} · " if sign else ""
    shown = SIGNS[incident.severity.value]
    about = f"{incident.package} {_version(incident)}".strip()
    text = title(f"{state}{shown} {incident.severity.value.upper()} · {about}", MAX_HEADER)
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _told(incident: Incident, seen: Mapping[str, Any]) -> str:
    """One plain reason, novelty, and what the judgement rests on."""
    lines = [f"*{spans(f'{_reason(incident)}{_novelty(incident)}.', 900)}*"]
    if incident.reason and incident.state is IncidentState.OPEN:
        lines.append(f"*Reopened:* {plain(incident.reason, 300)}")
    posture = seen.get("posture", {})
    evidence = "; ".join(str(each) for each in posture.get("evidence", ()))
    value = plain(str(posture.get("value", "unknown")), 40)
    lines.append(f"Meant to be *{value}*" + (f": {plain(evidence, 500)}" if evidence else ""))
    if seen.get("is_partial"):
        lines.append("Not everything in it could be inspected: there may be more.")
    return joined(lines, MAX_TEXT)


def _reason(incident: Incident) -> str:
    return str(steps.worst(incident).get("reason") or incident.title)


def _novelty(incident: Incident) -> str:
    before = incident.detail.get("clean_before", 0)
    if not isinstance(before, int) or before < 1:
        return ""
    many = "version" if before == 1 else f"{before:,} versions"
    return f"; not in the {many} before"


def _version(incident: Incident) -> str:
    seen = steps.worst(incident)
    return str(seen.get("version") or (incident.versions[-1] if incident.versions else ""))


def _fields(incident: Incident, seen: Mapping[str, Any], now: datetime) -> Iterator[str]:
    many = f" ({len(incident.versions):,})" if len(incident.versions) > 1 else ""
    yield f"*Affected{many}*\n{versions(incident)}"
    yield f"*Last clean version*\n{code(incident.last_clean_version, 60)}"
    yield f"*Published*\n{moment(incident.published_at)}\n{_timeline(incident, now)}"
    yield f"*State*\n{_state(incident)}\n{_presence(incident)}"
    yield f"*Size*\n{_size(seen)}"
    yield f"*Publisher*\n{code(str(seen.get('publisher') or ''), 80)}"


def _timeline(incident: Incident, now: datetime) -> str:
    """When we knew and told, counted from the publication where that is known."""
    published = incident.published_at
    told = [("seen", incident.first_seen_at), ("alerted", incident.alerted_at or now)]
    return "\n".join(f"{word} {later(published, at) or moment(at)}" for word, at in told)


def _state(incident: Incident) -> str:
    _, word = STATES[incident.state]
    until = incident.snoozed_until
    return f"{word} until {moment(until)}" if until is not None else word


def _presence(incident: Incident) -> str:
    if incident.cause == VANISHED:
        return "Gone before it could be inspected"
    if incident.is_present is None:
        return "On the registry when found"
    told = "Still on the registry" if incident.is_present else "Gone from the registry"
    return f"{told} ({moment(incident.last_verified_at)})"


def _size(seen: Mapping[str, Any]) -> str:
    told, usual = seen.get("size"), seen.get("usual_size")
    if not isinstance(told, int):
        return NOTHING
    if not isinstance(usual, int) or usual < 1:
        return size(told)
    times = f", {told / usual:.1f} times that" if told > 1.5 * usual else ""
    return f"{size(told)}\nusually {size(usual)}{times}"


def _where(incident: Incident, seen: Mapping[str, Any], limit: int) -> str:
    places: Sequence[Mapping[str, Any]] = seen.get("places", ())
    total = max(int(seen.get("places_total", 0)), len(places))
    lines = [f"*Where* in {code(str(seen.get('filename') or _version(incident)), 160)}"]
    is_one = len({each.get("fingerprint") for each in places}) == 1
    lines += [_place(each, has_secret=not is_one) for each in places[:limit]]
    if total > limit:
        lines.append(f"… and {count(total - limit, 'more place')}")
    if is_one and places[0].get("redacted"):
        lines.append(f"*Secret* {_secret(places[0])}")
    return joined(lines, MAX_TEXT - 100)


def _place(place: Mapping[str, Any], *, has_secret: bool) -> str:
    line = place.get("line")
    told = f"• {code(str(place.get('path') or ''), 260)}" + (f" line {line:,}" if line else "")
    if place.get("decoded"):
        told += f", inside {plain(', '.join(map(str, place['decoded'])), 60)}"
    if has_secret and place.get("redacted"):
        told += f": {_secret(place)}"
    return told


def _secret(place: Mapping[str, Any]) -> str:
    """What may be told of a secret: enough to recognise it, not to use it."""
    told = code(str(place["redacted"]), 80)
    told += f", fingerprint {code(str(place.get('fingerprint') or '')[:16], 40)}"
    return told + (", its checksum is valid" if place.get("checksum") == "valid" else "")


def _next(incident: Incident, now: datetime) -> str:
    numbered = [
        f"{number}. {_step(each)}" for number, each in enumerate(steps.steps(incident, now), 1)
    ]
    return joined(["*Do now, in this order*", *numbered], MAX_TEXT - 100)


def _step(step: steps.Step) -> str:
    told = f"*{step.do}*"
    if step.told:
        told += f" {spans(step.told, 500)}" if step.told[0].islower() else f": {spans(step.told)}"
    if step.command:
        told += f" {code(step.command, 260)}"
    return told + (f" ({plain(step.needs, 200)})" if step.needs else "")


def _identity(incident: Incident, seen: Mapping[str, Any]) -> str:
    lines = [code(str(seen.get("purl") or incident.package), 300)]
    lines.append(f"sha256 {code(str(seen.get('sha256') or ''), 80)}")
    integrity = _integrity(seen.get("digests", {}))
    if integrity:
        lines.append(f"integrity {code(integrity, 120)}")
    return joined(lines, MAX_TEXT - 100)


def _integrity(digests: Mapping[str, str]) -> str:
    """The strongest digest that the registry announced, as registries write it."""
    for name in ("sha512", "sha384"):
        try:
            raw = bytes.fromhex(str(digests.get(name, "")))
        except (ValueError, binascii.Error):
            continue
        if raw:
            return f"{name}-{base64.b64encode(raw).decode('ascii')}"
    return ""


def _commands(incident: Incident) -> str:
    return f"incident {code(incident.id, 60)} · {code(f'leakmon incidents ack {incident.id}', 120)}"


def _text(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}
