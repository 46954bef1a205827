"""The promises of the port, held by every adapter on every database that it runs on."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.jobs import BACK_OFF, READABLE, next_try
from monitor.jobs.table import MAX_LAPSES
from monitor.model import PAYLOAD_VERSION, Job
from tests.contract import samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs import Queue
    from monitor.store import Store
    from tests.contract.databases import ManualClock

KINDS = ("artifact", "deliver")


@pytest.fixture
def job(clock: ManualClock) -> Callable[..., Job]:
    def make(key: str = "artifact/a", **fields: Any) -> Job:
        values: dict[str, Any] = {"kind": "artifact", "run_at": clock(), "payload": {"artifact": 1}}
        return Job(key=key, **(values | fields))

    return make


async def taken(queue: Queue, worker: str = "w") -> Job:
    found = await queue.take(worker, KINDS, 60)
    assert found is not None
    return found


async def test_a_key_is_taken_in_once_for_good(queue: Queue, job: Callable[..., Job]) -> None:
    assert await queue.enqueue(job())
    assert not await queue.enqueue(job())
    found = await taken(queue)
    assert (found.key, found.kind, found.payload) == ("artifact/a", "artifact", {"artifact": 1})
    assert not await queue.enqueue(job())
    assert await queue.done(found)
    assert not await queue.enqueue(job())
    assert await queue.take("w", KINDS, 60) is None
    assert await queue.depth() == {"artifact": {"done": 1}}


async def test_priority_goes_first_then_age(
    queue: Queue, job: Callable[..., Job], clock: ManualClock
) -> None:
    for key, priority, minutes in (("a", 0, -9), ("c", 5, -3), ("b", 5, -1), ("d", 9, 5)):
        run_at = clock() + timedelta(minutes=minutes)
        await queue.enqueue(job(key, priority=priority, run_at=run_at))
    assert await queue.oldest_due_at() == clock() - timedelta(minutes=9)
    assert [(await taken(queue)).key for _ in range(3)] == ["c", "b", "a"]
    assert await queue.take("w", KINDS, 60) is None
    clock.move(minutes=5)
    assert (await taken(queue)).priority == 9


async def test_only_the_kinds_asked_for(queue: Queue, job: Callable[..., Job]) -> None:
    await queue.enqueue(job(kind="recheck"))
    assert await queue.take("w", KINDS, 60) is None
    assert await queue.take("w", ["recheck"], 60) is not None


async def test_back_off_then_dead_letter_then_revived(
    queue: Queue, job: Callable[..., Job], clock: ManualClock
) -> None:
    await queue.enqueue(job())
    for attempt, wait in enumerate(BACK_OFF, 1):
        found = await taken(queue)
        assert found.attempts == attempt - 1
        at = next_try(attempt, clock())
        assert at == clock() + wait
        assert await queue.retry(found, at, "timeout")
        assert await queue.take("w", KINDS, 60) is None
        assert await queue.next_due_at() == at
        clock.time = at
    found = await taken(queue)
    assert next_try(found.attempts + 1, clock()) is None
    assert await queue.dead(found, "timeout")
    assert await queue.take("w", KINDS, 60) is None
    ((dead, reason),) = await queue.dead_letters()
    assert (dead.key, reason) == (found.key, "timeout")
    assert not await queue.enqueue(job())
    assert await queue.ensure([job()]) == 0
    assert await queue.revive(found.key)
    assert not await queue.revive(found.key)
    assert (await taken(queue)).attempts == 0


async def test_what_is_not_a_jobs_own_doing_does_not_count(
    queue: Queue, job: Callable[..., Job], clock: ManualClock
) -> None:
    await queue.enqueue(job())
    for _ in range(2 * len(BACK_OFF)):
        found = await taken(queue)
        assert await queue.retry(found, clock(), "disk-full", is_its_doing=False)
    assert (await taken(queue)).attempts == 0


async def test_a_silent_worker_loses_its_job(
    queue: Queue, job: Callable[..., Job], clock: ManualClock
) -> None:
    await queue.enqueue(job())
    lost = await taken(queue, "first")
    clock.move(seconds=50)
    assert await queue.heartbeat(lost, 60)
    clock.move(seconds=59)
    assert await queue.take("second", KINDS, 60) is None
    clock.move(seconds=6)
    found = await taken(queue, "second")
    assert (found.key, found.attempts, found.worker) == (lost.key, 0, "second")
    for refused in (
        queue.heartbeat(lost, 60),
        queue.done(lost),
        queue.retry(lost, clock(), "late"),
        queue.dead(lost, "late"),
    ):
        assert not await refused
    assert await queue.done(found)


async def test_a_restart_gives_its_jobs_back_at_once(queue: Queue, job: Callable[..., Job]) -> None:
    for key in "abc":
        await queue.enqueue(job(key))
    lost = [await taken(queue, "daemon"), await taken(queue, "daemon")]
    other = await taken(queue, "other")
    assert await queue.release("daemon") == 2
    assert {(await taken(queue)).key for _ in range(2)} == {one.key for one in lost}
    assert await queue.done(other)


async def test_a_job_that_takes_its_workers_with_it_is_set_aside(
    queue: Queue, job: Callable[..., Job]
) -> None:
    await queue.enqueue(job())
    for _ in range(MAX_LAPSES + 1):
        assert await queue.take("w", KINDS, 60) is not None
        await queue.release("w")
    assert await queue.take("w", KINDS, 60) is None
    ((_, reason),) = await queue.dead_letters()
    assert reason == "lease-lapsed"


async def test_ensure_restores_what_is_missing_or_counts_as_done(
    queue: Queue, job: Callable[..., Job]
) -> None:
    await queue.enqueue(job("waiting"))
    await queue.enqueue(job("done", priority=1))
    await queue.enqueue(job("leased", priority=1))
    leased = await taken(queue)
    done = await taken(queue)
    await queue.done(done)
    jobs = [job(key) for key in ("waiting", leased.key, done.key, "missing")]
    assert await queue.ensure(jobs) == 2
    assert await queue.ensure(jobs) == 0
    assert await queue.depth() == {"artifact": {"waiting": 3, "leased": 1}}


async def test_a_payload_of_another_leakmon_waits_for_one_that_reads_it(
    queue: Queue, job: Callable[..., Job]
) -> None:
    await queue.enqueue(job("older", version=READABLE[0]))
    await queue.enqueue(job("newer", version=PAYLOAD_VERSION + 1, priority=9))
    assert await queue.unreadable() == 1
    assert (await taken(queue)).key == "older"
    assert await queue.take("w", KINDS, 60) is None
    assert await queue.ensure([job("newer")]) == 0
    assert await queue.take("w", KINDS, 60) is None
    await queue.enqueue(job("ancient", version=READABLE[0] - 1, payload={"form": "forgotten"}))
    assert await queue.take("w", KINDS, 60) is None
    await queue.ensure([job("ancient", payload={"form": "of today"})])
    found = await taken(queue)
    assert (found.key, found.version, found.payload) == (
        "ancient",
        PAYLOAD_VERSION,
        {"form": "of today"},
    )


async def test_many_workers_never_share_a_job(queue: Queue, job: Callable[..., Job]) -> None:
    for number in range(60):
        await queue.enqueue(job(f"artifact/{number}"))
    seen: Counter[str] = Counter()

    async def work(name: str) -> None:
        while (found := await queue.take(name, KINDS, 60)) is not None:
            seen[found.key] += 1
            assert await queue.done(found)

    await asyncio.gather(*(work(f"w{number}") for number in range(4)))
    assert len(seen) == 60
    assert set(seen.values()) == {1}


async def test_what_the_store_enqueues_is_in_the_queue(queue: Queue, store: Store) -> None:
    page = samples.page()
    await store.record_page(page, [(page.notices[0], samples.OWNER)])
    found = await queue.take("w", ["resolve"], 60)
    assert found is not None
    await store.announce(samples.release(), samples.OWNER, notice=found.key)
    await queue.done(found)
    assert await queue.ensure(await store.unfinished()) == 0
    artifact = await queue.take("w", ["artifact"], 60)
    assert artifact is not None
    await queue.done(artifact)  # a bug: the artifact is not settled
    assert await queue.ensure(await store.unfinished()) == 1
