"""Tickets: procrastinate's jobs, one for each job of ours that waits, inside our transactions.

A ticket is in the queue ``KIND.FORM``, so that nobody fetches a payload that he cannot read; its
``queueing_lock`` is the job's key. Everything goes by procrastinate's own ``JobManager``, on the
connection of the session; its table is read directly only to see which keys have a ticket.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
import sqlalchemy as sa
from procrastinate import PsycopgConnector, exceptions
from procrastinate.connector import BaseAsyncConnector
from procrastinate.jobs import Job as Ticket
from procrastinate.jobs import Status
from procrastinate.manager import JobManager
from sqlalchemy.dialects.postgresql import insert

from monitor.errors import ConfigError, LeakmonError, TransientError
from monitor.jobs import READABLE
from monitor.jobs.table import PLACE
from monitor.store.core import job_row
from monitor.store.tables_work import JobRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from monitor.model import Job

TASK = "leakmon"
"""The name of the task; no worker of procrastinate's own ever runs it."""

_BATCH = 500
_ROWS = sa.table("procrastinate_jobs", sa.column("queueing_lock", sa.Text()))
_TODO: sa.ColumnElement[bool] = sa.literal_column("procrastinate_jobs.status = 'todo'")


class _Within(BaseAsyncConnector):
    """Procrastinate's queries on a connection whose transaction is somebody else's."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection
        self._asker = PsycopgConnector()  # never opened: it only knows how to ask

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        await self.execute_query_all_async(query, **arguments)

    async def execute_query_one_async(
        self, query: LiteralString, **arguments: Any
    ) -> dict[str, Any]:
        found: dict[str, Any] = await self._asker.execute_query_one_async_with_connection(
            self._connection, query, **arguments
        )
        return found

    async def execute_query_all_async(
        self, query: LiteralString, **arguments: Any
    ) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self._asker.execute_query_all_async_with_connection(
            self._connection, query, **arguments
        )
        return found


def queues(kinds: Collection[str]) -> list[str]:
    """The queues of these kinds that this leakmon reads."""
    return [f"{kind}.{form}" for kind in kinds for form in READABLE]


async def enqueue(session: AsyncSession, jobs: Sequence[Job]) -> int:
    """Take in the jobs whose keys are new, in the caller's transaction; how many (``Enqueue``)."""
    if not jobs:
        return 0
    rows = [job_row(job, sa.func.now()) for job in jobs]
    made = insert(JobRow).values(rows).on_conflict_do_nothing().returning(*PLACE)
    places = (await session.execute(made)).all()
    await put(session, places)
    return len(places)


async def put(session: AsyncSession, places: Sequence[Any]) -> None:
    """Make tickets for waiting jobs, given as rows of ``PLACE``, that have none."""
    for start in range(0, len(places), _BATCH):
        batch = places[start : start + _BATCH]
        known = sa.select(_ROWS.c.queueing_lock).where(
            _TODO, _ROWS.c.queueing_lock.in_([place.key for place in batch])
        )
        has_one = set((await session.execute(known)).scalars())
        made = [_ticket(place) for place in batch if place.key not in has_one]
        if made:
            with asked():
                await (await _way(session)).batch_defer_jobs_async(made)


async def take(session: AsyncSession, names: Sequence[str]) -> str | None:
    """The key of the next due ticket of these queues, which is used up by this."""
    with asked():
        way = await _way(session)
        # No worker: the one who takes it is told from others by the lease.
        ticket = await way.fetch_job(list(names), None)  # type: ignore[arg-type]
        if ticket is None or ticket.id is None:
            return None
        await way.finish_job_by_id_async(ticket.id, Status.SUCCEEDED, delete_job=True)
        return ticket.queueing_lock or ""


async def drop(session: AsyncSession, key: str) -> None:
    """Take back the ticket of a job, if it has one."""
    with asked():
        way = await _way(session)
        for ticket in await way.list_jobs_async(queueing_lock=key, status=Status.TODO.value):
            assert ticket.id is not None
            await way.cancel_job_by_id_async(ticket.id, delete_job=True)


def without(limit: int) -> sa.Select[str, str, int, int, datetime]:
    """Waiting jobs that have no ticket, as rows of ``PLACE``."""
    has_one = sa.exists().where(_TODO, _ROWS.c.queueing_lock == JobRow.key)
    return sa.select(*PLACE).where(JobRow.state == "waiting", ~has_one).limit(limit)


@contextmanager
def asked() -> Iterator[None]:
    """Procrastinate's errors as ours."""
    try:
        yield
    except exceptions.ConnectorException as error:
        cause = error.__cause__
        if isinstance(cause, psycopg.errors.UndefinedFunction | psycopg.errors.UndefinedTable):
            raise ConfigError(
                "the database has no tables of procrastinate's yet: run leakmon db upgrade"
            ) from error
        name = type(cause or error).__name__
        if isinstance(cause, psycopg.OperationalError):
            raise TransientError(
                f"the database does not answer ({name})", reason="database"
            ) from error
        raise LeakmonError(f"the queue refused a statement: {name}", reason="database") from error


async def _way(session: AsyncSession) -> JobManager:
    raw = await (await session.connection()).get_raw_connection()
    connection = raw.driver_connection
    assert isinstance(connection, psycopg.AsyncConnection)
    return JobManager(_Within(connection))


def _ticket(place: Any) -> Ticket:
    return Ticket(
        queue=f"{place.kind}.{place.version}",
        task_name=TASK,
        lock=None,
        queueing_lock=place.key,
        priority=-place.rank,
        scheduled_at=place.run_at,
    )
