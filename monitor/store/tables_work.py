"""The schema: feeds, jobs, outgoing alerts, and the operator's own records."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Date, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from monitor.store.columns import Row


class DigestRow(Row):
    """What a channel held back until a moment, as one message. ``state`` as of ``OutgoingRow``."""

    __tablename__ = "digests"

    id: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(index=True)
    state: Mapped[str]
    attempts: Mapped[int]
    reason: Mapped[str]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sending_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    message_id: Mapped[str | None]


class OutgoingRow(Row):
    """One event for one channel. ``state``: waiting, sending (may have arrived), sent, failed.

    ``held``: it waits for the channel's next digest, which is ``digest_id`` from then on.
    """

    __tablename__ = "outgoing"
    __table_args__ = (Index(None, "channel", "state", "number"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    event_id: Mapped[str] = mapped_column(
        ForeignKey("incident_events.id", ondelete="CASCADE"), index=True
    )
    incident_id: Mapped[str] = mapped_column(
        ForeignKey("incidents.id", ondelete="CASCADE"), index=True
    )
    channel: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int]
    reason: Mapped[str]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sending_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    message_id: Mapped[str | None]
    digest_id: Mapped[str | None] = mapped_column(
        ForeignKey("digests.id", ondelete="SET NULL"), index=True
    )


class CheckpointRow(Row):
    """How far each feed has been read, and how much of it there was."""

    __tablename__ = "checkpoints"

    feed: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[str]
    moved_at: Mapped[datetime]
    rows: Mapped[int] = mapped_column(BigInteger)
    kept: Mapped[int] = mapped_column(BigInteger)


class PulseRow(Row):
    """That somebody lives: a daemon, or a feed with when it last answered and what it fails with.

    ``at`` is when this was written; a dead daemon leaves it standing.
    """

    __tablename__ = "pulses"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    reason: Mapped[str]
    detail: Mapped[str]


class GapRow(Row):
    """A stretch of a feed that may have been missed; open until a backfill has closed it.

    ``read_at`` is when the feed had last moved before: what came since then may be missing.
    """

    __tablename__ = "gaps"

    id: Mapped[int] = mapped_column(primary_key=True)
    feed: Mapped[str]
    kind: Mapped[str]
    detail: Mapped[str]
    since: Mapped[str]
    until: Mapped[str]
    noticed_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None] = mapped_column(index=True)


class NoticeRow(Row):
    """A row of a feed that concerns us; ``outcome`` is empty until its releases are announced."""

    __tablename__ = "notices"

    key: Mapped[str] = mapped_column(primary_key=True)
    feed: Mapped[str]
    notice: Mapped[dict[str, Any]]
    ownership: Mapped[dict[str, Any]]
    priority: Mapped[int]
    seen_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(index=True)
    resolved_at: Mapped[datetime | None]


class JobRow(Row):
    """A job of the embedded queue. ``state``: waiting, leased, done, dead.

    ``rank`` is the priority with its sign turned: the next job is the first by ``(rank, run_at)``.
    ``lapses`` counts the leases that ran out: a job that takes its workers with it ends in the
    dead letters. ``version`` is the payload's form.
    """

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "state", "run_at"), Index(None, "state", "rank", "run_at"))

    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(server_default="1")  # who knows of none writes the first
    rank: Mapped[int]
    state: Mapped[str]
    run_at: Mapped[datetime]
    attempts: Mapped[int]
    lapses: Mapped[int]
    worker: Mapped[str]
    lease: Mapped[int]
    leased_until: Mapped[datetime | None]
    reason: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class IgnoreRow(Row):
    """What the operator does not want to hear of again; empty scope columns mean everywhere."""

    __tablename__ = "ignores"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    rule: Mapped[str]
    path: Mapped[str]
    organisation: Mapped[str]
    ecosystem: Mapped[str]
    package: Mapped[str]
    reason: Mapped[str]
    expires: Mapped[date | None] = mapped_column(Date)
    actor: Mapped[str]
    created_at: Mapped[datetime]


class AuditRow(Row):
    """Who did what to what, and why. Rows are only ever added."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[dict[str, Any]]


class LeaseRow(Row):
    """Who alone may do something, until when. ``token`` grows with each holder: see ``leases``."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    token: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[datetime]


class SchemaWindowRow(Row):
    """The oldest schema whose leakmon still works with this database: see ``migrations``."""

    __tablename__ = "schema_window"

    revision: Mapped[str] = mapped_column(primary_key=True)
    oldest: Mapped[str]


class InstanceRow(Row):
    """The one key that secrets' fingerprints are made with, wrapped by the evidence key."""

    __tablename__ = "instance"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key_id: Mapped[str]
    wrapped_key: Mapped[str]
    created_at: Mapped[datetime]
