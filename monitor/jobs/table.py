"""The table of jobs: what is true of each of them, whichever adapter hands them out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.jobs import READABLE
from monitor.model import Job
from monitor.store.core import changed
from monitor.store.tables_work import JobRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from monitor.store import Store

MAX_LAPSES = 20
"""How often a job may lose its worker. Many, since a killed daemon is rarely the job's doing."""

COLUMNS = (
    JobRow.key,
    JobRow.kind,
    JobRow.payload,
    JobRow.version,
    JobRow.rank,
    JobRow.run_at,
    JobRow.attempts,
    JobRow.worker,
    JobRow.lease,
)
PLACE = (JobRow.key, JobRow.kind, JobRow.version, JobRow.rank, JobRow.run_at)
"""What decides when a waiting job is handed out, and to whom."""

_REAP_EVERY = timedelta(seconds=5)
_BATCH = 500
_FREE: dict[str, Any] = {"worker": "", "leased_until": None}


class TableQueue:
    """Everything of ``jobs.Queue`` but taking, and putting in, which are the adapter's."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._database = store.database
        self._clock = store.clock
        self._reaped_at: datetime | None = None

    async def enqueue(self, job: Job) -> bool:
        """See ``Queue``."""
        async with self._database.writing() as session:
            return await self._put(session, [job]) == 1

    async def ensure(self, jobs: Iterable[Job]) -> int:
        """See ``Queue``."""
        taken = list(jobs)
        back = 0
        for start in range(0, len(taken), _BATCH):
            batch = taken[start : start + _BATCH]
            async with self._database.writing() as session:
                back += await self._put(session, batch)
                back += await self._wake(session, [job.key for job in batch])
                await self._renew(session, batch)
        return back + await self._missed()

    async def heartbeat(self, job: Job, lease_seconds: float) -> bool:
        """See ``Queue``."""
        until = self._now() + timedelta(seconds=lease_seconds)
        return await self._end(job, {"leased_until": until})

    async def done(self, job: Job) -> bool:
        """See ``Queue``."""
        values = {"state": "done", "finished_at": self._now(), "reason": ""}
        return await self._end(job, _FREE | values)

    async def retry(
        self, job: Job, at: datetime, reason: str, *, is_its_doing: bool = True
    ) -> bool:
        """See ``Queue``."""
        values = {"state": "waiting", "run_at": at, "reason": reason}
        again = _FREE | values | {"attempts": JobRow.attempts + int(is_its_doing)}
        retrying = self._leased(job).values(again).returning(*PLACE)
        async with self._database.writing() as session:
            return await self._back(session, retrying) == 1

    async def dead(self, job: Job, reason: str) -> bool:
        """See ``Queue``."""
        values = {"state": "dead", "finished_at": self._now(), "reason": reason}
        return await self._end(job, _FREE | values)

    async def revive(self, key: str) -> bool:
        """See ``Queue``."""
        values = {
            "state": "waiting",
            "run_at": self._now(),
            "attempts": 0,
            "lapses": 0,
            "finished_at": None,
        }
        reviving = sa.update(JobRow).where(JobRow.key == key, JobRow.state == "dead")
        async with self._database.writing() as session:
            return await self._back(session, reviving.values(values).returning(*PLACE)) == 1

    async def release(self, worker: str) -> int:
        """See ``Queue``."""
        async with self._database.writing() as session:
            return await self._lapse(session, JobRow.worker == worker)

    async def depth(self) -> dict[str, dict[str, int]]:
        """See ``Queue``."""
        query = sa.select(JobRow.kind, JobRow.state, sa.func.count())
        counts: dict[str, dict[str, int]] = {}
        async with self._database.reading() as session:
            rows = await session.execute(query.group_by(JobRow.kind, JobRow.state))
            for kind, state, number in rows:
                counts.setdefault(kind, {})[state] = number
        return counts

    async def unreadable(self) -> int:
        """See ``Queue``."""
        query = sa.select(sa.func.count()).where(
            JobRow.state == "waiting", JobRow.version.not_in(READABLE)
        )
        async with self._database.reading() as session:
            return int((await session.execute(query)).scalar_one())

    async def oldest_due_at(self) -> datetime | None:
        """See ``Queue``."""
        due = sa.and_(JobRow.state == "waiting", JobRow.run_at <= self._now())
        return await self._earliest(JobRow.run_at, due)

    async def next_due_at(self) -> datetime | None:
        """See ``Queue``."""
        times = (
            await self._earliest(JobRow.run_at, JobRow.state == "waiting"),
            await self._earliest(JobRow.leased_until, JobRow.state == "leased"),
        )
        return min((at for at in times if at is not None), default=None)

    async def dead_letters(self, limit: int = 100) -> list[tuple[Job, str]]:
        """See ``Queue``."""
        query = (
            sa.select(*COLUMNS, JobRow.reason)
            .where(JobRow.state == "dead")
            .order_by(JobRow.finished_at.desc(), JobRow.key)
            .limit(limit)
        )
        async with self._database.reading() as session:
            return [(job_of(row), row.reason) for row in await session.execute(query)]

    def _now(self) -> Any:
        """Now, as a value or as SQL."""
        return self._clock()

    async def _put(self, session: AsyncSession, jobs: Sequence[Job]) -> int:
        """Take in the jobs whose keys are new; how many."""
        return await self._store.enqueue_rows(session, jobs)

    async def _announce(self, session: AsyncSession, places: Sequence[Any]) -> None:
        """Jobs (rows of ``PLACE``) that were not waiting are waiting now."""

    async def _withdraw(self, session: AsyncSession, key: str) -> None:
        """A waiting job is to be announced anew: take back that it waits."""

    async def _missed(self) -> int:
        """Let no job wait where nobody sees it; how many did."""
        return 0

    async def _back(self, session: AsyncSession, statement: Any) -> int:
        """Run what makes jobs wait again, and announce them; how many."""
        places = (await session.execute(statement)).all()
        await self._announce(session, places)
        return len(places)

    async def _wake(self, session: AsyncSession, keys: Sequence[str]) -> int:
        waking = sa.update(JobRow).where(JobRow.key.in_(keys), JobRow.state == "done")
        values = {"state": "waiting", "run_at": self._now(), "finished_at": None}
        return await self._back(session, waking.values(values).returning(*PLACE))

    async def _renew(self, session: AsyncSession, jobs: Sequence[Job]) -> None:
        """Write anew the payloads that are in a form which nobody reads any more."""
        old = sa.select(JobRow.key).where(
            JobRow.key.in_([job.key for job in jobs]),
            JobRow.state == "waiting",
            JobRow.version < READABLE[0],
        )
        keys = set((await session.execute(old)).scalars())
        for job in jobs:
            if job.key in keys:
                renewing = sa.update(JobRow).where(JobRow.key == job.key)
                values = {"payload": job.payload, "version": job.version}
                await self._withdraw(session, job.key)
                await self._back(session, renewing.values(values).returning(*PLACE))

    def _leased(self, job: Job) -> sa.Update:
        """An update of the job, if its lease is still this one."""
        return sa.update(JobRow).where(
            JobRow.key == job.key, JobRow.state == "leased", JobRow.lease == job.lease
        )

    async def _end(self, job: Job, values: dict[str, Any]) -> bool:
        async with self._database.writing() as session:
            return changed(await session.execute(self._leased(job).values(values))) == 1

    async def _earliest(self, column: Any, which: Any) -> datetime | None:
        query = sa.select(sa.func.min(column)).where(which)
        async with self._database.reading() as session:
            found: datetime | None = (await session.execute(query)).scalar()
            return found

    async def _reap(self) -> None:
        """Give the jobs of silent workers to others, now and then."""
        at = self._clock()
        if self._reaped_at is not None and self._reaped_at <= at < self._reaped_at + _REAP_EVERY:
            return
        self._reaped_at = at
        silent = sa.and_(JobRow.state == "leased", JobRow.leased_until <= self._now())
        if await self._earliest(JobRow.leased_until, silent) is not None:
            async with self._database.writing() as session:
                await self._lapse(session, JobRow.leased_until <= self._now())

    async def _lapse(self, session: AsyncSession, which: Any) -> int:
        leased = sa.update(JobRow).where(JobRow.state == "leased", which)
        worn = leased.where(JobRow.lapses >= MAX_LAPSES)
        out = {"state": "dead", "reason": "lease-lapsed", "finished_at": self._now()}
        await session.execute(worn.values(_FREE | out))
        again = leased.values(_FREE | {"state": "waiting", "lapses": JobRow.lapses + 1})
        return await self._back(session, again.returning(*PLACE))


def job_of(row: Any) -> Job:
    """The job of a row of ``COLUMNS``."""
    return Job(
        key=row.key,
        kind=row.kind,
        payload=row.payload,
        version=row.version,
        priority=-row.rank,
        run_at=row.run_at,
        attempts=row.attempts,
        worker=row.worker,
        lease=row.lease,
    )


def leasing(key: Any, worker: str, until: Any) -> Any:
    """The statement that leases a waiting job, and gives its ``COLUMNS``."""
    return (
        sa.update(JobRow)
        .where(JobRow.key == key)
        .values(state="leased", worker=worker, lease=JobRow.lease + 1, leased_until=until)
        .returning(*COLUMNS)
    )
