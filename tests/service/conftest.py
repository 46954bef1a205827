"""The daemon's parts in this process: real servers, a real database, a clock that can be moved."""

from __future__ import annotations

import asyncio
import shutil
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.config import Settings, cache_folder, environment
from monitor.config.settings import Copies, Service
from monitor.evidence.places import open_evidence
from monitor.http.pace import Clock
from monitor.jobs import LEASE_SECONDS
from monitor.jobs.embedded import EmbeddedQueue
from monitor.registries import network
from monitor.rules import bundled_rules_folder
from monitor.sandbox import Sandbox
from monitor.sandbox import Settings as SandboxSettings
from monitor.service.parts import Parts
from monitor.service.workers import Worker
from monitor.store import Store, migrations
from tests.watchers.conftest import machine, npm, npm_site, pypi, pypi_site, settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from monitor.alerts import Channel
    from monitor.model import Job, Organisation
    from monitor.registries.client_config import Machine
    from tests.watch_servers.npm import NpmServer
    from tests.watch_servers.pypi import PypiServer

__all__ = ["machine", "npm", "npm_site", "pypi", "pypi_site"]

KINDS = ("resolve", "stranger", "recheck", "artifact")


class MovedClock(Clock):
    """The real time and what it was moved by; sleeps pass at once, as moves.

    Only a worker's heartbeat sleeps on: it would move time for as long as its job takes.
    """

    def __init__(self) -> None:
        self.by = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by

    def monotonic(self) -> float:
        return time.monotonic() + self.by.total_seconds()

    async def sleep(self, seconds: float) -> None:
        if seconds == LEASE_SECONDS / 4:
            await asyncio.Event().wait()
        self.by += timedelta(seconds=seconds)

    def random(self) -> float:
        return 0.5

    def move(self, **parts: float) -> None:
        self.by += timedelta(**parts)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    settings = SandboxSettings(
        rule_folders=(bundled_rules_folder(),), cache_folder=cache_folder(environment())
    )
    with Sandbox(settings) as made:
        yield made


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("database") / "leakmon.db"
    migrations.upgrade(f"sqlite:///{path}")
    return path


Opened = "Callable[..., AbstractAsyncContextManager[Parts]]"


@pytest.fixture
def opened(
    tmp_path: Path, machine: Machine, clock: MovedClock, sandbox: Sandbox, empty_database: Path
) -> Callable[..., AbstractAsyncContextManager[Parts]]:
    """``opened(npm, pypi, organisations)``: the parts, on this test's folder."""
    url = f"sqlite:///{tmp_path / 'leakmon.db'}"
    shutil.copy(empty_database, tmp_path / "leakmon.db")

    @asynccontextmanager
    async def parts(  # noqa: PLR0917 - the two registries and the owner go without a name
        npm: NpmServer | None,
        pypi: PypiServer | None,
        organisations: Sequence[Organisation],
        told: Sequence[Channel] = (),
        service: Service = Service(canary_minutes=0),  # noqa: B008 - frozen
        copies: Copies = Copies(),  # noqa: B008 - frozen
    ) -> AsyncIterator[Parts]:
        registries = settings_of(npm, pypi)
        evidence = open_evidence(f"file:{tmp_path / 'evidence'}", None).evidence
        store = Store.open(url, clock=clock.now)
        await store.unlock(evidence.keyring)
        (tmp_path / "scratch").mkdir(exist_ok=True)
        async with (
            closing_later(store),
            network.connect(registries, machine, clock=clock) as net,
        ):
            yield Parts(
                settings=Settings(
                    organisations=list(organisations), service=service, copies=copies
                ),
                registries=registries,
                network=net,
                store=store,
                queue=EmbeddedQueue(store),
                evidence=evidence,
                sandbox=sandbox,
                another=lambda lost: lost,
                told=list(told),
                folder=str(tmp_path / "scratch"),
                clock=clock,
            )

    return parts


@asynccontextmanager
async def closing_later(store: Store) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await store.close()


async def worked(parts: Parts, kinds: Sequence[str] = KINDS) -> int:
    """Do what is due now; the number of jobs."""
    worker = Worker("test", kinds, parts)
    count = 0
    while await worker.once():
        count += 1
    return count


async def worked_until_idle(parts: Parts, kinds: Sequence[str] = KINDS) -> timedelta:
    """Do everything, the clock moved on to whatever is due next; how far it moved."""
    clock = parts.clock
    assert isinstance(clock, MovedClock)
    before = clock.by
    await worked(parts, kinds)
    while (at := await parts.queue.next_due_at()) is not None:
        clock.by += max(at - clock.now(), timedelta()) + timedelta(milliseconds=1)
        if not await worked(parts, kinds):
            break
    return clock.by - before


async def jobs(parts: Parts, kind: str) -> list[Job]:
    """What stands in the queue of one kind, leased for good."""
    found = []
    while (job := await parts.queue.take("look", [kind], 1e6)) is not None:
        found.append(job)
    return found
