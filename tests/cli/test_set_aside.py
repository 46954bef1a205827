"""``leakmon jobs`` and what ``leakmon status`` says of the living and the dead."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.cli import main
from monitor.jobs import choice
from monitor.model import Checkpoint
from monitor.store import Pulse, Store
from tests.contract import samples
from tests.contract.databases import databases
from tests.jobs.conftest import PLACES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from monitor.jobs import Queue
    from tests.contract.databases import Databases

__all__ = ["databases"]


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "leakmon.toml"
    path.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/leakmon.db"\n')
    assert main(["db", "upgrade", "--config", str(path)]) == 0
    return str(path)


def within(folder: Path, work: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        store = Store.open(f"sqlite:///{folder}/leakmon.db")
        try:
            await work(store)
        finally:
            await store.close()

    asyncio.run(run())


@pytest.fixture(params=PLACES, ids="-".join)
def shared(
    request: pytest.FixtureRequest, databases: Databases, tmp_path: Path
) -> Iterator[tuple[str, str, str]]:
    """The configuration, the address and the engine of a database, one of each kind."""
    engine, kind = request.param
    url = databases.empty(kind)
    path = tmp_path / "leakmon.toml"
    address = tmp_path / "address"
    address.write_text(url)
    path.write_text(f'[database]\nurl = "file:{address}"\n[jobs]\nengine = "{engine}"\n')
    assert main(["db", "upgrade", "--config", str(path)]) == 0
    yield str(path), url, engine
    databases.drop(url)


def at(url: str, engine: str, work: Callable[[Store, Queue], Awaitable[None]]) -> None:
    """What a daemon does on that database."""

    async def run() -> None:
        store = Store.open(url, enqueue=choice.enqueue(engine))
        try:
            await work(store, choice.queue(engine, store))
        finally:
            await store.close()

    asyncio.run(run())


async def seven_dead(store: Store, queue: Queue) -> None:
    notices = [samples.notice(f"@acme/n{number}") for number in range(7)]
    await store.record_page(samples.page(), [(each, samples.OWNER) for each in notices])
    while (job := await queue.take("w", ["resolve"], 60)) is not None:
        await queue.dead(job, "http-500")


async def seven_taken(_store: Store, queue: Queue) -> None:
    """The next takers get what was revived at once, without a daemon that looks after it."""
    taken = [await queue.take("w", ["resolve"], 60) for _ in range(8)]
    assert len({job.key for job in taken if job is not None}) == 7
    assert taken[7] is None


def test_what_was_set_aside_is_counted_listed_and_revived(
    shared: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    config, url, engine = shared
    at(url, engine, seven_dead)
    capsys.readouterr()
    assert main(["status", "--config", config]) == 0
    told = capsys.readouterr().out
    assert told.count("set aside: resolve/") == 5
    assert "set aside: 2 more (leakmon jobs list)" in told
    assert main(["status", "--json", "--config", config]) == 0
    state = json.loads(capsys.readouterr().out)
    assert (state["set_aside_total"], len(state["set_aside"])) == (7, 7)
    assert state["jobs"] == {"resolve": {"dead": 7}}
    assert main(["jobs", "list", "--config", config]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert last == "7 pieces of work set aside"
    assert "http-500" in lines[0]
    assert "npm:@acme/n" in lines[0]
    key = state["set_aside"][0]["key"]
    assert main(["jobs", "revive", key, "--config", config]) == 0
    assert main(["jobs", "revive", key, "--config", config]) == 3
    assert main(["jobs", "revive", "--config", config]) == 2
    assert main(["jobs", "revive", "--all", "--config", config]) == 0
    assert "revived 6 pieces" in capsys.readouterr().out
    assert main(["jobs", "list", "--json", "--config", config]) == 0
    assert json.loads(capsys.readouterr().out) == {"total": 0, "set_aside": []}
    assert main(["status", "--json", "--config", config]) == 0
    assert json.loads(capsys.readouterr().out)["jobs"] == {"resolve": {"waiting": 7}}
    at(url, engine, seven_taken)
    assert main(["db", "audit", "--action", "revive", "--config", config]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 7


@pytest.mark.parametrize(
    ("sign", "told"),
    [
        (None, "has not run on this database"),
        (("", 0), "running, "),
        (("stopped", 0), "stopped "),
        (("", 5), "SILENT for 5m"),
    ],
    ids=["never", "running", "stopped", "killed"],
)
def test_a_daemon_is_told_from_a_dead_one(
    config: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    sign: tuple[str, int] | None,
    told: str,
) -> None:
    """``sign`` is the reason of its last sign of life, and how many minutes ago that was."""

    async def beat(store: Store) -> None:
        if sign is not None:
            at = datetime.now(UTC) - timedelta(minutes=sign[1])
            await store.beat(Pulse(name="daemon/here", at=at, reason=sign[0], detail="pid 7"))

    within(tmp_path, beat)
    capsys.readouterr()
    assert main(["status", "--config", config]) == 0
    assert told in capsys.readouterr().out.splitlines()[0]


def test_a_quiet_feed_is_told_from_one_that_fails(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def feeds(store: Store) -> None:
        now = datetime.now(UTC)
        old = now - timedelta(hours=3)
        for name in ("npm/changes", "pypi/changelog"):
            await store.set_checkpoint(Checkpoint(feed=name, position="9", moved_at=old))
        await store.beat(Pulse(name="npm/changes", at=now, answered_at=now))
        await store.beat(
            Pulse(
                name="pypi/changelog",
                at=now,
                answered_at=old,
                failing_since=now - timedelta(minutes=7),
                reason="http-503",
                not_before=now + timedelta(hours=1),
            )
        )

    within(tmp_path, feeds)
    capsys.readouterr()
    assert main(["status", "--config", config]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert "answered " in lines["npm/changes"]
    assert "3h ago" in lines["npm/changes"], "and when it last moved"
    assert "FAILS 7m: http-503" in lines["pypi/changelog"]
    assert main(["status", "--json", "--config", config]) == 0
    state = {feed["feed"]: feed for feed in json.loads(capsys.readouterr().out)["feeds"]}
    assert state["pypi/changelog"]["reason"] == "http-503"
    assert state["pypi/changelog"]["not_before"]
    assert state["npm/changes"]["failing_age"] is None


def test_watching_the_status_redraws_it_until_it_is_interrupted(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []

    async def interrupted(seconds: float) -> None:
        drawn.append(seconds)
        if len(drawn) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("monitor.cli.status.asyncio.sleep", interrupted)
    capsys.readouterr()
    status = main(["status", "--watch", "--config", config])
    assert status == 130
    assert capsys.readouterr().out.count("has not run on this database") == 3
