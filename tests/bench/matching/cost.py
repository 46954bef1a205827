"""``make bench-matching-cost``: what a scan costs with a matcher on, against the same without.

CPU seconds (user + system) of the whole process tree, on one core, the two in turn (A B A B ...);
the index holds the private projects of ``private.txt``, and esbuild is at hand. The goal is 1.6.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import corpus, measure
from tests.bench.matching import material

GOAL = 1.6
NAMES = (
    *("chalk", "lodash", "webpack", "typescript", "three", "pdfjs-dist", "echarts"),
    *("cryptography", "mypy", "plotly", "django", "sphinx", "requests"),
)
LEAKMON = (sys.executable, "-m", "monitor")


def environment(home: Path) -> dict[str, str]:
    """A private home, for the index and the cache of compiled rules."""
    root = str(Path(__file__).parents[3])
    return {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": root}


def indexed(home: Path) -> Path:
    """A configuration with an index of all that is taken as private."""
    config = home / "leakmon.toml"
    config.write_text(
        f'[private_code]\nfolder = "{home}/index"\nesbuild = "{material.esbuild()}"\n'
        '[[organisations]]\nname = "acme"\n',
        "utf-8",
    )
    folders: list[Path] = []
    for source in material.private():
        copy = home / "private" / source.project / source.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.content)
        folders.append(home / "private" / source.project)
    names = list(map(str, dict.fromkeys(folders)))
    subprocess.run(
        [*LEAKMON, "index", "add", *names, "--config", config],
        check=True, env=environment(home), stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return config


def main() -> None:
    """Print the table of ``matching.md``."""
    parser = argparse.ArgumentParser(prog="make bench-matching-cost")
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each, in turn")
    parser.add_argument("--packages", default=",".join(NAMES), help="names of packages.txt")
    options = parser.parse_args()
    wanted = options.packages.split(",")
    packages = [one for one in corpus.listed("packages.txt") if one.name in wanted]
    measure.adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="leakmon-cost-") as folder:
        config = indexed(Path(folder))
        env = environment(Path(folder))
        made = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        day = time.strftime("%Y-%m-%d", time.gmtime())
        command = " ".join(["make bench-matching-cost", *sys.argv[1:]])
        print(f"{made}, {day}; `{command}`; CPU seconds, median of {options.runs}\n")
        print("| package | without | with | ratio |\n| --- | --- | --- | --- |")
        totals = [0.0, 0.0]
        for package in packages:
            found = _compared(corpus.archive(package), config, env, options.runs)
            totals = [one + more for one, more in zip(totals, found, strict=True)]
            _say(f"{package.kind} {package.name} {package.version}", *found)
        _say("all", *totals)
    is_met = totals[1] <= GOAL * totals[0]
    print(f"\nGoal: at most {GOAL:.1f} times: {'met' if is_met else 'not met'}.")


def _compared(archive: Path, config: Path, env: dict[str, str], runs: int) -> tuple[float, float]:
    """The median cost without and with, after a warm-up of each."""
    scan = [*LEAKMON, "scan", str(archive), "--config", str(config), "--no-progress", "--jobs", "1"]
    costs: dict[str, list[float]] = {"--no-private-code": [], "--private-code": []}
    for run in range(runs + 1):
        for option, taken in costs.items():
            cost = measure.cost([*scan, option], cores=1, env=env).cpu
            if run:
                taken.append(cost)
    without, with_matcher = (statistics.median(taken) for taken in costs.values())
    return without, with_matcher


def _say(name: str, without: float, with_matcher: float) -> None:
    print(f"| {name} | {without:.2f} | {with_matcher:.2f} | {with_matcher / without:.2f} |")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
