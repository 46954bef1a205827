"""Killed with SIGKILL at any point and started again: nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor.evidence.places import open_evidence
from monitor.jobs import choice
from monitor.store import Store
from tests.contract import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.contract.databases import Databases

ROOT = Path(__file__).parents[2]
MANY = 10_000
STRIDE = {
    (choice.EMBEDDED, "sqlite"): 11,
    (choice.EMBEDDED, "postgresql"): 37,
    (choice.PROCRASTINATE, "postgresql"): 41,
}
"""Every so many points: each costs a second. LEAKMON_TEST_STRIDE=1 kills at every single one."""


@contextmanager
def worker() -> Iterator[Callable[[str, str, Path, int], str]]:
    command = [sys.executable, "-m", "tests.contract.steps"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        stdin, stdout = child.stdin, child.stdout

        def run(engine: str, url: str, folder: Path, kill_at: int) -> str:
            stdin.write(f"{engine} {url} {folder} {kill_at}\n")
            stdin.flush()
            return stdout.readline().strip()

        yield run
        stdin.close()


@pytest.mark.parametrize(("engine", "kind"), STRIDE, ids=["-".join(each) for each in STRIDE])
async def test_killed_anywhere_it_goes_on_where_it_was(
    databases: Databases, engine: str, kind: str, tmp_path: Path
) -> None:
    def made() -> str:
        url = databases.migrated(kind)
        choice.upgrade(engine, url)
        return url

    with worker() as process:
        run = partial(process, engine)
        url = made()
        points = int(run(url, folder(tmp_path, 0), MANY))
        await check(url, tmp_path / "0")
        assert points > 80
        killed = 0
        stride = int(os.environ.get("LEAKMON_TEST_STRIDE", STRIDE[engine, kind]))
        for kill_at in range(1, points + 1, stride):
            url = made()
            place = folder(tmp_path, kill_at)
            killed += run(url, place, kill_at) == "killed"
            again = kill_at * 7 % 60 + 1  # and once more while it recovers
            run(url, place, again)
            assert run(url, place, MANY).isdecimal(), f"killed at {kill_at}, then at {again}"
            await check(url, place)
            databases.drop(url)
        assert killed == len(range(1, points + 1, stride))


def folder(parent: Path, number: int) -> Path:
    made = parent / str(number)
    made.mkdir()
    return made


async def check(url: str, place: Path) -> None:
    """The world after it: as if nothing had happened."""
    store = Store.open(url)
    try:
        assert await store.unfinished() == []
        assert (await store.checkpoints())["npm"].position == "17"
        metrics = await store.metrics()
        assert metrics.artifacts == {"settled": 2}
        assert metrics.incidents == {"open": {"critical": 1}}
        assert metrics.outgoing == {"file": {"sent": 2}}
        assert metrics.jobs == {
            "artifact": {"done": 2},
            "deliver": {"done": 2},
            "resolve": {"done": 1},
        }
        (incident,) = await store.incidents()
        assert incident.versions == ["1.0.0", "2.0.0"]
        assert incident.alerted_at is not None
        events = [event.id for event in await store.incident_events(incident.id)]
        assert len(events) == 2
        messages = (place / "channel").read_text().splitlines()
        assert messages == [f"{event}:file" for event in events]
        past = await store.history("npm", "@acme/cli")
        assert [len(await store.findings(each.artifact_id)) for each in past] == [1, 1]
        evidence = open_evidence(f"file:{place / 'evidence'}", None).evidence
        (key,) = await store.evidence_keys()
        assert evidence.verify(key) == 20
    finally:
        await store.close()
    assert samples.SECRET.encode() not in on_disk(url)


def on_disk(url: str) -> bytes:
    """All bytes of a SQLite database, its log included."""
    if not url.startswith("sqlite"):
        return b""
    path = Path(url.removeprefix("sqlite:///"))
    return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
