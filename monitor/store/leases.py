"""Leases: what only one process of a cluster may do, and how the others are kept from it.

A lease is a row with a fencing token, not an advisory lock of the database: it survives a restart
of PostgreSQL and a pooler that shares sessions, it can be read by people, and a holder that slept
through its end is told from the next one by the token. ``guard`` makes a transaction of the
holder's fail once somebody else has the lease. All times are the database's own, so that clocks of
machines which differ do no harm.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from msgspec import Struct

from monitor.errors import TransientError
from monitor.store.core import changed, system_clock
from monitor.store.tables_work import LeaseRow

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from monitor.store.core import Clock
    from monitor.store.database import Database, Guard


class NotLeaderError(TransientError):
    """Another process has the lease now: what was begun is not ours to end."""

    default_reason = "not-leader"


class Held(Struct, frozen=True):
    """Who holds a lease, and until when if it is not prolonged."""

    holder: str
    until: datetime


class Leases:
    """The leases of one database. ``clock`` counts on SQLite alone, which has no cluster."""

    def __init__(self, database: Database, clock: Clock = system_clock) -> None:
        self._database = database
        self._clock = clock

    async def take(self, name: str, holder: str, seconds: float) -> int | None:
        """The token of the lease if it was free or had run out, else None."""
        now = self._now()
        values = {"holder": holder, "until": now + timedelta(seconds=seconds)}
        made = self._database.insert(LeaseRow).values(name=name, token=1, **values)
        taking = made.on_conflict_do_update(
            index_elements=[LeaseRow.name],
            set_={**values, "token": LeaseRow.token + 1},
            where=LeaseRow.until <= now,
        ).returning(LeaseRow.token)
        async with self._database.writing() as session:
            found: int | None = (await session.execute(taking)).scalar()
            return found

    async def renew(self, name: str, token: int, seconds: float) -> bool:
        """Prolong it to ``seconds`` from now; False if it is somebody else's."""
        until = self._now() + timedelta(seconds=seconds)
        return await self._set(name, token, until)

    async def release(self, name: str, token: int) -> bool:
        """Let the next one have it at once."""
        return await self._set(name, token, self._now())

    async def held(self, name: str) -> Held | None:
        """Who has it now."""
        query = sa.select(LeaseRow).where(LeaseRow.name == name, LeaseRow.until > self._now())
        async with self._database.reading() as session:
            row = (await session.execute(query)).scalar()
            return None if row is None else Held(row.holder, row.until)

    def guard(self, name: str, token: int) -> Guard:
        """Raises NotLeaderError at the beginning of a transaction if the lease is lost.

        The row stays locked until the transaction ends: nobody takes the lease over meanwhile.
        """
        query = sa.select(LeaseRow.token).where(LeaseRow.name == name, LeaseRow.token == token)
        if not self._database.is_sqlite:
            query = query.with_for_update(read=True)

        async def check(session: AsyncSession) -> None:
            if (await session.execute(query)).first() is None:
                raise NotLeaderError(f"the lease {name!r} is somebody else's now")

        return check

    async def _set(self, name: str, token: int, until: Any) -> bool:
        setting = sa.update(LeaseRow).where(LeaseRow.name == name, LeaseRow.token == token)
        async with self._database.writing() as session:
            return changed(await session.execute(setting.values(until=until))) == 1

    def _now(self) -> Any:
        return self._clock() if self._database.is_sqlite else sa.func.now()
