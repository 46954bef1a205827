"""leakmon against kingfisher-bin on 25 real archives, whole process, in one run: ``make bench``.

The two alternate (A B A B ...) after a warm-up of each, on the packed archives and on the unpacked
tree, on all cores and on one; memory is watched in runs of its own. Then leakmon alone on
synthetic archives from 1 MiB to 1 GiB: the time per MiB must stay flat.

    python -m tests.bench.speed [--runs N] [--cases archives,tree,small,growth] [--cores all,1]
        [--largest MIB]
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from monitor import rules
from tests.bench import corpus, measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TMPFS = Path("/dev/shm")  # noqa: S108 - Kingfisher unpacks to TMPDIR: memory is its fair case
SMALL = "npm-chalk-"
GROWTH_MIB = (1, 4, 16, 64, 256, 1024)
LEAST_GROWTH_MIB = 16  # in one run
GOALS = {
    "archives": (0.25, 0.25, 0.20),
    "tree": (0.45, 0.45, None),
    "small": (None, 0.20, None),
    "archives/tree": (0.28, 0.28, None),
}


class Tool(NamedTuple):
    """A scanner: the command before its targets, for so many jobs, and where its report goes."""

    name: str
    command: tuple[str, ...]
    report: Path

    def on(self, targets: Sequence[Path], jobs: int) -> list[str]:
        return [*self.command, "--jobs", str(jobs), *map(str, targets)]


class Result(NamedTuple):
    """What one tool took on one case."""

    cost: measure.Cost
    memory: measure.Memory


def tools(home: Path) -> tuple[Tool, Tool]:
    """leakmon and Kingfisher, as compared here; both write a JSON report to a file."""
    ours, theirs = home / "leakmon.json", home / "kingfisher.json"
    output = ["--quiet", "--format", "json", "--output"]
    leakmon = [sys.executable, "-m", "monitor", "scan", *output, str(ours), "--no-progress"]
    binary = corpus.installed("kingfisher-bin", "kingfisher")
    kingfisher = [str(binary), "scan", *output, str(theirs), "--no-validate", "--no-update-check"]
    return Tool("leakmon", tuple(leakmon), ours), Tool("Kingfisher", tuple(kingfisher), theirs)


def environment(home: Path) -> dict[str, str]:
    """The same for both: a private home (for their caches of compiled rules), TMPDIR in memory."""
    root = str(Path(__file__).parents[2])
    return {"HOME": str(home), "PATH": os.environ["PATH"], "TMPDIR": str(TMPFS), "PYTHONPATH": root}


def compared(
    pair: Sequence[Tool], targets: Sequence[Path], runs: int, cores: int, env: Mapping[str, str]
) -> list[Result]:
    """Warm-up, watched memory, then ``runs`` alternating timed runs of each tool."""
    commands = [tool.on(targets, cores) for tool in pair]
    for command in commands:
        measure.cost(command, cores=cores, env=env)
    memories = [measure.memory(command, cores=cores, env=env) for command in commands]
    costs: list[list[measure.Cost]] = [[] for _ in pair]
    for _ in range(runs):
        for taken, command in zip(costs, commands, strict=True):
            taken.append(measure.cost(command, cores=cores, env=env))
    return [
        Result(measure.median(taken), memory) for taken, memory in zip(costs, memories, strict=True)
    ]


def print_case(name: str, goal_of: str, ours: Result, theirs: Result) -> None:
    """Three lines: both tools and the ratio with its goal."""
    for tool, result in (("leakmon", ours), ("Kingfisher", theirs)):
        largest, tree = (size / 2**20 for size in result.memory)
        print(
            f"| {name} | {tool} | {result.cost.cpu:.2f} | {result.cost.wall:.2f} "
            f"| {tree:.0f} | {largest:.0f} |"
        )
    ratios = (
        ours.cost.cpu / theirs.cost.cpu,
        ours.cost.wall / theirs.cost.wall,
        ours.memory.tree / theirs.memory.tree,
    )
    cells = " | ".join(
        f"**{ratio:.2f}**" + (f" (goal {goal:.2f})" if goal else "")
        for ratio, goal in zip(ratios, GOALS[goal_of], strict=True)
    )
    print(f"| {name} | ratio | {cells} | {ours.memory.largest / theirs.memory.largest:.2f} |")


def versus(options: argparse.Namespace, home: Path) -> None:
    """The table of both tools on the real archives."""
    env, pair = environment(home), tools(home)
    archives = corpus.fetched("packages.txt")
    targets = {
        "archives": archives,
        "tree": [corpus.unpacked(archives, corpus.CACHE / "tree")],
        "small": [one for one in archives if one.parent.name.startswith(SMALL)],
    }
    print("| case | tool | CPU s | wall s | memory, tree MiB | largest process MiB |")
    print("| --- | --- | --- | --- | --- | --- |")
    on_archives: dict[int, Result] = {}
    for cores, case in itertools.product(_cores(options.cores), options.cases):
        if case not in targets:
            continue
        ours, theirs = compared(pair, targets[case], options.runs, cores, env)
        print_case(f"{case}, {cores} core{'s'[: cores - 1]}", case, ours, theirs)
        if case == "archives":
            on_archives[cores] = ours
        if case == "tree" and cores in on_archives:
            name = f"our archives, its tree, {cores} core{'s'[: cores - 1]}"
            print_case(name, "archives/tree", on_archives[cores], theirs)
        sys.stdout.flush()
    _state(pair, archives)


def _cores(wanted: Sequence[str]) -> list[int]:
    every = len(os.sched_getaffinity(0))
    return [every if one == "all" else int(one) for one in wanted]


def _state(pair: Sequence[Tool], archives: Sequence[Path]) -> None:
    """What the ratios rest on: rule counts, modes, bytes."""
    packed = sum(archive.stat().st_size for archive in archives) / 2**20
    ours, theirs = (json.loads(tool.report.read_bytes()) for tool in pair)
    count = len(rules.load([str(rules.bundled_rules_folder())]).rules)
    theirs_count = theirs["metadata"]["summary"]["rules_applied"]
    print(
        f"\nleakmon {ours['tool']['version']}: {count} rules; source maps and every decoder on "
        "(base64: the rules' literals at every alignment, in the main database). "
        f"kingfisher-bin {corpus.version('kingfisher-bin')}: {theirs_count} rules, base64 on, "
        f"extraction depth 2 (its defaults). TMPDIR on tmpfs ({TMPFS}). "
        f"{len(archives)} archives, {packed:.0f} MiB packed. CPU and wall: medians. Memory: the "
        "sum of proportional set sizes over the tree of processes at its highest, and the peak "
        "of the largest single process."
    )


def growth(runs: int, largest: int, home: Path) -> None:
    """leakmon alone: CPU and wall milliseconds per MiB, 1 MiB to 1 GiB.

    Of the small sizes several archives are scanned in one run, and a run with as many empty ones is
    taken off: a start costs more than the scan of one MiB.
    """
    env, leakmon = environment(home), tools(home)[0]
    print(
        "\n| unpacked MiB | many files: CPU ms/MiB | wall | memory MiB "
        "| one file: CPU ms/MiB | wall | memory MiB |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for mebibytes in (one for one in GROWTH_MIB if one <= largest):
        copies = range(max(1, LEAST_GROWTH_MIB // mebibytes))
        nothing = leakmon.on([growing(0, copy, is_one=False) for copy in copies], 1)
        times = max(1, min(runs, 256 // mebibytes))
        cells = []
        for is_one in (False, True):
            archives = [growing(mebibytes, copy, is_one=is_one) for copy in copies]
            command = leakmon.on(archives, 1)
            costs = [
                (measure.cost(command, cores=1, env=env), measure.cost(nothing, cores=1, env=env))
                for _ in range(times)
            ]
            taken = measure.median([one for one, _ in costs])
            start = measure.median([one for _, one in costs])
            peak = measure.memory(command, cores=1, env=env).tree / 2**20
            cpu, wall = (
                (one - base) * 1000 / (mebibytes * len(copies))
                for one, base in zip(taken, start, strict=True)
            )
            cells.append(f"{cpu:.1f} | {wall:.1f} | {peak:.0f}")
        print(f"| {mebibytes} | {' | '.join(cells)} |", flush=True)
    print(
        f"\nWithout what empty archives cost, as many as were scanned ({LEAST_GROWTH_MIB} MiB in "
        "one run at least); one core."
    )


def growing(mebibytes: int, copy: int, *, is_one: bool) -> Path:
    """A .tgz of so many MiB: one MiB of real files again and again, never twice the same bytes."""
    kind = "one" if is_one else "many"
    place = corpus.CACHE / "growth" / f"{kind}-{mebibytes}-{copy}.tgz"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        scratch = place.with_suffix(".part")
        with tarfile.open(scratch, "w:gz", compresslevel=1) as tar:
            numbers = range(copy * mebibytes, (copy + 1) * mebibytes)
            rounds = (list(_round(number)) for number in numbers)
            if is_one:
                bodies = b"".join(itertools.chain(*rounds))
                _add(tar, "package/all.js", bodies)
            else:
                for number, files in enumerate(rounds):
                    for place_in, body in enumerate(files):
                        _add(tar, f"package/{number}/{place_in}.js", body)
        scratch.rename(place)
    return place


def _add(tar: tarfile.TarFile, name: str, body: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(body)
    tar.addfile(entry, io.BytesIO(body))


_SAMPLE: list[bytes] = []


def _round(number: int) -> Iterator[bytes]:
    """One MiB of JavaScript and Python from the corpus; the number stands in each file."""
    if not _SAMPLE:
        tree, left = corpus.unpacked(corpus.fetched("packages.txt"), corpus.CACHE / "tree"), 2**20
        for path in sorted(tree.rglob("*"))[::97]:
            if path.suffix not in {".js", ".py", ".ts", ".json", ".mjs"} or not path.is_file():
                continue
            _SAMPLE.append(path.read_bytes()[: min(left, 64 * 1024)])
            left -= len(_SAMPLE[-1])
            if not left:
                break
    for body in _SAMPLE:
        mark = f"// {number:06}\n".encode()
        yield mark + body[len(mark) :]


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument(
        "--cases",
        type=lambda text: text.split(","),
        default=["archives", "tree", "small", "growth"],
    )
    parser.add_argument("--cores", type=lambda text: text.split(","), default=["all", "1"])
    parser.add_argument("--largest", type=int, default=GROWTH_MIB[-1], help="MiB, of growth")
    options = parser.parse_args()
    home = corpus.CACHE / "home"
    home.mkdir(parents=True, exist_ok=True)
    measure.adopt_orphans()
    measure.compile_modules()
    print(measure.machine() + "\n", flush=True)
    if set(options.cases) - {"growth"}:
        versus(options, home)
    if "growth" in options.cases:
        growth(options.runs, options.largest, home)


if __name__ == "__main__":
    main()
