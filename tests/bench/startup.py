"""What one scan of one small local package costs, whole process: ``make bench``.

A package with a leak (the canary) and one without, and what each further one costs in that call.

CPU seconds (user + system, children included) and wall seconds, best and median of some runs, with
the cache of compiled rules warm and cold. The contract is 0.20 s of CPU, warm. An empty Python
stands beside them: it tells how fast the machine is just then.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from monitor import canary
from tests.bench import measure

CONTRACT_SECONDS = 0.20
LEAKMON = ("-m", "monitor")
RUNS = 15
FURTHER = 50
COLD_RUNS = 3


class Cost(NamedTuple):
    """Seconds of one run."""

    cpu: float
    wall: float


def measured(arguments: list[str], home: Path, program: tuple[str, ...] = LEAKMON) -> Cost:
    """The cost of one run of a program, its children included."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=home,
        env={"HOME": str(home), "PATH": os.defpath},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode not in {0, 1}:  # a crash must not pass for a quick run
        sys.exit(f"leakmon {' '.join(arguments)}: exit status {done.returncode}")
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall)


def row(name: str, costs: list[Cost]) -> str:
    """One line of the table."""
    cpu, wall = [cost.cpu for cost in costs], [cost.wall for cost in costs]
    figures = (min(cpu), statistics.median(cpu), min(wall), statistics.median(wall))
    return f"{name:<34}" + "".join(f"{figure:>10.3f}" for figure in figures) + f"{len(costs):>6}"


def further(alone: list[Cost], home: Path) -> list[Cost]:
    """What each further package costs in one call, over that for one ``alone``."""
    names = [f"{number}-{canary.FILENAME}" for number in range(FURTHER + 1)]
    for name in names:
        (home / name).write_bytes(canary.package())
    cpu, wall = (statistics.median(figures) for figures in zip(*alone, strict=True))
    together = [measured(["scan", *names], home) for _ in range(COLD_RUNS)]
    return [Cost((one.cpu - cpu) / FURTHER, (one.wall - wall) / FURTHER) for one in together]


def main() -> None:
    """Print the table."""
    measure.compile_modules()
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"Python {version}, {os.cpu_count()} cores; seconds")
    print(f"{'':<34}{'CPU best':>10}{'median':>10}{'wall best':>10}{'median':>10}{'runs':>6}")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / canary.FILENAME).write_bytes(canary.package())
        cold = []
        for _ in range(COLD_RUNS):
            for cache in (home / ".cache", home / "Library" / "Caches"):
                shutil.rmtree(cache, ignore_errors=True)
            cold.append(measured(["scan", canary.FILENAME], home))
        print(row("an empty Python", [measured([], home, ("-c", "")) for _ in range(RUNS)]))
        print(row("leakmon --version", [measured(["--version"], home) for _ in range(RUNS)]))
        for form in ("json", "table"):
            costs = [
                measured(["scan", "--format", form, canary.FILENAME], home) for _ in range(RUNS)
            ]
            print(row(f"scan, {form}, rules cached", costs))
        print(row("... and each further one", further(costs, home)))
        (home / "clean").mkdir()
        (home / "clean" / "package.json").write_text('{"name": "clean", "version": "1.0.0"}')
        clean = [measured(["scan", "clean"], home) for _ in range(RUNS)]
        print(row("scan, table, nothing to find", clean))
        print(row("scan, rules compiled first", cold))
    print(f"The contract for a small package, rules cached: {CONTRACT_SECONDS:.2f} s of CPU")


if __name__ == "__main__":
    main()
