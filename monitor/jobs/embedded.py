"""The embedded queue: a table of the store's own database, no service beside it.

Any number of workers in one process on SQLite; on PostgreSQL also of several processes. Jobs that
the store enqueues within its own transactions are here the moment those commit.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.model import Job
from monitor.store.columns import Moment
from monitor.store.core import changed
from monitor.store.tables_work import JobRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from monitor.store import Store

MAX_LAPSES = 20
"""How often a job may lose its worker. Many, since a killed daemon is rarely the job's doing."""

_REAP_EVERY = timedelta(seconds=5)
_FIRST_IN_LINE = (JobRow.rank, JobRow.run_at)  # no more than the index has: nothing is sorted
_COLUMNS = (
    JobRow.key,
    JobRow.kind,
    JobRow.payload,
    JobRow.rank,
    JobRow.run_at,
    JobRow.attempts,
    JobRow.worker,
    JobRow.lease,
)
_FREE: dict[str, Any] = {"worker": "", "leased_until": None}


class EmbeddedQueue:
    """``jobs.Queue`` on the store's table."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._database = store.database
        self._clock = store.clock
        self._reaped_at: datetime | None = None

    async def enqueue(self, job: Job) -> bool:
        """See ``Queue``."""
        async with self._database.writing() as session:
            return await self._store.enqueue_rows(session, [job]) == 1

    async def ensure(self, jobs: Iterable[Job]) -> int:
        """See ``Queue``."""
        taken = list(jobs)
        back = 0
        for start in range(0, len(taken), 500):
            batch = taken[start : start + 500]
            async with self._database.writing() as session:
                back += await self._store.enqueue_rows(session, batch)
                waking = sa.update(JobRow).where(
                    JobRow.key.in_([job.key for job in batch]), JobRow.state == "done"
                )
                values = {"state": "waiting", "run_at": self._clock(), "finished_at": None}
                back += changed(await session.execute(waking.values(values)))
        return back

    async def take(self, worker: str, kinds: Collection[str], lease_seconds: float) -> Job | None:
        """See ``Queue``. When nothing is due, no write lock is taken."""
        now = self._clock()
        await self._reap(now)
        if not await self._is_due(kinds, now):
            return None
        choice = (
            sa.select(JobRow.key)
            .where(JobRow.state == "waiting", JobRow.kind.in_(kinds), self._run_at() <= now)
            .order_by(*_FIRST_IN_LINE)
            .limit(1)
        )
        leasing = (
            sa.update(JobRow)
            .where(JobRow.key == self._database.locked(choice, is_skipping=True).scalar_subquery())
            .values(
                state="leased",
                worker=worker,
                lease=JobRow.lease + 1,
                leased_until=now + timedelta(seconds=lease_seconds),
            )
            .returning(*_COLUMNS)
        )
        async with self._database.writing() as session:
            row = (await session.execute(leasing)).first()
            return None if row is None else _job(row)

    async def heartbeat(self, job: Job, lease_seconds: float) -> bool:
        """See ``Queue``."""
        until = self._clock() + timedelta(seconds=lease_seconds)
        return await self._end(job, {"leased_until": until})

    async def done(self, job: Job) -> bool:
        """See ``Queue``."""
        values = {"state": "done", "finished_at": self._clock(), "reason": ""}
        return await self._end(job, _FREE | values)

    async def retry(
        self, job: Job, at: datetime, reason: str, *, is_its_doing: bool = True
    ) -> bool:
        """See ``Queue``."""
        values = {"state": "waiting", "run_at": at, "reason": reason}
        attempts = {"attempts": JobRow.attempts + int(is_its_doing)}
        return await self._end(job, _FREE | values | attempts)

    async def dead(self, job: Job, reason: str) -> bool:
        """See ``Queue``."""
        values = {"state": "dead", "finished_at": self._clock(), "reason": reason}
        return await self._end(job, _FREE | values)

    async def revive(self, key: str) -> bool:
        """See ``Queue``."""
        reviving = sa.update(JobRow).where(JobRow.key == key, JobRow.state == "dead")
        values = {
            "state": "waiting",
            "run_at": self._clock(),
            "attempts": 0,
            "lapses": 0,
            "finished_at": None,
        }
        async with self._database.writing() as session:
            return changed(await session.execute(reviving.values(values))) == 1

    async def release(self, worker: str) -> int:
        """See ``Queue``."""
        async with self._database.writing() as session:
            return await self._lapse(session, JobRow.worker == worker, self._clock())

    async def depth(self) -> dict[str, dict[str, int]]:
        """See ``Queue``."""
        query = sa.select(JobRow.kind, JobRow.state, sa.func.count())
        counts: dict[str, dict[str, int]] = {}
        async with self._database.reading() as session:
            rows = await session.execute(query.group_by(JobRow.kind, JobRow.state))
            for kind, state, number in rows:
                counts.setdefault(kind, {})[state] = number
        return counts

    async def oldest_due_at(self) -> datetime | None:
        """See ``Queue``."""
        now = self._clock()
        first = await self._earliest(JobRow.run_at, "waiting")
        return first if first is not None and first <= now else None

    async def next_due_at(self) -> datetime | None:
        """See ``Queue``."""
        times = (
            await self._earliest(JobRow.run_at, "waiting"),
            await self._earliest(JobRow.leased_until, "leased"),
        )
        return min((at for at in times if at is not None), default=None)

    async def dead_letters(self, limit: int = 100) -> list[tuple[Job, str]]:
        """See ``Queue``."""
        query = (
            sa.select(*_COLUMNS, JobRow.reason)
            .where(JobRow.state == "dead")
            .order_by(JobRow.finished_at.desc(), JobRow.key)
            .limit(limit)
        )
        async with self._database.reading() as session:
            return [(_job(row), row.reason) for row in await session.execute(query)]

    async def _is_due(self, kinds: Collection[str], now: datetime) -> bool:
        query = sa.select(JobRow.key).where(
            JobRow.state == "waiting", JobRow.run_at <= now, JobRow.kind.in_(kinds)
        )
        async with self._database.reading() as session:
            return (await session.execute(query.limit(1))).first() is not None

    async def _earliest(self, column: Any, state: str) -> datetime | None:
        query = sa.select(sa.func.min(column)).where(JobRow.state == state)
        async with self._database.reading() as session:
            found: datetime | None = (await session.execute(query)).scalar()
            return found

    async def _end(self, job: Job, values: dict[str, Any]) -> bool:
        """Change a job whose lease is still this one."""
        ending = sa.update(JobRow).where(
            JobRow.key == job.key, JobRow.state == "leased", JobRow.lease == job.lease
        )
        async with self._database.writing() as session:
            return changed(await session.execute(ending.values(values))) == 1

    async def _reap(self, now: datetime) -> None:
        """Give the jobs of silent workers to others, now and then."""
        if self._reaped_at is not None and self._reaped_at <= now < self._reaped_at + _REAP_EVERY:
            return
        self._reaped_at = now
        first = await self._earliest(JobRow.leased_until, "leased")
        if first is not None and first <= now:
            async with self._database.writing() as session:
                await self._lapse(session, JobRow.leased_until <= now, now)

    async def _lapse(self, session: AsyncSession, which: Any, now: datetime) -> int:
        leased = sa.update(JobRow).where(JobRow.state == "leased", which)
        worn = leased.where(JobRow.lapses >= MAX_LAPSES)
        out = {"state": "dead", "reason": "lease-lapsed", "finished_at": now}
        await session.execute(worn.values(_FREE | out))
        again = {"state": "waiting", "lapses": JobRow.lapses + 1}
        return changed(await session.execute(leased.values(_FREE | again)))

    def _run_at(self) -> Any:
        """The column, for SQLite out of reach of its index: the order by rank is worth more."""
        if self._database.is_sqlite:
            return sa.literal_column("+jobs.run_at", Moment)
        return JobRow.run_at


def _job(row: Any) -> Job:
    return Job(
        key=row.key,
        kind=row.kind,
        payload=row.payload,
        priority=-row.rank,
        run_at=row.run_at,
        attempts=row.attempts,
        worker=row.worker,
        lease=row.lease,
    )
