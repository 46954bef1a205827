"""Simulated days: the daemon's parts in this process, on a clock that is moved by the minute."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NamedTuple

from monitor.config import Settings, cache_folder, environment
from monitor.config.settings import Service
from monitor.evidence.places import open_evidence
from monitor.jobs.embedded import EmbeddedQueue
from monitor.model import NpmNames, Organisation, PypiNames
from monitor.registries import network
from monitor.registries.client_config import Machine
from monitor.registries.settings import NetworkSettings, NpmSettings, PypiSettings
from monitor.rules import bundled_rules_folder
from monitor.sandbox import Sandbox
from monitor.sandbox import Settings as SandboxSettings
from monitor.service import canaries, upkeep
from monitor.service.logs import configure
from monitor.service.parts import Parts
from monitor.service.polling import Feed
from monitor.store import Store, migrations
from monitor.watchers import WATCHERS
from tests.bench.measure import sizes
from tests.service.conftest import MovedClock, worked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS_A_MINUTE = 950  # ten times 84 npm changes and 10 PyPI releases a minute
STEP_MINUTES = 10
ACME = Organisation(
    name="acme", npm=NpmNames(scopes=["@acme"]), pypi=PypiNames(packages=["acmeload-*"])
)


class Wish(NamedTuple):
    """How many days, one in how many rows is ours, and what makes so many rows happen."""

    days: float
    ours: int
    advance: Callable[[int], object]


async def days(folder: Path, url: str, wish: Wish) -> None:
    """Print a line for every sixth of a day."""
    print(f"\nSimulated days at {ROWS_A_MINUTE:,} changes a minute, 1 in {wish.ours:,} ours\n")
    print("| day | rows | on record | queue | CPU | memory | database |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    configure(is_terminal=True)
    async with AsyncExitStack() as stack:
        parts = await _opened(folder, url, stack)
        feeds = [
            Feed(ecosystem, watcher, parts, is_primary=number == 0)
            for ecosystem, registry in WATCHERS.items()
            for number, watcher in enumerate(registry.watch(parts.registries, parts.network)[:1])
        ]
        steps = round(wish.days * 24 * 60 / STEP_MINUTES)
        rows = 0
        for step in range(1, steps + 1):
            await asyncio.to_thread(wish.advance, ROWS_A_MINUTE * STEP_MINUTES)
            rows += ROWS_A_MINUTE * STEP_MINUTES
            for feed in feeds:
                while await feed.poll():
                    pass
            await worked(parts)
            parts.clock.move(minutes=STEP_MINUTES)  # type: ignore[attr-defined]  # a MovedClock
            if step % 6 == 0:
                await upkeep.reconcile(parts)
                await upkeep.retain(parts)
                await canaries.release(parts)
            if step % max(1, round(24 * 60 / STEP_MINUTES / 6)) == 0:
                print(await _line(step, rows, parts, folder), flush=True)


async def _line(step: int, rows: int, parts: Parts, folder: Path) -> str:
    counted = await parts.store.metrics()
    waiting = sum(states.get("waiting", 0) for states in counted.jobs.values())
    memory = sizes(os.getpid())[0] / 1024 / 1024
    database = await asyncio.to_thread(_size_of, folder)
    day = step * STEP_MINUTES / 24 / 60
    return (
        f"| {day:.2f} | {rows:,} | {sum(counted.artifacts.values()):,} | {waiting} "
        f"| {time.process_time():.0f} s | {memory:.0f} MiB | {database:.1f} MiB |"
    )


def _size_of(folder: Path) -> float:
    return sum(each.stat().st_size for each in folder.glob("leakmon.db*")) / 1024 / 1024


async def _opened(folder: Path, url: str, stack: AsyncExitStack) -> Parts:
    clock = MovedClock()
    database = f"sqlite:///{folder / 'leakmon.db'}"
    await asyncio.to_thread(migrations.upgrade, database)
    cache = cache_folder(environment())
    settings = SandboxSettings(rule_folders=(bundled_rules_folder(),), cache_folder=cache)
    sandbox = stack.enter_context(Sandbox(settings))
    evidence = open_evidence(f"file:{folder / 'evidence'}", None).evidence
    store = Store.open(database, clock=clock.now)
    stack.push_async_callback(store.close)
    await store.unlock(evidence.keyring)
    registries = NetworkSettings(
        npm=NpmSettings(url=f"{url}npm/", changes=f"{url}feed"),
        pypi=PypiSettings(url=f"{url}pypi/"),
    )
    home = str(folder)
    machine = Machine(environ={"PATH": "/usr/bin"}, home=home, folder=home, root=home)
    net = await stack.enter_async_context(network.connect(registries, machine, clock=clock))
    (folder / "scratch").mkdir()
    return Parts(
        settings=Settings(organisations=[ACME], service=Service(canary_minutes=0)),
        registries=registries,
        network=net,
        store=store,
        queue=EmbeddedQueue(store),
        evidence=evidence,
        sandbox=sandbox,
        another=lambda lost: lost,
        told=[],
        folder=str(folder / "scratch"),
        clock=clock,
    )
