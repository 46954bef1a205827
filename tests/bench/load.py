"""Ten times today's load of PyPI and npm, through ``leakmon watch`` as it is: ``make bench-load``.

Two parts. *Bursts*: 150 changes a second for ten seconds of every twenty, 1% of them ours, in real
time; once where names say what is ours, once where every stranger has to be asked about
(``domains``). *Days*: the daemon's own parts in this process on a clock that is moved, a simulated
minute at a time, at the daily mean of ten times today's rate.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import select
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.alerts import fake_slack
from tests.bench import load_days
from tests.bench.load_site import LoadSite, tree_cost
from tests.network.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RATE = 150
BURST, REST = 10, 10
OURS = 100


class Burst(NamedTuple):
    """What one part of bursts cost."""

    rows: int
    settled: int
    lags: list[float]
    told: int
    cpu: float
    seconds: float
    first_mib: float
    last_mib: float
    drained: float
    asked: int


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="of each part with bursts")
    parser.add_argument("--days", type=float, default=2, help="simulated")
    parser.add_argument("--ours", type=int, default=5000, help="one in how many rows of those days")
    parser.add_argument("--parts", default="name,domains,days", help="which parts (default: all)")
    call = parser.parse_args(arguments)
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{datetime.now(UTC):%d %B %Y}, {machine}, load {load}")
    print(f"\n{RATE} changes/s for {BURST} s of every {BURST + REST} s, 1 in {OURS} ours\n")
    print(
        "| ours by | rows | ours settled | lag median | lag p99 | told | CPU | memory | drained |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    parts = call.parts.split(",")
    for part, more in (("name", ""), ("domains", 'domains = ["acme.example"]')):
        if part not in parts:
            continue
        with tempfile.TemporaryDirectory(prefix="leakmon-load-") as folder:
            print(_line(part, bursts(Path(folder), more, call.seconds)), flush=True)
    if "days" in parts:
        with tempfile.TemporaryDirectory(prefix="leakmon-load-") as name, served(call.ours) as url:
            wish = load_days.Wish(call.days, call.ours, lambda rows: advance(url, rows))
            asyncio.run(load_days.days(Path(name), url, wish))
    return 0


def bursts(folder: Path, more: str, seconds: int) -> Burst:
    """The daemon under bursts for so long, then until it has done all of it."""
    with served(OURS) as url, fake_slack.running() as slack:
        site = LoadSite(folder, url, slack, more)
        site.start()
        try:
            site.until(lambda: site.get("readyz")[0] == 200, "not ready", 900)
            pid = site.pid
            before, first = tree_cost(pid)
            started = time.monotonic()
            rows = 0
            while (now := time.monotonic() - started) < seconds:
                if now % (BURST + REST) < BURST:
                    rows += RATE // 5
                    advance(url, RATE // 5)
                select.select([], [], [], max(0, started + now + 0.2 - time.monotonic()))
            ended = time.monotonic()
            wanted = rows // OURS
            site.until(lambda: site.settled() >= wanted and site.is_idle(), "not drained", 900)
            drained = time.monotonic() - ended
            cost, last = tree_cost(pid)
            asked = advance(url, 0)
        finally:
            site.end()
        lags = site.lags()
        return Burst(
            rows, len(lags), lags, len(slack.ids()), cost - before, seconds, first, last, drained,
            asked,
        )  # fmt: skip


def _line(label: str, done: Burst) -> str:
    ordered = sorted(done.lags) or [0.0]
    p99 = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
    share = done.cpu / (done.seconds + done.drained)
    return (
        f"| {label} | {done.rows:,} | {done.settled:,} | {statistics.median(ordered):.1f} s "
        f"| {p99:.1f} s | {done.told} | {done.cpu:.0f} s ({share:.2f} cores) "
        f"| {done.first_mib:.0f} -> {done.last_mib:.0f} MiB "
        f"| in {done.drained:.0f} s, {done.asked:,} requests |"
    )


def advance(url: str, rows: int) -> int:
    """Let so many changes happen; how often the registries were asked about packages so far."""
    request = urllib.request.Request(f"{url}advance?rows={rows}", method="POST")  # noqa: S310 - loopback
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
        return int(answer.read().decode().rpartition(":")[2].strip(" }"))


@contextmanager
def served(ours: int) -> Iterator[str]:
    """The registries, in a process of their own."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.load_server", str(port), str(ours)]
    process = subprocess.Popen(command)
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(600):
            try:
                advance(url, 1)
                break
            except OSError:
                select.select([], [], [], 0.1)
        yield url
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
