"""Engines for both databases, transactions, and what their errors mean to us."""

from __future__ import annotations

import asyncio
import copy
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVarTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from monitor.errors import ConfigError, LeakmonError, TransientError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncEngine

BUSY_MILLISECONDS = 30_000
"""How long a writer waits for another process's transaction."""

_PAUSE = 0.02
"""Seconds between two tries to turn SQLite's log on."""

Columns = TypeVarTuple("Columns")

READING = "leakmon_reading"
"""The execution option of a transaction that only reads: it does not take SQLite's write lock."""


def address(url: str, driver: str = "") -> sa.URL:
    """The database's address for ``driver`` (``aiosqlite``; psycopg 3 serves both ways).

    Raises ConfigError: one line, without the address, which may hold a password.
    """
    try:
        made = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigError("database.url: not an address: write sqlite:///leakmon.db") from None
    kind = made.get_backend_name()
    if kind == "sqlite":
        if not made.database or made.database == ":memory:":
            raise ConfigError("database.url: names no file: write sqlite:///leakmon.db")
        return made.set(drivername=f"sqlite+{driver}" if driver else "sqlite")
    if kind == "postgresql":
        return made.set(drivername="postgresql+psycopg")
    raise ConfigError("database.url: neither SQLite nor PostgreSQL")


def prepare(
    engine: sa.Engine, *, has_foreign_keys: bool = True, busy_milliseconds: int = BUSY_MILLISECONDS
) -> None:
    """Give a SQLite engine its pragmas and honest transactions; PostgreSQL needs nothing."""
    if engine.dialect.name != "sqlite":
        return

    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver shall not begin transactions of its own
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={busy_milliseconds}")
        _write_ahead(cursor, busy_milliseconds)
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute(f"PRAGMA foreign_keys={'ON' if has_foreign_keys else 'OFF'}")
        cursor.close()

    def begun(connection: sa.Connection) -> None:
        is_reading = connection.get_execution_options().get(READING)
        connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", begun)


def _write_ahead(cursor: Any, busy_milliseconds: int) -> None:
    """Turn the log on; while two begin with one new file, SQLite itself waits for nobody here."""
    until = time.monotonic() + busy_milliseconds / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= until:
                raise
            time.sleep(_PAUSE)
        else:
            return


Guard = Callable[[AsyncSession], Awaitable[None]]
"""Looks at the database at the beginning of a transaction, and raises to forbid it."""


class Database:
    """Connections to one database. ``writing`` and ``reading`` are its only two doors."""

    def __init__(self, url: str) -> None:
        self.url = address(url, "aiosqlite")
        self.engine: AsyncEngine = create_async_engine(
            self.url, pool_pre_ping=self.url.get_backend_name() == "postgresql"
        )
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        prepare(self.engine.sync_engine)
        self._readers = self.engine.execution_options(**{READING: True})
        # SQLite has one writer: waiting here is fair, waiting in its busy loop is not.
        self._turn = asyncio.Lock() if self.is_sqlite else nullcontext()
        self.guard: Guard | None = None

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end, rolled back on any error. See ``translated``."""
        async with self._turn, self._session(self.engine) as session:
            if self.guard is not None:
                await self.guard(session)
            yield session

    def guarded(self, guard: Guard) -> Database:
        """The same connections; every writing transaction begins with ``guard``."""
        made = copy.copy(self)
        made.guard = guard
        return made

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """One consistent view, which waits for nobody."""
        async with self._session(self._readers) as session:
            yield session

    @asynccontextmanager
    async def _session(self, engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
        try:
            async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
                yield session
        except DBAPIError as error:
            raise translated(error) from error

    def insert(self, table: Any) -> Any:
        """An INSERT that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def locked(
        self, query: sa.Select[*Columns], *, is_skipping: bool = False
    ) -> sa.Select[*Columns]:
        """``query`` with its rows locked on PostgreSQL; a writing SQLite transaction is alone."""
        return query if self.is_sqlite else query.with_for_update(skip_locked=is_skipping)


def translated(error: DBAPIError) -> LeakmonError:
    """The database's error as one of ours: it may pass (disk full, locked, gone) or it is a bug."""
    text = str(error.orig)
    if any(sign in text for sign in ("disk is full", "No space left", "quota exceeded")):
        return TransientError("the database's disk is full: free some space", reason="disk-full")
    if isinstance(error.orig, sqlite3.OperationalError) and "locked" in text:
        return TransientError("the database is locked by another process", reason="database-locked")
    if "no such table" in text or "does not exist" in text:
        return ConfigError("the database has no tables yet: run leakmon db upgrade")
    if isinstance(error, OperationalError) or error.connection_invalidated:
        cause = type(error.orig).__name__
        return TransientError(f"the database does not answer ({cause})", reason="database")
    return LeakmonError(
        f"the database refused a statement: {text.splitlines()[0]}", reason="database"
    )
