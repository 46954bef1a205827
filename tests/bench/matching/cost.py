"""``make bench-matching-cost``: what a scan costs with a matcher on, against the same without.

CPU seconds (user + system) of the whole process tree, on one core, the three in turn; the index
holds the private projects of ``private.txt``, before and after it has learnt what is public from
``background.txt``; esbuild is at hand. The goal is 1.6.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import corpus, measure
from tests.bench.matching import learnt, material

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GOAL = 1.6
NAMES = (
    *("chalk", "lodash", "webpack", "typescript", "three", "pdfjs-dist", "echarts"),
    *("cryptography", "mypy", "plotly", "django", "sphinx", "requests"),
)


class Case(NamedTuple):
    """A way to scan: an index's folder, and whether its private code is looked for."""

    home: Path
    option: str


def main() -> None:
    """Print the table of ``matching.md``."""
    parser = argparse.ArgumentParser(prog="make bench-matching-cost")
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each, in turn")
    parser.add_argument("--packages", default=",".join(NAMES), help="names of packages.txt")
    options = parser.parse_args()
    wanted = options.packages.split(",")
    packages = [one for one in corpus.listed("packages.txt") if one.name in wanted]
    measure.adopt_orphans()
    fresh, taught = (learnt.home(has_learnt=one) for one in (False, True))
    cases = (
        Case(taught, "--no-private-code"),
        Case(fresh, "--private-code"),
        Case(taught, "--private-code"),
    )
    made = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    day = time.strftime("%Y-%m-%d", time.gmtime())
    command = " ".join(["make bench-matching-cost", *sys.argv[1:]])
    print(f"{made}, {day}; `{command}`; CPU seconds, median of {options.runs}\n")
    print("| package | without | nothing learnt | ratio | learnt | ratio |")
    print("| --- " * 6 + "|")
    totals = [0.0] * len(cases)
    for package in packages:
        found = _compared(corpus.archive(package), cases, options.runs)
        totals = [one + more for one, more in zip(totals, found, strict=True)]
        _say(f"{package.kind} {package.name} {package.version}", found)
    _say("all", totals)
    is_met = totals[-1] <= GOAL * totals[0]
    print(f"\nGoal: at most {GOAL:.1f} times: {'met' if is_met else 'not met'} once it has learnt.")


def _compared(archive: Path, cases: Sequence[Case], runs: int) -> list[float]:
    """The median cost of each case, after a warm-up of each."""
    costs: list[list[float]] = [[] for _ in cases]
    for run in range(runs + 1):
        for case, taken in zip(cases, costs, strict=True):
            config = case.home / "leakmon.toml"
            scan = [*learnt.LEAKMON, "scan", str(archive), "--config", str(config), case.option]
            command = [*scan, "--no-progress", "--jobs", "1"]
            cost = measure.cost(command, cores=1, env=material.environment(case.home)).cpu
            if run:
                taken.append(cost)
    return [statistics.median(taken) for taken in costs]


def _say(name: str, costs: Sequence[float]) -> None:
    without, *others = costs
    cells = "".join(f" {one:.2f} | {one / without:.2f} |" for one in others)
    print(f"| {name} | {without:.2f} |{cells}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
