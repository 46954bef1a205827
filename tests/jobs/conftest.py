"""A queue of each adapter, on each database that it runs on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from monitor.jobs import choice
from monitor.store import Seal, Store
from tests.contract.databases import SEAL_KEY, Databases, clock, databases

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from monitor.jobs import Queue
    from tests.contract.databases import ManualClock

__all__ = ["clock", "databases"]

PLACES = (
    (choice.EMBEDDED, "sqlite"),
    (choice.EMBEDDED, "postgresql"),
    (choice.PROCRASTINATE, "postgresql"),
)


@pytest.fixture(params=PLACES, ids="-".join)
def place(request: pytest.FixtureRequest) -> tuple[str, str]:
    engine, database = request.param
    return engine, database


@pytest.fixture
def engine(place: tuple[str, str]) -> str:
    return place[0]


@pytest.fixture
def url(databases: Databases, place: tuple[str, str], clock: ManualClock) -> Iterator[str]:
    engine, database = place
    made = databases.migrated(database)
    choice.upgrade(engine, made)
    try:
        if engine == choice.EMBEDDED:
            yield made
        else:
            with shown(clock, made) as timed:
                yield timed
    finally:
        databases.drop(made)


@pytest.fixture
async def store(url: str, engine: str, clock: ManualClock) -> AsyncIterator[Store]:
    made = Store.open(url, clock=clock, enqueue=choice.enqueue(engine))
    made.use_seal(Seal(SEAL_KEY))
    yield made
    await made.close()


@pytest.fixture
def queue(store: Store, engine: str) -> Queue:
    return choice.queue(engine, store)


@contextmanager
def shown(clock: ManualClock, url: str) -> Iterator[str]:
    """An address of the database under which its ``now()`` is the clock's time.

    A function of that name stands before the server's own on the search path of each connection:
    procrastinate's functions and our statements see the same time, and none has to pass.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA shown")
        connection.execute("CREATE TABLE shown.clock (at timestamptz NOT NULL)")
        connection.execute("INSERT INTO shown.clock VALUES (%s)", [clock()])
        connection.execute(
            "CREATE FUNCTION shown.now() RETURNS timestamptz LANGUAGE sql STABLE"
            " AS 'SELECT at FROM shown.clock'"
        )
        clock.told.append(lambda at: connection.execute("UPDATE shown.clock SET at = %s", [at]))
        mark = "&" if "?" in url else "?"
        yield f"{url}{mark}options=-csearch_path%3Dshown,pg_catalog,public"
