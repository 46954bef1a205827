"""What inflating and one pass of Hyperscan cost by themselves: ``make bench-floor``.

A scan does both whatever else it does: the least that it can take with these libraries and all our
rules, on the archives of ``speed`` and beside the same Kingfisher, on one core.

    python -m tests.bench.floor [--runs N]
"""

from __future__ import annotations

import argparse
import sys

import hyperscan

from monitor import rules
from monitor.rules.compile import build_all
from tests.bench import corpus, measure, speed
from tests.bench.least import least


def versus(runs: int) -> None:
    """The table: the two steps, leakmon, Kingfisher."""
    home = corpus.CACHE / "home"
    home.mkdir(parents=True, exist_ok=True)
    measure.adopt_orphans()
    measure.compile_modules()
    archives = corpus.fetched("packages.txt")
    database = corpus.CACHE / "floor.hs"
    loaded = rules.load([str(rules.bundled_rules_folder())]).rules
    database.write_bytes(hyperscan.dumpb(build_all(loaded)[1]))
    size, hits = least(archives, database)
    print(f"{measure.machine()}\n\n{size / 2**20:,.0f} MiB inflated, {hits:,} hits; one core\n")
    program, nowhere = (sys.executable, "-m", "tests.bench.least"), home / "unused"
    tools = (
        speed.Tool("inflating", program, nowhere),
        speed.Tool("and one pass of Hyperscan", (*program, "--database", str(database)), nowhere),
        *speed.tools(home),
    )
    results = speed.compared(tools, archives, runs, 1, speed.environment(home))
    print("| | CPU s | wall s | of Kingfisher's CPU |\n| --- | --- | --- | --- |")
    for tool, result in zip(tools, results, strict=True):
        cpu, wall = result.cost
        print(f"| {tool.name} | {cpu:.2f} | {wall:.2f} | {cpu / results[-1].cost.cpu:.2f} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    versus(parser.parse_args().runs)


if __name__ == "__main__":
    main()
