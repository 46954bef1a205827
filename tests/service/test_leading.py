"""Of several watches one leads; who lost the lease writes nothing any more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import psycopg
import pytest

from monitor.errors import TransientError
from monitor.http.pace import Clock
from monitor.model import Checkpoint
from monitor.service import leading
from monitor.service.leading import Leadership
from monitor.service.meters import Meters
from monitor.store import Store
from monitor.store.leases import Leases, NotLeaderError
from tests.contract.databases import Databases, databases

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from monitor.service.parts import Parts
    from monitor.store.database import Guard

__all__ = ["databases"]


class Room:
    """The parts that leading needs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = Clock()
        self.meters = Meters()

    def guarded(self, guard: Guard) -> Room:
        return Room(self.store.guarded(guard))


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    made = databases.migrated("postgresql")
    yield made
    databases.drop(made)


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    made = Store.open(url)
    yield made
    await made.close()


def leadership(store: Store, name: str) -> Leadership:
    return Leadership(cast("Parts", Room(store)), name)


def run_out(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE leases SET until = now()")


async def test_a_lease_is_one_holders_until_it_runs_out(store: Store, url: str) -> None:
    leases = Leases(store.database)
    first = await leases.take("watch", "a", 30)
    assert first == 1
    assert await leases.take("watch", "b", 30) is None
    held = await leases.held("watch")
    assert held is not None
    assert held.holder == "a"
    assert await leases.renew("watch", first, 30)
    run_out(url)
    assert await leases.held("watch") is None
    assert await leases.take("watch", "b", 30) == 2
    assert not await leases.renew("watch", first, 30)
    assert not await leases.release("watch", first)
    assert await leases.release("watch", 2)
    assert await leases.take("watch", "a", 30) == 3


async def test_who_lost_the_lease_writes_nothing(store: Store, url: str) -> None:
    leases = Leases(store.database)
    token = await leases.take("watch", "a", 30)
    assert token is not None
    led = store.guarded(leases.guard("watch", token))
    mark = Checkpoint(feed="npm", position="1", moved_at=store.clock())
    await led.set_checkpoint(mark)
    run_out(url)
    await led.set_checkpoint(mark)  # nobody has taken it over: still ours to write
    assert await leases.take("watch", "b", 30)
    with pytest.raises(NotLeaderError):
        await led.set_checkpoint(Checkpoint(feed="npm", position="0", moved_at=store.clock()))
    assert (await store.checkpoints())["npm"].position == "1"


async def test_nobody_takes_over_in_the_middle_of_a_leaders_transaction(
    store: Store, url: str
) -> None:
    leases = Leases(store.database)
    token = await leases.take("watch", "a", 30)
    assert token is not None
    led = store.guarded(leases.guard("watch", token))
    async with led.database.writing():
        run_out_later = asyncio.create_task(asyncio.to_thread(run_out, url))
        done, _ = await asyncio.wait({run_out_later}, timeout=0.2)
        assert not done
    await run_out_later
    assert await leases.take("watch", "b", 30)


async def test_one_leads_and_the_other_follows(store: Store) -> None:
    stopping = asyncio.Event(), asyncio.Event()
    leaders: asyncio.Queue[str] = asyncio.Queue()

    def term(name: str, until: asyncio.Event) -> leading.Term:
        async def work(_led: Parts) -> None:
            await leaders.put(name)
            await until.wait()

        return work

    first = asyncio.create_task(leadership(store, "a").loop(term("a", stopping[0]), stopping[0]))
    assert await leaders.get() == "a"
    other = leadership(store, "b")
    assert await other.once(term("b", stopping[1])) == "a"
    second = asyncio.create_task(other.loop(term("b", stopping[1]), stopping[1]))
    stopping[0].set()
    await first
    assert await leaders.get() == "b"  # the first gave the lease back: no need to wait for its end
    assert other.is_leading
    stopping[1].set()
    await second
    assert not other.is_leading


async def test_a_leader_that_lost_its_lease_is_stopped_at_once(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leading, "RENEW_SECONDS", 0.05)
    stopping, begun, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(_led: Parts) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    loop = asyncio.create_task(leadership(store, "a").loop(work, stopping))
    await begun.wait()
    run_out(url)
    while await Leases(store.database).take("watch", "thief", 30) is None:
        run_out(url)  # it was prolonged in between
    await ended.wait()
    stopping.set()
    await loop


async def test_an_error_of_the_leaders_work_ends_the_process(store: Store) -> None:
    async def work(_led: Parts) -> None:
        raise TransientError("it cannot live", reason="loop-died")

    with pytest.raises(TransientError, match="cannot live"):
        await leadership(store, "a").loop(work, asyncio.Event())
    assert await Leases(store.database).held("watch") is None
