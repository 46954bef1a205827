"""One verdaccio, one devpi and one event-loop server for all tests of the network."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from monitor.http.pace import Clock
from monitor.registries.client_config import Machine
from tests.network import servers

if TYPE_CHECKING:
    from pathlib import Path

Serve = Callable[[web.Application], Awaitable[str]]


class TickingClock(Clock):
    """A clock of the tests: sleeps are noted and pass at once, each look takes ``tick`` seconds."""

    def __init__(self, tick: float = 0.0) -> None:
        self.tick = tick
        self.time = 1000.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        self.time += self.tick
        return self.time

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.time)

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += seconds

    def random(self) -> float:
        return 0.5


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine on which nothing is configured."""
    home = tmp_path / "home"
    home.mkdir()
    return Machine(
        environ={"PATH": os.environ["PATH"]},
        home=str(home),
        folder=str(home),
        root=str(tmp_path / "root"),
    )


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start applications on loopback ports of their own; gives each one's address."""
    async with AsyncExitStack() as stack:

        async def start(app: web.Application) -> str:
            runner = web.AppRunner(app, shutdown_timeout=0.01)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            return f"http://127.0.0.1:{port}/"

        yield start


@pytest.fixture(scope="session")
def verdaccio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Registry]:
    """A verdaccio that holds @acme/cli 1.0.0, 1.2.0, 2.0.0-rc.1 and left-alone 0.1.0."""
    with servers.verdaccio(tmp_path_factory.mktemp("verdaccio")) as registry:
        for version in ("1.0.0", "1.2.0", "2.0.0-rc.1"):
            manifest = {
                "name": "@acme/cli",
                "version": version,
                "license": "UNLICENSED",
                "repository": {"type": "git", "url": "https://git.acme.example/cli.git"},
                "publishConfig": {"access": "public"},
            }
            servers.npm_publish(registry, manifest, {"index.js": f"// {version}\n"})
        alone = {"name": "left-alone", "version": "0.1.0", "license": "MIT"}
        servers.npm_publish(registry, alone, {"index.js": "module.exports = 1\n"})
        yield registry


@pytest.fixture(scope="session")
def devpi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Registry]:
    """A devpi that holds acme 1.0, 2.0 and 3.0rc1, each as sdist and wheel."""
    with servers.devpi(tmp_path_factory.mktemp("devpi")) as registry:
        built: list[Path] = []
        for version in ("1.0", "2.0", "3.0rc1"):
            built += servers.distributions(registry.home / "dist", "acme", version)
        servers.twine_upload(registry, *built)
        yield registry
