"""The embedded queue: a table of the store's own database, no service beside it.

Any number of workers in one process on SQLite; on PostgreSQL also of several processes. Jobs that
the store enqueues within its own transactions are here the moment those commit.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.jobs import READABLE
from monitor.jobs.table import TableQueue, job_of, leasing
from monitor.store.columns import Moment
from monitor.store.tables_work import JobRow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from datetime import datetime

    from monitor.model import Job

_FIRST_IN_LINE = (JobRow.rank, JobRow.run_at)  # no more than the index has: nothing is sorted


class EmbeddedQueue(TableQueue):
    """``jobs.Queue`` on the store's table."""

    is_shared = False

    async def take(self, worker: str, kinds: Collection[str], lease_seconds: float) -> Job | None:
        """See ``Queue``. When nothing is due, no write lock is taken."""
        await self._reap()
        now = self._clock()
        if not await self._is_due(kinds, now):
            return None
        choice = (
            sa.select(JobRow.key)
            .where(
                JobRow.state == "waiting",
                JobRow.kind.in_(kinds),
                JobRow.version.in_(READABLE),
                self._run_at() <= now,
            )
            .order_by(*_FIRST_IN_LINE)
            .limit(1)
        )
        chosen = self._database.locked(choice, is_skipping=True).scalar_subquery()
        until = now + timedelta(seconds=lease_seconds)
        async with self._database.writing() as session:
            row = (await session.execute(leasing(chosen, worker, until))).first()
            return None if row is None else job_of(row)

    async def listen(self, _kinds: Collection[str], _wake: Callable[[], Awaitable[None]]) -> None:
        """See ``Queue``: whoever puts work in is in this process, and wakes the others itself."""

    async def _is_due(self, kinds: Collection[str], now: datetime) -> bool:
        query = sa.select(JobRow.key).where(
            JobRow.state == "waiting",
            JobRow.run_at <= now,
            JobRow.kind.in_(kinds),
            JobRow.version.in_(READABLE),
        )
        async with self._database.reading() as session:
            return (await session.execute(query.limit(1))).first() is not None

    def _run_at(self) -> Any:
        """The column, for SQLite out of reach of its index: the order by rank is worth more."""
        if self._database.is_sqlite:
            return sa.literal_column("+jobs.run_at", Moment)
        return JobRow.run_at
