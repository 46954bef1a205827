"""What the store takes and gives beyond the nouns of the model: plain frozen records."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field

from monitor.model import (
    Artifact,
    CommitMark,
    Gap,
    IncidentChange,
    IncidentState,
    Job,
    Notice,
    Ownership,
    Release,
    Severity,
)


class Announced(Struct, frozen=True, kw_only=True):
    """An artifact that is on record now; ``is_back`` if the registry had withdrawn it before."""

    artifact_id: int
    artifact: Artifact
    is_new: bool
    is_back: bool = False


class Stored(Struct, frozen=True, kw_only=True):
    """An artifact with what is on record of it. ``state``: announced, fetched, settled, failed."""

    artifact_id: int
    artifact: Artifact
    ownership: Ownership
    state: str
    reason: str
    evidence_key: str | None
    sha256: str
    size: int
    rules_digest: str
    first_seen_at: datetime
    settled_at: datetime | None
    withdrawal: str


class Scan(Struct, frozen=True, kw_only=True):
    """What settle keeps of a scan besides its report, for the next version to be compared with.

    ``members_digest`` identifies the set of members (paths and sizes), ``profile`` is JSON of the
    pipeline's own shape, without secrets. ``is_for_wheels``: the wheels of the release that are
    settled are to be looked at again, since they are held against this file.
    """

    rules_digest: str
    members_digest: str = ""
    profile: dict[str, Any] = field(default_factory=dict)
    is_for_wheels: bool = False


class Settled(Struct, frozen=True, kw_only=True):
    """What settle did. ``is_repeat``: this artifact was settled with these rules; nothing was done.

    ``outgoing`` are the ids of the alerts that now wait for their channels, ``again`` the jobs of
    what was sent back from settled to unfinished: they are for the queue to ensure.
    """

    is_repeat: bool
    changes: list[IncidentChange] = field(default_factory=list)
    outgoing: list[str] = field(default_factory=list)
    again: list[Job] = field(default_factory=list)


class Push(Struct, frozen=True, kw_only=True):
    """Commits that are inspected together: a release with one artifact, and what it is made of."""

    release: Release
    marks: list[CommitMark]


class RepositoryRecord(Struct, frozen=True, kw_only=True):
    """A repository on record: what its refs point to, and the commits that they have left."""

    package_id: int
    address: str
    head: str
    first_looked_at: datetime
    refs: dict[str, str]
    left: frozenset[str]


class Past(Struct, frozen=True, kw_only=True):
    """What an earlier artifact of a package was like."""

    artifact_id: int
    version: str
    filename: str
    purl: str
    published_at: datetime | None
    first_seen_at: datetime
    sha256: str
    size: int
    status: str
    severity: str
    members: int
    members_digest: str
    profile: dict[str, Any]
    withdrawal: str


class Tracked(Struct, frozen=True, kw_only=True):
    """A release that the registry is still asked about."""

    ecosystem: str
    name: str
    version: str
    organisation: str
    first_seen_at: datetime
    withdrawal: str


class TrackedName(Struct, frozen=True, kw_only=True):
    """A package on record that is an organisation's; ``since`` is when it was first published.

    Where its registry did not tell that, when it was first seen.
    """

    ecosystem: str
    name: str
    organisation: str
    since: datetime


class NoticeRecord(Struct, frozen=True, kw_only=True):
    """A notice that was kept; ``outcome`` is empty until it is resolved."""

    key: str
    feed: str
    notice: Notice
    ownership: Ownership
    outcome: str
    seen_at: datetime


class GapRecord(Struct, frozen=True, kw_only=True):
    """A gap on record. ``read_at`` is when its feed had last moved before, None where unknown."""

    id: int
    gap: Gap
    noticed_at: datetime
    closed_at: datetime | None
    read_at: datetime | None = None


class Pulse(Struct, frozen=True, kw_only=True):
    """That a daemon or a feed lives; see ``PulseRow``. ``reason`` is empty while all is well."""

    name: str
    at: datetime
    answered_at: datetime | None = None
    failing_since: datetime | None = None
    not_before: datetime | None = None
    reason: str = ""
    detail: str = ""


class FileRecord(Struct, frozen=True, kw_only=True):
    """A file of a package, what its registry last said of it, and how far the work on it is.

    ``withdrawal`` is empty if it stands; ``state`` and ``reason`` are as those of ``Stored``.
    """

    version: str
    filename: str
    withdrawal: str
    first_seen_at: datetime
    state: str
    reason: str


class SetAside(Struct, frozen=True, kw_only=True):
    """An alert that a channel refused: it waits for somebody to revive it."""

    id: str
    channel: str
    incident_id: str
    reason: str
    created_at: datetime


class PackageEvent(Struct, frozen=True, kw_only=True):
    """What happened to a package beside its releases. ``detail`` is JSON, without secrets."""

    kind: str
    subject: str
    at: datetime
    detail: dict[str, Any]


class FeedCount(Struct, frozen=True, kw_only=True):
    """How much of a feed has been read since the first start, and when it last moved."""

    position: str
    moved_at: datetime
    rows: int
    kept: int


class IncidentFilter(Struct, frozen=True, kw_only=True):
    """Which incidents to list; what is empty does not restrict."""

    states: tuple[IncidentState, ...] = ()
    organisation: str = ""
    ecosystem: str = ""
    package: str = ""
    min_severity: Severity = Severity.NONE
    since: datetime | None = None
    limit: int = 200


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Who did what to what, when and why."""

    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    detail: dict[str, Any]


class Retention(Struct, frozen=True, kw_only=True):
    """How long things are kept: bytes without incidents, with closed ones, and finished work.

    The evidence of an open, acknowledged or snoozed incident is kept for ever. ``strangers`` is for
    looks at packages that turned out not to be ours (there are thousands a day), ``set_aside`` for
    work that was given up and that nobody revived.
    """

    clean: timedelta = timedelta(days=30)
    closed: timedelta = timedelta(days=365)
    finished: timedelta = timedelta(days=30)
    strangers: timedelta = timedelta(days=1)
    set_aside: timedelta = timedelta(days=90)


class Metrics(Struct, frozen=True, kw_only=True):
    """Counts for ``/metrics`` and ``leakmon status``, all from one consistent view."""

    artifacts: dict[str, int]
    incidents: dict[str, dict[str, int]]
    outgoing: dict[str, dict[str, int]]
    jobs: dict[str, dict[str, int]]
    feeds: dict[str, FeedCount]
    oldest_outgoing_at: dict[str, datetime]
    oldest_job_at: datetime | None
    open_gaps: int
    pending_notices: int
