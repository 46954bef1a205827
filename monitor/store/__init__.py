"""All SQL. One public method of ``Store`` is one transaction; what it gives are plain records.

Each room of the store adds its methods in its own module: ``feeds`` (pages, checkpoints, gaps),
``artifacts`` (releases and files), ``packages`` (tags, events), ``repositories`` (refs, commits),
``cases`` (incidents), ``settling``, ``outbox``, ``ledger`` (audit log, reconciliation, retention),
``suspects`` (who has an incident), ``observing`` (ignores, counts). The schema is declared in
``tables``, ``tables_work`` and ``tables_repositories``, its versions lie under ``alembic/`` and are
the work of ``migrations``.
Database errors come as ours: TransientError where waiting may help (``disk-full``,
``database-locked``, ``database``), ConfigError where the operator has to act.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.store.core import Clock, Wrapping, system_clock
from monitor.store.database import Database
from monitor.store.observing import IgnoreRecord, Observing
from monitor.store.records import (
    Announced,
    AuditEntry,
    FeedCount,
    FileRecord,
    GapRecord,
    IncidentFilter,
    Metrics,
    NoticeRecord,
    PackageEvent,
    Past,
    Pulse,
    Push,
    RepositoryRecord,
    Retention,
    Scan,
    SetAside,
    Settled,
    Stored,
    Tracked,
)
from monitor.store.seal import Seal
from monitor.store.settling import Decide
from monitor.store.suspects import Suspect

if TYPE_CHECKING:
    from monitor.store.core import Enqueue

__all__ = [
    "Announced",
    "AuditEntry",
    "Clock",
    "Decide",
    "FeedCount",
    "FileRecord",
    "GapRecord",
    "IgnoreRecord",
    "IncidentFilter",
    "Metrics",
    "NoticeRecord",
    "PackageEvent",
    "Past",
    "Pulse",
    "Push",
    "RepositoryRecord",
    "Retention",
    "Scan",
    "Seal",
    "SetAside",
    "Settled",
    "Store",
    "Stored",
    "Suspect",
    "Tracked",
    "Wrapping",
]


class Store(Observing):
    """One open database. ``open`` it, ``unlock`` it before anything is settled, ``close`` it."""

    @classmethod
    def open(
        cls, url: str, *, clock: Clock = system_clock, enqueue: Enqueue | None = None
    ) -> Store:
        """The store at ``url``, whose schema is current (see ``migrations``). Connects lazily.

        ``enqueue`` writes jobs inside the store's transactions; absent: the embedded queue's table.
        Raises ConfigError for an address that is none.
        """
        return cls(Database(url), clock, enqueue)
