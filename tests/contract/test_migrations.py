"""The schema's versions on both databases."""

from __future__ import annotations

import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa

from monitor.errors import ConfigError, TransientError
from monitor.evidence.keys import Keyring
from monitor.model import Gap, Incident, IncidentEvent
from monitor.store import IgnoreRecord, Pulse, Store, migrations
from monitor.store.columns import Row
from monitor.store.database import address
from monitor.store.leases import Leases
from monitor.store.migrations import Standing
from tests.contract import samples

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.contract.databases import ManualClock


def execute(url: str, statement: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            file.execute(statement)
    else:
        with psycopg.connect(url) as connection:
            connection.execute(statement.encode())


def test_the_migrations_give_the_tables_as_they_are_declared(url: str) -> None:
    assert migrations.differences(url) == []


def test_an_empty_database_is_upgraded_once(empty_url: str) -> None:
    assert migrations.status(empty_url).standing is Standing.EMPTY
    assert migrations.upgrade(empty_url).standing is Standing.EMPTY
    assert migrations.upgrade(empty_url).standing is Standing.CURRENT
    assert migrations.status(empty_url).revision == migrations.revisions()[-1]


def test_a_newer_database_is_refused(url: str) -> None:
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    assert migrations.status(url).standing is Standing.NEWER
    with pytest.raises(ConfigError, match=r"of a newer leakmon .*9999.*upgrade leakmon"):
        migrations.upgrade(url)


def test_a_newer_database_that_lets_this_leakmon_stay_is_left_as_it_is(url: str) -> None:
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    execute(url, "UPDATE schema_window SET revision = '9999'")
    assert migrations.status(url).standing is Standing.AHEAD
    assert migrations.upgrade(url).revision == "9999"
    assert migrations.working(url).standing is Standing.AHEAD
    execute(url, "UPDATE schema_window SET oldest = '9998'")
    with pytest.raises(ConfigError, match="of a newer leakmon"):
        migrations.working(url)


def test_an_older_database_is_not_worked_on(empty_url: str) -> None:
    migrations.upgrade(empty_url, revision=migrations.revisions()[0])
    with pytest.raises(TransientError, match="run leakmon db upgrade"):
        migrations.working(empty_url)
    migrations.upgrade(empty_url)
    assert migrations.working(empty_url).standing is Standing.CURRENT


async def test_a_database_without_tables_says_what_to_do(
    empty_url: str, clock: ManualClock
) -> None:
    store = Store.open(empty_url, clock=clock)
    try:
        with pytest.raises(ConfigError, match="leakmon db upgrade"):
            await store.checkpoints()
    finally:
        await store.close()


def test_two_upgrades_at_once_do_it_once(empty_url: str) -> None:
    before: list[Standing] = []
    threads = [
        threading.Thread(
            target=lambda: before.append(migrations.upgrade(empty_url, timeout=300).standing)
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(standing.value for standing in before) == ["current", "current", "empty"]


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    """SQLite answers "locked" at once to whoever turns its log on while another does."""
    for number in range(40):
        url = f"sqlite:///{tmp_path / f'new-{number}.db'}"
        together = threading.Barrier(6)

        def opened(url: str = url, together: threading.Barrier = together) -> str:
            together.wait()
            with migrations.alone(url, timeout=60) as connection:
                return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())

        with ThreadPoolExecutor(6) as pool:
            assert {each.result() for each in [pool.submit(opened) for _ in range(6)]} == {"wal"}


def test_an_upgrade_waits_for_the_lock_only_so_long(empty_url: str) -> None:
    engine = sa.create_engine(address(empty_url))
    with engine.connect() as connection:
        if empty_url.startswith("sqlite"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_lock({migrations.ADVISORY_LOCK})")
        with pytest.raises(TransientError):
            migrations.upgrade(empty_url, timeout=0.2)
    engine.dispose()
    migrations.upgrade(empty_url)


async def filled(url: str, clock: ManualClock) -> None:
    """At least one row in every table."""
    store = Store.open(url, clock=clock)
    await store.unlock(Keyring([b"k" * 32]))
    page = samples.page(gaps=[Gap(feed="npm", kind="resync")])
    await store.record_page(page, [(page.notices[0], samples.OWNER)])
    artifact = await samples.fetched(store, samples.release())
    await store.settle(artifact, samples.report(), samples.decide, samples.SCAN, channels=["slack"])
    await store.ignore_add(IgnoreRecord(rule="r", reason="why", actor="kim"))
    await store.move_tags("npm", "@acme/cli", {"latest": ("", "1.0.0")}, "3")
    await store.beat(Pulse(name="npm/changes", at=clock(), answered_at=clock()))
    await samples.looked_at(store)
    await Leases(store.database).take("watch", "kim", 30)
    second = await samples.fetched(store, samples.release("2.0.0"))
    await store.settle(second, samples.report(), samples.decide, samples.SCAN, channels=held)
    clock.move(minutes=1)
    await store.digests_close(clock())
    await store.close()


def held(_incident: Incident, _event: IncidentEvent, _told: Sequence[str]) -> dict[str, bool]:
    return {"email": True}


def counts(url: str) -> dict[str, int]:
    engine = sa.create_engine(address(url))
    with engine.connect() as connection:
        found = {
            name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for name, table in Row.metadata.tables.items()
        }
    engine.dispose()
    return found


async def test_each_revision_goes_down_and_up_with_rows_in_every_table(
    url: str, clock: ManualClock
) -> None:
    await filled(url, clock)
    assert 0 not in counts(url).values()
    steps = ["base", *migrations.revisions()]
    for revision in reversed(steps[:-1]):
        migrations.downgrade(url, revision)
    for revision in steps[1:]:
        migrations.upgrade(url, revision=revision)
    assert migrations.differences(url) == []
    await filled(url, clock)
    assert 0 not in counts(url).values()


async def test_a_backup_is_whole_while_others_write(
    url: str, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "copy.db"
    if url.startswith("postgresql"):
        with pytest.raises(ConfigError, match="pg_dump --format=custom --file="):
            migrations.backup(url, str(path))
        return
    await filled(url, clock)
    engine = sa.create_engine(address(url))
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql("DELETE FROM audit_log")
        migrations.backup(url, str(path))
    engine.dispose()
    assert counts(f"sqlite:///{path}") == counts(url)
    assert migrations.status(f"sqlite:///{path}").standing is Standing.CURRENT
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigError, match="exists already"):
        migrations.backup(url, str(path))
    assert "part" not in "".join(os.listdir(tmp_path))  # noqa: PTH208 - names are all it takes
