"""What a command costs: CPU seconds, wall seconds and memory of it and all its descendants."""

from __future__ import annotations

import compileall
import contextlib
import ctypes
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import monitor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SAMPLE_SECONDS = 0.02
_PR_SET_CHILD_SUBREAPER = 36


class Cost(NamedTuple):
    """Seconds of one run; ``cpu`` is user + system of the whole tree of processes."""

    cpu: float
    wall: float


class Memory(NamedTuple):
    """Bytes: the greatest ``ru_maxrss`` of any one process, and the greatest sum over the tree.

    The sum is of proportional set sizes (a page shared by four processes counts once), sampled
    every 20 ms, so that neither threads nor processes are favoured.
    """

    largest: int
    tree: int


def compile_modules() -> None:
    """Byte-compile leakmon as pip does: what only a confined child imports is never kept."""
    compileall.compile_dir(str(Path(monitor.__file__).parent), quiet=1)


def adopt_orphans() -> None:
    """Let a grandchild whose parent is gone be waited for, and so counted, here (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def cost(command: Sequence[str | Path], *, cores: int, env: Mapping[str, str]) -> Cost:
    """Run a command to its end on so many cores."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    child = _start(command, cores, env)
    _reaped(child, command)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall)


def memory(command: Sequence[str | Path], *, cores: int, env: Mapping[str, str]) -> Memory:
    """Run a command to its end and watch its memory; slower than ``cost``, so never both."""
    child = _start(command, cores, env)
    most, largest = 0, 0
    while child.poll() is None:
        seen = [sizes(pid) for pid in (child.pid, *descendants(child.pid))]
        most = max(most, sum(proportional for proportional, _ in seen))
        largest = max(largest, *(peak for _, peak in seen))
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(SAMPLE_SECONDS)
    _reaped(child, command)
    return Memory(largest, most)


def _start(
    command: Sequence[str | Path], cores: int, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    usable = sorted(os.sched_getaffinity(0))
    pinned = ["taskset", "--cpu-list", ",".join(map(str, usable[:cores]))]
    with open(os.devnull, "w", encoding="ascii") as nowhere:  # noqa: PTH123 - no path of ours
        return subprocess.Popen([*pinned, *command], env=dict(env), stdout=nowhere, stderr=nowhere)


def _reaped(child: subprocess.Popen[bytes], command: Sequence[str | Path]) -> None:
    status = child.wait()
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    if status < 0 or status in {2, 126, 127}:
        sys.exit(f"exit status {status}: {' '.join(map(str, command))[:200]}")


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - a name is all that is needed
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:  # noqa: PTH123 - as above
                for child in map(int, file.read().split()):
                    found += [child, *descendants(child)]
    return found


def sizes(pid: int) -> tuple[int, int]:
    """Proportional set size now and the peak of the resident set, in bytes."""
    proportional, peak = 0, 0
    with contextlib.suppress(OSError):
        for name, key in (("smaps_rollup", "Pss:"), ("status", "VmHWM:")):
            with open(f"/proc/{pid}/{name}", encoding="ascii", errors="replace") as file:  # noqa: PTH123 - as above
                for line in file:
                    if line.startswith(key):
                        amount = int(line.split()[1]) * 1024
                        proportional, peak = (
                            (amount, peak) if name == "smaps_rollup" else (proportional, amount)
                        )
    return proportional, peak


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure by itself."""
    return Cost(
        statistics.median(one.cpu for one in costs), statistics.median(one.wall for one in costs)
    )


def machine() -> str:
    """One line: processor, cores, Python, load, date."""
    model = platform.processor() or platform.machine()
    if sys.platform == "linux":
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - as above
            models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
        model = models[0] if models else model
    load = ", ".join(f"{figure:.1f}" for figure in os.getloadavg())
    return (
        f"{time.strftime('%d %B %Y')}; {model}, {len(os.sched_getaffinity(0))} cores; "
        f"Python {platform.python_version()}; load before {load}"
    )
