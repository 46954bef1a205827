"""What the rooms of the store share: the database, the clock, the seal and the way to the queue."""

from __future__ import annotations

import base64
import copy
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Never, Protocol, Self, cast

import sqlalchemy as sa

from monitor.errors import NotFoundError
from monitor.store.seal import KEY_BYTES, Seal
from monitor.store.tables_work import InstanceRow, JobRow

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from monitor.model import Job
    from monitor.store.database import Database, Guard

    Enqueue = Callable[[AsyncSession, Sequence[Job]], Awaitable[int]]

Clock = Callable[[], datetime]
INSTANCE_CONTEXT = b"leakmon/instance-key/1"


class Wrapping(Protocol):
    """What the evidence's keyring does for the store: keep one small key safe."""

    @property
    def key_id(self) -> str:
        """The name of the current key."""

    def wrap(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt with the current key."""

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Decrypt with whichever key it was. Raises ConfigError if that one is gone."""


def system_clock() -> datetime:
    """Now, aware."""
    return datetime.now(UTC)


class Core:
    """One database, open. ``enqueue`` writes jobs within a transaction of the store's.

    The default writes the embedded queue's table; the cluster's adapter brings its own.
    """

    def __init__(
        self, database: Database, clock: Clock = system_clock, enqueue: Enqueue | None = None
    ) -> None:
        self.database = database
        self.clock = clock
        self._enqueue: Enqueue = enqueue or self.enqueue_rows
        self._seal: Seal | None = None

    @property
    def seal(self) -> Seal:
        """What makes reports fit to be stored. Only after ``unlock``."""
        assert self._seal is not None, "the store was not unlocked"
        return self._seal

    async def close(self) -> None:
        """Close every connection."""
        await self.database.close()

    async def unlock(self, keyring: Wrapping) -> None:
        """Read the instance key, or make it on the first start; rewrap it after a rotation.

        Raises ConfigError if the key that wraps it is not in the ring.
        """
        now = self.clock()
        async with self.database.writing() as session:
            fresh = keyring.wrap(os.urandom(KEY_BYTES), INSTANCE_CONTEXT)
            made = self.database.insert(InstanceRow).values(
                id=1,
                key_id=keyring.key_id,
                wrapped_key=base64.b64encode(fresh).decode(),
                created_at=now,
            )
            await session.execute(made.on_conflict_do_nothing())
            row = (await session.execute(sa.select(InstanceRow))).scalar_one()
            key = keyring.unwrap(base64.b64decode(row.wrapped_key), INSTANCE_CONTEXT)
            if row.key_id != keyring.key_id:
                row.wrapped_key = base64.b64encode(keyring.wrap(key, INSTANCE_CONTEXT)).decode()
                row.key_id = keyring.key_id
        self.use_seal(Seal(key))

    async def instance_key_id(self) -> str | None:
        """The name of the key which wraps the instance key; None before the first ``unlock``."""
        async with self.database.reading() as session:
            return (await session.execute(sa.select(InstanceRow.key_id))).scalar()

    def use_seal(self, seal: Seal) -> None:
        """Seal reports with this from now on."""
        self._seal = seal

    async def enqueue_rows(self, session: AsyncSession, jobs: Sequence[Job]) -> int:
        """Write jobs into the embedded queue's table, in the caller's transaction; how many new."""
        if not jobs:
            return 0
        now = self.clock()
        rows = [job_row(job, now) for job in jobs]
        made = self.database.insert(JobRow).values(rows).on_conflict_do_nothing()
        return len((await session.execute(made.returning(JobRow.key))).all())

    def guarded(self, guard: Guard) -> Self:
        """The same store, whose every writing transaction begins with ``guard``."""
        made = copy.copy(self)
        made.database = self.database.guarded(guard)
        return made

    async def one(self, session: AsyncSession, query: sa.Select[Any], what: str) -> Any:
        """The first row's first value. Raises NotFoundError."""
        found = (await session.execute(query)).scalars().first()
        if found is None:
            absent(what)
        return found


def absent(what: str) -> Never:
    """Raises NotFoundError."""
    raise NotFoundError(f"{what}: not on record", reason="not-on-record")


def job_row(job: Job, now: Any) -> dict[str, Any]:
    """The columns of a job that comes in at ``now``."""
    return {
        "key": job.key,
        "kind": job.kind,
        "payload": job.payload,
        "version": job.version,
        "rank": -job.priority,
        "state": "waiting",
        "run_at": job.run_at,
        "attempts": job.attempts,
        "lapses": 0,
        "worker": "",
        "lease": 0,
        "leased_until": None,
        "reason": "",
        "created_at": now,
        "finished_at": None,
    }


def changed(result: sa.Result[Any]) -> int:
    """How many rows an UPDATE or DELETE touched."""
    return cast("sa.CursorResult[Any]", result).rowcount
