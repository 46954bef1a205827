"""The cluster's queue: the table of jobs, handed out by procrastinate on PostgreSQL.

The table stays the truth about every job; a job of procrastinate's is only the *ticket* of one that
waits. It is put in by the transaction that makes the job wait and taken out by the transaction that
leases it, on the same connection, so that the two never differ and no promise hangs on the second.

Why not procrastinate's jobs alone: its ``queueing_lock`` keeps a key single while it waits, our
keys are single for good; a job that failed for good or lapsed is told from one that may be revived
by its row; and procrastinate gives a job to a process for as long as that has a heartbeat, where
the port promises a lease with a token, which a worker that hung cannot use any more. What
procrastinate brings: the order by priority and time over any number of takers without a wait
(``SKIP LOCKED``), the call to whoever listens (``NOTIFY``), and a schema which others look after.

Since the truth is in the table, the engine of a database may be changed at any time, both ways,
and the two may even work side by side: ``ensure`` makes the tickets that are missing.
All times are the database's: clocks of machines that differ do no harm.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.jobs.cluster import tickets
from monitor.jobs.cluster.listening import Ear
from monitor.jobs.table import PLACE, TableQueue, job_of, leasing
from monitor.store.tables_work import JobRow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from monitor.model import Job
    from monitor.store import Store

_MOST_MISSED = 5_000


class ClusterQueue(TableQueue):
    """``jobs.Queue`` on PostgreSQL. Its store was opened with ``tickets.enqueue``."""

    is_shared = True

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._ear = Ear(store.database.url)

    async def take(self, worker: str, kinds: Collection[str], lease_seconds: float) -> Job | None:
        """See ``Queue``. Tickets whose job does not wait any more are passed over."""
        await self._reap()
        queues = tickets.queues(kinds)
        while True:
            async with self._database.writing() as session:
                key = await tickets.take(session, queues)
                if key is None:
                    return None
                until = self._now() + timedelta(seconds=lease_seconds)
                due = leasing(key, worker, until).where(
                    JobRow.state == "waiting", JobRow.run_at <= self._now()
                )
                row = (await session.execute(due)).first()
                if row is not None:
                    return job_of(row)
                # Another engine was at work on it: it may be done, or wait for later.
                early = sa.select(*PLACE).where(JobRow.key == key, JobRow.state == "waiting")
                await tickets.put(session, (await session.execute(early)).all())

    async def listen(self, kinds: Collection[str], wake: Callable[[], Awaitable[None]]) -> None:
        """See ``Queue``. It survives PostgreSQL's restarts, and ends only when cancelled."""
        await self._ear.listen(tickets.queues(kinds), wake)

    def _now(self) -> Any:
        return sa.func.now()

    async def _put(self, session: AsyncSession, jobs: Sequence[Job]) -> int:
        return await tickets.enqueue(session, jobs)

    async def _announce(self, session: AsyncSession, places: Sequence[Any]) -> None:
        await tickets.put(session, places)

    async def _withdraw(self, session: AsyncSession, key: str) -> None:
        await tickets.drop(session, key)

    async def _missed(self) -> int:
        async with self._database.writing() as session:
            places = (await session.execute(tickets.without(_MOST_MISSED))).all()
            await tickets.put(session, places)
            return len(places)
