"""An event as JSON, for programs: what a webhook posts and a line for a SIEM holds.

``{"schema": "leakmon/event/1", "id", "kind", "at", "actor", "detail", "incident": {...}}``; times
are RFC 3339 in UTC. No secret stands in it: incidents hold none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.model import Digest
from monitor.report.text import without_surrogates

if TYPE_CHECKING:
    from monitor.model import IncidentEvent, Outgoing

SCHEMA = "leakmon/event/1"
DIGEST_SCHEMA = "leakmon/digest/1"


def document(outgoing: Outgoing) -> dict[str, Any]:
    """The event and its incident as they stand. ``id`` is the event's: the same in any channel."""
    event: IncidentEvent = outgoing.event
    made: dict[str, Any] = {
        "schema": SCHEMA,
        "id": event.id,
        "kind": event.kind,
        "at": event.at,
        "actor": event.actor,
        "detail": event.detail,
        "incident": outgoing.incident,
    }
    told: dict[str, Any] = cleaned(msgspec.to_builtins(made))
    return told


def encoded(outgoing: Outgoing | Digest) -> bytes:
    """The document on one line of ASCII: nothing in it can end the line.

    A digest is ``{"schema": "leakmon/digest/1", "id", "events": [documents]}``.
    """
    made: dict[str, Any]
    if isinstance(outgoing, Digest):
        events = [document(each) for each in outgoing.entries]
        made = {"schema": DIGEST_SCHEMA, "id": outgoing.id, "events": events}
    else:
        made = document(outgoing)
    return json.dumps(made, separators=(",", ":")).encode()


def cleaned(value: Any) -> Any:
    """The same JSON with lone surrogates spelt out: they fit no encoding."""
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, list | tuple):
        return [cleaned(each) for each in value]
    if isinstance(value, dict):
        return {cleaned(name): cleaned(each) for name, each in value.items()}
    return value
