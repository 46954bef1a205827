"""What the cluster's queue promises beside the port: no ticket is lost, engines may change."""

from __future__ import annotations

import asyncio
from importlib import resources
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa

from monitor.errors import ConfigError, TransientError
from monitor.jobs import choice
from monitor.jobs.cluster import ClusterQueue, schema
from monitor.jobs.embedded import EmbeddedQueue
from monitor.model import Job
from monitor.store import Store, migrations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.contract.databases import Databases, ManualClock

KINDS = ("artifact",)


@pytest.fixture
def place() -> tuple[str, str]:
    return choice.PROCRASTINATE, "postgresql"


@pytest.fixture
def plain_url(databases: Databases) -> Iterator[str]:
    """A database whose time passes, with procrastinate's tables."""
    made = databases.migrated("postgresql")
    schema.upgrade(made)
    yield made
    databases.drop(made)


@pytest.fixture
async def plain_store(plain_url: str) -> AsyncIterator[Store]:
    made = Store.open(plain_url, enqueue=choice.enqueue(choice.PROCRASTINATE))
    yield made
    await made.close()


def job(key: str, store: Store) -> Job:
    return Job(key=key, kind="artifact", run_at=store.clock())


async def tickets(url: str) -> list[str]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        found = await connection.execute("SELECT queueing_lock FROM procrastinate_jobs ORDER BY id")
        return [row[0] for row in await found.fetchall()]


async def test_a_waiting_job_has_one_ticket_and_no_other_job_has_any(
    store: Store, url: str
) -> None:
    queue = ClusterQueue(store)
    for key in "abcd":
        assert await queue.enqueue(job(key, store))
        assert not await queue.enqueue(job(key, store))
    assert await tickets(url) == ["a", "b", "c", "d"]
    taken = [await queue.take("w", KINDS, 60) for _ in "abcd"]
    assert await tickets(url) == []
    a, b, c, d = taken
    assert a is not None
    assert b is not None
    assert c is not None
    assert d is not None
    await queue.done(a)
    await queue.retry(b, store.clock(), "timeout")
    await queue.dead(c, "timeout")
    assert await tickets(url) == ["b"]
    assert await queue.release("w") == 1
    assert sorted(await tickets(url)) == ["b", "d"]
    await queue.revive("c")
    assert sorted(await tickets(url)) == ["b", "c", "d"]


async def test_what_a_transaction_takes_back_was_never_in_the_queue(store: Store, url: str) -> None:
    async def enqueued_and_failed() -> None:
        enqueue = choice.enqueue(choice.PROCRASTINATE)
        assert enqueue is not None
        async with store.database.writing() as session:
            assert await enqueue(session, [job("a", store)]) == 1
            raise LookupError

    with pytest.raises(LookupError):
        await enqueued_and_failed()
    assert await tickets(url) == []
    assert await ClusterQueue(store).take("w", KINDS, 60) is None


async def test_a_queue_that_is_lost_loses_nothing(store: Store, url: str) -> None:
    queue = ClusterQueue(store)
    for key in "abc":
        await queue.enqueue(job(key, store))
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE procrastinate_jobs CASCADE")
    assert await queue.take("w", KINDS, 60) is None
    assert await queue.ensure([]) == 3
    assert await queue.ensure([]) == 0
    assert {(await queue.take("w", KINDS, 60) or job("", store)).key for _ in "abc"} == {*"abc"}


async def test_both_engines_work_side_by_side(store: Store, clock: ManualClock) -> None:
    cluster, embedded = ClusterQueue(store), EmbeddedQueue(store)
    for key in "ab":
        await cluster.enqueue(job(key, store))
    by_table = await embedded.take("e", KINDS, 60)
    assert by_table is not None
    await embedded.retry(by_table, clock.move(minutes=1), "later")
    clock.move(minutes=-1)
    by_ticket = await cluster.take("c", KINDS, 60)
    assert by_ticket is not None
    assert {by_table.key, by_ticket.key} == {"a", "b"}
    await cluster.done(by_ticket)
    assert await cluster.take("c", KINDS, 60) is None  # its ticket is early: put back
    clock.move(minutes=1)
    again = await cluster.take("c", KINDS, 60)
    assert again is not None
    assert again.key == by_table.key
    await embedded.enqueue(job("c", store))
    assert await cluster.take("c", KINDS, 60) is None
    assert await cluster.ensure([]) == 1
    assert await cluster.take("c", KINDS, 60) is not None


