"""npm and PyPI as they are watched: real servers behind shims, one of each for all tests."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.http.pace import Clock
from monitor.http.settings import HttpSettings
from monitor.registries import network
from monitor.registries.client_config import Machine
from monitor.registries.settings import NetworkSettings, NpmSettings, PypiSettings
from tests.network.servers import PASSWORD, USER
from tests.watch_servers.npm import NpmServer, npm_server
from tests.watch_servers.pypi import PypiServer, pypi_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


class PatientClock(Clock):
    """Sleeps pass at once and are noted; the time that bodies take is as long as ``tick``."""

    def __init__(self) -> None:
        self.tick = 0.0
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
def clock() -> PatientClock:
    return PatientClock()


@pytest.fixture(scope="session")
def npm_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NpmServer]:
    with npm_server(tmp_path_factory.mktemp("npm")) as server:
        yield server


@pytest.fixture(scope="session")
def pypi_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PypiServer]:
    with pypi_server(tmp_path_factory.mktemp("pypi")) as server:
        yield server


@pytest.fixture
def npm(npm_site: NpmServer) -> Iterator[NpmServer]:
    """The npm of this run, with nothing wrong at the start."""
    npm_site.faults.clear()
    yield npm_site
    npm_site.faults.clear()


@pytest.fixture
def pypi(pypi_site: PypiServer) -> Iterator[PypiServer]:
    """The PyPI of this run, with nothing wrong at the start."""
    pypi_site.faults.clear()
    pypi_site.window = 100
    yield pypi_site
    pypi_site.faults.clear()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine on which nothing is configured."""
    (tmp_path / "home").mkdir()
    home = str(tmp_path / "home")
    environ = {"PATH": os.environ["PATH"]}
    return Machine(environ=environ, home=home, folder=home, root=str(tmp_path / "root"))


def settings_of(
    npm: NpmServer | None = None, pypi: PypiServer | None = None, *, idle_seconds: float = 30.0
) -> NetworkSettings:
    """What ``leakmon.toml`` would say of these servers."""
    http = HttpSettings(contact="security@acme.example", idle_seconds=idle_seconds)
    settings = NetworkSettings(http=http)
    if npm is not None:
        own = NpmSettings(url=npm.url, changes=npm.changes, token=npm.registry.token)
        settings = NetworkSettings(http=http, npm=own)
    if pypi is not None:
        login = PypiSettings(url=pypi.url, username=USER, password=PASSWORD)
        settings = NetworkSettings(http=http, npm=settings.npm, pypi=login)
    return settings


@pytest.fixture
async def npm_network(
    npm: NpmServer, machine: Machine, clock: PatientClock
) -> AsyncIterator[network.Network]:
    async with network.connect(settings_of(npm), machine, clock=clock) as net:
        yield net


@pytest.fixture
async def pypi_network(
    pypi: PypiServer, machine: Machine, clock: PatientClock
) -> AsyncIterator[network.Network]:
    async with network.connect(settings_of(pypi=pypi), machine, clock=clock) as net:
        yield net


@pytest.fixture
def machine_folder(tmp_path: Path) -> str:
    """Where files are fetched to."""
    (tmp_path / "fetched").mkdir()
    return str(tmp_path / "fetched")
