"""The operator's ignores, and the counts that ``/metrics`` and ``leakmon status`` show."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from msgspec import Struct

from monitor.store.core import changed
from monitor.store.digests import PENDING
from monitor.store.ledger import Ledger
from monitor.store.records import FeedCount, Metrics
from monitor.store.tables import ArtifactRow, IncidentRow
from monitor.store.tables_work import (
    AuditRow,
    CheckpointRow,
    GapRow,
    IgnoreRow,
    JobRow,
    NoticeRow,
    OutgoingRow,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


class IgnoreRecord(Struct, frozen=True, kw_only=True):
    """An ignore on record: by ``fingerprint`` (keyed, where of a secret), or ``rule`` and ``path``.

    Scope that is empty means everywhere. It holds up to and on the day ``expires``.
    """

    id: int = 0
    fingerprint: str = ""
    rule: str = ""
    path: str = ""
    organisation: str = ""
    ecosystem: str = ""
    package: str = ""
    reason: str
    actor: str
    expires: date | None = None


class Observing(Ledger):
    """Ignores and counts."""

    async def ignore_add(self, ignore: IgnoreRecord) -> int:
        """Put an ignore on record, with the audit log's entry; its id."""
        now = self.clock()
        names = [name for name in IgnoreRecord.__struct_fields__ if name != "id"]
        values = {name: getattr(ignore, name) for name in names}
        async with self.database.writing() as session:
            row = IgnoreRow(**values, created_at=now)
            session.add(row)
            await session.flush()
            session.add(
                AuditRow(
                    at=now,
                    actor=ignore.actor,
                    action="ignore-add",
                    subject=f"ignore {row.id}",
                    reason=ignore.reason,
                    detail={k: v for k, v in values.items() if v and k not in ("actor", "reason")},
                )
            )
            return row.id

    async def ignores(self) -> list[IgnoreRecord]:
        """All ignores, also those that ran out (which say so and hide nothing)."""
        async with self.database.reading() as session:
            rows = (await session.execute(sa.select(IgnoreRow).order_by(IgnoreRow.id))).scalars()
            names = IgnoreRecord.__struct_fields__
            return [IgnoreRecord(**{name: getattr(row, name) for name in names}) for row in rows]

    async def ignore_remove(self, ignore_id: int, *, actor: str, reason: str = "") -> bool:
        """Take an ignore away, with the audit log's entry; False if there is none."""
        async with self.database.writing() as session:
            removing = sa.delete(IgnoreRow).where(IgnoreRow.id == ignore_id)
            if not changed(await session.execute(removing)):
                return False
            session.add(
                AuditRow(
                    at=self.clock(),
                    actor=actor,
                    action="ignore-remove",
                    subject=f"ignore {ignore_id}",
                    reason=reason,
                    detail={},
                )
            )
            return True

    async def metrics(self) -> Metrics:
        """Everything counted, in one consistent view."""
        pending = OutgoingRow.state.in_(PENDING)
        oldest_alerts = (
            sa.select(OutgoingRow.channel, sa.func.min(OutgoingRow.created_at))
            .where(pending)
            .group_by(OutgoingRow.channel)
        )
        oldest_job = sa.select(sa.func.min(JobRow.run_at)).where(
            JobRow.state == "waiting", JobRow.run_at <= self.clock()
        )
        async with self.database.reading() as session:
            oldest = await session.execute(oldest_alerts)
            return Metrics(
                artifacts=await _counts(session, ArtifactRow.state),
                incidents=await _nested(session, IncidentRow.state, IncidentRow.severity),
                outgoing=await _nested(session, OutgoingRow.channel, OutgoingRow.state),
                jobs=await _nested(session, JobRow.kind, JobRow.state),
                feeds={row.feed: _feed(row) for row in await _all(session, CheckpointRow)},
                oldest_outgoing_at={row[0]: row[1] for row in oldest},
                oldest_job_at=(await session.execute(oldest_job)).scalar(),
                open_gaps=await _count(session, GapRow.closed_at.is_(None)),
                pending_notices=await _count(session, NoticeRow.outcome == ""),
            )


def _feed(row: CheckpointRow) -> FeedCount:
    return FeedCount(position=row.position, moved_at=row.moved_at, rows=row.rows, kept=row.kept)


async def _all(session: AsyncSession, table: type[CheckpointRow]) -> list[CheckpointRow]:
    return list((await session.execute(sa.select(table))).scalars())


async def _count(session: AsyncSession, condition: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).where(condition)
    return int((await session.execute(query)).scalar_one())


async def _counts(session: AsyncSession, column: Any) -> dict[str, int]:
    rows = await session.execute(sa.select(column, sa.func.count()).group_by(column))
    return {row[0]: row[1] for row in rows}


async def _nested(session: AsyncSession, outer: Any, inner: Any) -> dict[str, dict[str, int]]:
    query = sa.select(outer, inner, sa.func.count()).group_by(outer, inner)
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for first, second, number in await session.execute(query):
        counts[first][second] = number
    return dict(counts)