async def test_whoever_listens_hears_of_new_work(plain_store: Store) -> None:
    queue = ClusterQueue(plain_store)
    heard = asyncio.Event()
    calls = 0

    async def wake() -> None:
        nonlocal calls
        calls += 1
        heard.set()

    listening = asyncio.create_task(queue.listen(KINDS, wake))
    try:
        async with asyncio.timeout(60):
            number = 0
            while not heard.is_set():  # until the connection listens nobody hears
                number += 1
                await queue.enqueue(job(f"a{number}", plain_store))
                await asyncio.wait([asyncio.ensure_future(heard.wait())], timeout=0.1)
    finally:
        listening.cancel()
    assert calls >= 1


async def test_a_database_without_procrastinate_says_what_to_do(databases: Databases) -> None:
    url = databases.migrated("postgresql")
    store = Store.open(url, enqueue=choice.enqueue(choice.PROCRASTINATE))
    try:
        with pytest.raises(ConfigError, match="leakmon db upgrade"):
            await ClusterQueue(store).take("w", KINDS, 60)
    finally:
        await store.close()
        databases.drop(url)


async def test_a_connection_that_is_cut_is_an_error_that_passes(
    plain_store: Store, plain_url: str
) -> None:
    queue = ClusterQueue(plain_store)
    await queue.enqueue(job("a", plain_store))

    async def cut() -> None:
        async with plain_store.database.writing() as session:
            own = (await session.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
            with psycopg.connect(plain_url, autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(%s)", [own])
            enqueue = choice.enqueue(choice.PROCRASTINATE)
            assert enqueue is not None
            await enqueue(session, [job("b", plain_store)])

    with pytest.raises(TransientError, match="does not answer"):
        await cut()
    found = await queue.take("w", KINDS, 60)
    assert found is not None
    assert found.key == "a"


def test_procrastinates_schema_is_applied_once(databases: Databases) -> None:
    url = databases.migrated("postgresql")
    try:
        assert schema.upgrade(url) == ["schema"]
        assert schema.upgrade(url) == []
        assert migrations.differences(url) == []
    finally:
        databases.drop(url)


def test_an_older_schema_of_procrastinates_is_brought_up_to_date(databases: Databases) -> None:
    """As of 3.0: its migrations one by one, then ours from there; what drops waits for a second."""
    url = databases.migrated("postgresql")
    folder = resources.files("procrastinate.sql").joinpath("migrations")
    old = [name for name in schema.known() if name < "03.01"]
    try:
        with psycopg.connect(url) as connection:
            for name in old:
                connection.execute(folder.joinpath(name).read_text("utf-8").encode())
            connection.execute("CREATE TABLE procrastinate_migrations (name text PRIMARY KEY)")
            for name in old:
                connection.execute("INSERT INTO procrastinate_migrations VALUES (%s)", [name])
        first, second = schema.upgrade(url), schema.upgrade(url)
        assert first
        assert all("_pre_" in name for name in first)
        assert second
        assert all("_post_" in name for name in second)
        assert schema.upgrade(url) == []
    finally:
        databases.drop(url)


@pytest.mark.parametrize(
    ("wanted", "url", "chosen"),
    [
        ("auto", "sqlite:///leakmon.db", choice.EMBEDDED),
        ("auto", "postgresql://host/leakmon", choice.PROCRASTINATE),
        ("embedded", "postgresql://host/leakmon", choice.EMBEDDED),
        ("procrastinate", "postgresql://host/leakmon", choice.PROCRASTINATE),
    ],
)
def test_the_engine_is_chosen(wanted: str, url: str, chosen: str) -> None:
    assert choice.engine(wanted, url) == chosen


def test_the_cluster_needs_postgresql_and_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="needs PostgreSQL"):
        choice.engine("procrastinate", "sqlite:///leakmon.db")
    monkeypatch.setattr(choice, "find_spec", lambda _: None)
    assert choice.engine("auto", "postgresql://host/leakmon") == choice.EMBEDDED
    with pytest.raises(ConfigError, match=r"pip install 'leakmon\[cluster\]'"):
        choice.engine("procrastinate", "postgresql://host/leakmon")
