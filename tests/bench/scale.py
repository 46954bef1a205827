"""What the queue costs a job, and what 1, 2 and 4 workers get done: ``make bench-scale``.

    python -m tests.bench.scale [--jobs N] [--rounds N] [--workers 1,2,4]

First the queue by itself, on each engine and database: jobs that do nothing are put in (100 a
transaction, as a feed's page does), taken and ended. Then the whole way of an artifact in ``leakmon
worker``: the popular packages (``popular.txt``) of at most 1 MiB, as so many rounds of new
versions, fetched from loopback, kept, scanned, judged, settled. CPU is user and system time of
whole trees of processes, which a busy machine hardly changes; what is done in a second it does
change.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from monitor.jobs import choice
from monitor.model import Artifact, Job, Ownership, Release
from monitor.store import Store, migrations
from tests.bench import corpus, measure
from tests.e2e import postgresql
from tests.e2e.daemon import Pause
from tests.network.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LARGEST = 1 << 20
"""Most of what is published is smaller still; the rare giants would hide what the queue does."""

TICKS = os.sysconf("SC_CLK_TCK")
OWNER = Ownership(organisation="acme", reason="the benchmark's")
PLACES = (
    (choice.EMBEDDED, "sqlite"),
    (choice.EMBEDDED, "postgresql"),
    (choice.PROCRASTINATE, "postgresql"),
)
CONFIG = """
[database]
url = "{database}"
[evidence]
url = "file:{folder}/evidence"
[service]
listen = ""
[http]
allow_private = ["127.0.0.1"]
[[organisations]]
name = "acme"
npm.scopes = ["@acme"]
"""


class Queued(NamedTuple):
    """CPU-milliseconds a job: of this process, and of the database server."""

    put: float
    done: float
    server: float


class Worked(NamedTuple):
    """What some workers did."""

    artifacts: int
    mebibytes: float
    seconds: float
    cpu: float
    server_cpu: float
    memory: float


def tree_cpu(pid: int) -> float:
    """Seconds of user and system time of a process, its children, and those it has waited for."""
    total = 0.0
    for each in [pid, *measure.descendants(pid)]:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / TICKS
    return total


async def queued(engine: str, url: str, jobs: int, server: Callable[[], float]) -> Queued:
    """The queue alone."""
    migrations.upgrade(url)
    choice.upgrade(engine, url)
    enqueue = choice.enqueue(engine)
    store = Store.open(url, enqueue=enqueue)
    queue = choice.queue(engine, store)
    put_in = enqueue or store.enqueue_rows
    try:
        await queue.take("w", ["artifact"], 60)  # connects
        server_before, before = server(), time.process_time()
        for start in range(0, jobs, 100):
            batch = [
                Job(key=f"artifact/{n}", kind="artifact", run_at=store.clock(), payload={"n": n})
                for n in range(start, min(jobs, start + 100))
            ]
            async with store.database.writing() as session:
                await put_in(session, batch)
        between = time.process_time()
        for _ in range(jobs):
            job = await queue.take("w", ["artifact"], 60)
            assert job is not None
            assert await queue.done(job)
        after = time.process_time()
        return Queued(
            (between - before) / jobs * 1000,
            (after - between) / jobs * 1000,
            (server() - server_before) / jobs * 1000,
        )
    finally:
        await store.close()


async def announced(url: str, archives: list[Path], site: str, rounds: int) -> float:
    """Put so many versions of each package on record; their mebibytes."""
    store = Store.open(url, enqueue=choice.enqueue(choice.PROCRASTINATE))
    size = 0
    try:
        for number in range(rounds):
            for archive in archives:
                name = archive.parent.name
                size += archive.stat().st_size
                made = Artifact(
                    ecosystem="npm",
                    name=f"@acme/{name}",
                    version=f"1.0.{number}",
                    filename=archive.name,
                    purl=f"pkg:npm/%40acme/{name}@1.0.{number}",
                    url=f"{site}/{name}/{archive.name}",
                    digests={"sha256": hashlib.sha256(archive.read_bytes()).hexdigest()},
                )
                release = Release(
                    ecosystem="npm", name=made.name, version=made.version, artifacts=[made]
                )
                await store.announce(release, OWNER)
    finally:
        await store.close()
    return size / (1 << 20)


def worked(
    folder: Path, url: str, workers: int, rounds: int, server: Callable[[], float]
) -> Worked:
    """So many worker processes, until everything is settled."""
    migrations.upgrade(url)
    choice.upgrade(choice.PROCRASTINATE, url)
    folder.mkdir()
    (folder / "leakmon.toml").write_text(CONFIG.format(database=url, folder=folder))
    archives = [each for each in corpus.fetched("popular.txt") if each.stat().st_size <= LARGEST]
    with ExitStack() as stack:
        site = stack.enter_context(served(archives[0].parents[1]))
        processes = [stack.enter_context(worker(folder)) for _ in range(workers)]
        until(lambda: (folder / "log").read_text().count("working as") == workers)
        looking = stack.enter_context(psycopg.connect(url, autocommit=True))
        before, server_before = sum(map(tree_cpu, processes)), server()
        started = time.monotonic()
        size = asyncio.run(announced(url, archives, site, rounds))
        wanted = len(archives) * rounds
        until(lambda: settled(looking) == wanted)
        seconds = time.monotonic() - started
        memory = sum(measure.sizes(each)[0] for pid in processes for each in tree(pid))
        cpu = sum(map(tree_cpu, processes)) - before
        return Worked(
            wanted, size, seconds, cpu, server() - server_before, memory / workers / (1 << 20)
        )


def settled(connection: psycopg.Connection) -> int:
    query = "SELECT count(*) FROM artifacts WHERE state = 'settled'"
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def tree(pid: int) -> list[int]:
    return [pid, *measure.descendants(pid)]


def until(holds: Callable[[], bool], seconds: float = 3600) -> None:
    deadline = time.monotonic() + seconds
    pause = Pause()
    while not holds():
        if time.monotonic() > deadline:
            sys.exit("it takes too long")
        pause()


@contextlib.contextmanager
def worker(folder: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "monitor", "worker", "--jobs", "1", "--config"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([*command, str(folder / "leakmon.toml")], stdout=log, stderr=log)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory"]
    process = subprocess.Popen(
        [*command, str(folder), str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def print_queue(server: postgresql.Server, folder: Path, jobs: int) -> None:
    print(f"\nThe queue alone, {jobs} jobs that do nothing, CPU-ms a job\n")
    print("| engine | database | put in | take and end | database server | together |")
    print("| --- | --- | --- | --- | --- | --- |")
    for engine, database in PLACES:
        is_sqlite = database == "sqlite"
        url = f"sqlite:///{folder}/queue.db" if is_sqlite else server.database(f"q_{engine}")
        spent = (lambda: 0.0) if is_sqlite else lambda: tree_cpu(server.pid)
        cost = asyncio.run(queued(engine, url, jobs, spent))
        print(
            f"| {engine} | {database} | {cost.put:.2f} | {cost.done:.2f} | {cost.server:.2f} "
            f"| **{sum(cost):.2f}** |"
        )


def print_work(server: postgresql.Server, folder: Path, counts: list[int], rounds: int) -> None:
    print(f"\nThe whole way of an artifact, popular packages of at most 1 MiB x {rounds}\n")
    print("| workers | artifacts | MiB | seconds | artifacts/s | CPU-ms an artifact (workers) "
          "| (PostgreSQL) | memory a worker, MiB |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for count in counts:
        url = server.database(f"w_{count}")
        done = worked(folder / f"w{count}", url, count, rounds, lambda: tree_cpu(server.pid))
        print(
            f"| {count} | {done.artifacts} | {done.mebibytes:.0f} | {done.seconds:.0f} "
            f"| {done.artifacts / done.seconds:.2f} | {done.cpu / done.artifacts * 1000:.0f} "
            f"| {done.server_cpu / done.artifacts * 1000:.1f} | {done.memory:.0f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000, help="for the queue alone")
    parser.add_argument("--rounds", type=int, default=3, help="versions of each package")
    parser.add_argument("--workers", default="1,2,4")
    call = parser.parse_args()
    print(measure.machine())
    with tempfile.TemporaryDirectory(prefix="leakmon-scale") as name, postgresql.server() as server:
        print_queue(server, Path(name), call.jobs)
        print_work(server, Path(name), [int(n) for n in call.workers.split(",")], call.rounds)
    print(f"\nload after {', '.join(f'{figure:.1f}' for figure in os.getloadavg())}")


if __name__ == "__main__":
    main()
