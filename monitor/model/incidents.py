"""Incidents: one per package and cause, their events, and what people are to be told of them."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from monitor.model.scales import Severity


class IncidentState(enum.Enum):
    """Where the work on an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    FALSE_POSITIVE = "false-positive"
    RESOLVED = "resolved"


class Incident(Struct, frozen=True, kw_only=True):
    """One cause in one package, over all its versions.

    ``id`` is stable text, ``cause`` the fingerprint of the finding or the name of the group of
    rules. ``published_at`` is the registry's time of the first bad artifact, ``first_seen_at``
    ours, ``alerted_at`` when the first channel took the first message. ``is_present`` is what the
    last check of the registry (``last_verified_at``) saw, None before the first. ``artifacts`` are
    package URLs, ``versions`` in the order of their publication.
    """

    id: str
    organisation: str
    ecosystem: str
    package: str
    cause: str
    title: str
    severity: Severity
    opened_at: datetime
    first_seen_at: datetime
    state: IncidentState = IncidentState.OPEN
    published_at: datetime | None = None
    alerted_at: datetime | None = None
    last_verified_at: datetime | None = None
    is_present: bool | None = None
    first_bad_version: str = ""
    last_clean_version: str = ""
    versions: list[str] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    snoozed_until: datetime | None = None
    note: str = ""
    reason: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


class IncidentEvent(Struct, frozen=True, kw_only=True):
    """Something that happened to an incident.

    ``kind`` is ``opened``, ``version-added``, ``escalated``, ``reopened``, ``acknowledged``,
    ``snoozed``, ``resolved``, ``false-positive``, ``gone``, ``still-present``, ``served-by-cdn``,
    ``cleared-from-cdn`` or ``note``. ``id`` is stable text, made from what happened: the same event
    recorded twice is one. ``is_told`` says whether the channels are to hear of it. ``detail`` is
    JSON, without secrets.
    """

    id: str
    incident_id: str
    kind: str
    at: datetime
    actor: str = "leakmon"
    is_told: bool = True
    detail: dict[str, Any] = field(default_factory=dict)


class IncidentChange(Struct, frozen=True, kw_only=True):
    """An incident as it is to stand now, and the events which made it so (oldest first)."""

    incident: Incident
    events: list[IncidentEvent] = field(default_factory=list)


class Outgoing(Struct, frozen=True, kw_only=True):
    """One event on its way to one channel, with the incident as it stands now.

    ``thread`` is the channel's id of the incident's first message, None before there is one.
    ``is_uncertain``: an earlier attempt may have arrived although no answer did; look for ``id``
    (it goes into the message's metadata) in the channel before sending again.
    """

    id: str
    channel: str
    event: IncidentEvent
    incident: Incident
    thread: str | None = None
    attempts: int = 0
    is_uncertain: bool = False
    created_at: datetime


class Digest(Struct, frozen=True, kw_only=True):
    """What one channel held back, to be told in one message. The rest is as of ``Outgoing``.

    ``entries`` are the held events, oldest first, each with its incident as it stands now.
    """

    id: str
    channel: str
    entries: list[Outgoing]
    thread: None = None
    attempts: int = 0
    is_uncertain: bool = False
    created_at: datetime
