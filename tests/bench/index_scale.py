"""How the index of private code scales: building, size, look-ups and memory at 10^6 to 10^8 prints.

Synthetic prints (random, as keyed ones are). Every measure of look-ups is taken in a process of its
own. Run: python -m tests.bench.index_scale [--entries 100000000] [--folder DIR] [--table FILE]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from monitor.private_code.index import layout, merge
from monitor.private_code.index.keys import PrintKey
from monitor.private_code.index.segment import Segment, SegmentWriter

QUESTIONS = 100_000
CHUNK = 2_000_000
SHAPES: dict[str, tuple[float, ...]] = {
    "1 segment": (1.0,),
    "4 segments": (0.70, 0.15, 0.10, 0.05),
    "8 segments": (0.60, 0.20, 0.10, 0.05, 0.02, 0.01, 0.01, 0.01),
}
KEY = PrintKey(b"k" * 32)


def build(path: str, entries: int, seed: int) -> None:
    """A segment of random postings, made range by range as a merge makes it."""
    rng = np.random.default_rng(seed)
    drop = np.uint64(64 - layout.FULL_BITS)
    writer = SegmentWriter(path, entries, layout.FULL_BITS)
    pieces = list(merge.ranges(entries, CHUNK))
    for number, (low, high) in enumerate(pieces):
        count = entries * (number + 1) // len(pieces) - entries * number // len(pieces)
        hashes = np.sort(rng.integers(low, high, count, np.uint64)) >> drop << drop
        files = rng.integers(1, 500_000, count, np.uint32)
        writer.append(hashes, files, rng.integers(1, 2000, count, np.uint32))
    writer.finish()


def questions(paths: list[str], share: float) -> Any:
    """Prints of which this share stands in the segments, in any order."""
    rng = np.random.default_rng(1 << 40)  # no segment was made from this seed
    strangers = rng.integers(0, 1 << 64, QUESTIONS, np.uint64)
    wanted, place = int(QUESTIONS * share), 0
    total = sum(len(Segment(path)) for path in paths)
    for path in paths:
        segment = Segment(path)
        count = wanted * len(segment) // total
        pieces = max(1, min(count, 2000))
        for start in rng.integers(0, (1 << 64) - (1 << 52), pieces, np.uint64):
            low = int(start)
            span = (1 << 64) // max(1, len(segment)) * (8 + 2 * count // pieces)
            got = segment.read(low, min(low + span, 1 << 64))[0][: count // pieces]
            strangers[place : place + len(got)] = got
            place += len(got)
    rng.shuffle(strangers)
    return strangers


def ask(paths: list[str], queries: str) -> None:
    """In a process of its own: print times and memory as JSON."""
    keyed = np.load(queries)
    segments = [Segment(path) for path in paths]
    before = _memory()
    times: list[float] = []
    cpu: list[float] = []
    hits = 0
    for _ in range(9):
        started, spent = time.perf_counter(), time.process_time()
        KEY.apply(keyed)  # what a scan does first, here with an answer that is not used
        hashes = layout.cut(keyed, layout.FULL_BITS)
        wanted = layout.mask(hashes)
        hits = sum(len(segment.find(hashes, wanted)[0]) for segment in segments)
        times.append((time.perf_counter() - started) * 1000)
        cpu.append((time.process_time() - spent) * 1000)
    after = _memory()
    print(
        json.dumps(
            {
                "first": times[0],
                "median": sorted(times[1:])[4],
                "cpu": sorted(cpu[1:])[4],
                "hits": hits,
                "base": before["VmRSS"],
                "peak": after["VmHWM"],
                "anon": after["RssAnon"],
                "file": after["RssFile"],
            }
        )
    )


def _memory() -> dict[str, float]:
    """The process's memory in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith(" kB")}
    return {name: int(value) / 1024 for name, value in found.items()}


def _child(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.bench.index_scale", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def measured(folder: str, entries: int) -> list[str]:
    """The table's lines for one size."""
    lines = []
    for name, shares in SHAPES.items():
        paths = [f"{folder}/{name[0]}-{number}.segment" for number in range(len(shares))]
        started = time.perf_counter()
        built = [
            json.loads(_child("--build", path, "--entries", str(int(entries * share))))
            for path, share in zip(paths, shares, strict=True)
        ]
        seconds = time.perf_counter() - started
        size = sum(Path(path).stat().st_size for path in paths)
        for share in (0.01, 0.5):
            queries = f"{folder}/queries.npy"
            np.save(queries, questions(paths, share))
            got = json.loads(_child("--ask", queries, *paths))
            lines.append(
                f"| {entries:,} | {name} | {size / 1e6:,.0f} | {seconds:.0f} | "
                f"{max(one['peak'] for one in built):.0f} | {share:.0%} | {got['first']:.0f} | "
                f"{got['median']:.1f} | {got['cpu']:.1f} | {got['peak']:.0f} | {got['anon']:.0f} |"
            )
            print(lines[-1], flush=True)
        if len(paths) == 8:
            out = f"{folder}/merged.segment"
            started = time.perf_counter()
            peak = json.loads(_child("--merge", out, *reversed(paths)))["peak"]
            print(f"merged {entries:,}: {time.perf_counter() - started:.0f} s, peak {peak:.0f} MB")
            lines.append(
                f"| {entries:,} | 8 merged into 1 | {Path(out).stat().st_size / 1e6:,.0f} | "
                f"{time.perf_counter() - started:.0f} | {peak:.0f} | | | | | | |"
            )
            Path(out).unlink()
        for path in paths:
            Path(path).unlink()
    return lines


HEAD = """\
| postings | shape | MB | s, build | MB, build | hits | first | wall | CPU | MB, all | MB, own |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


def main() -> None:
    """Build, ask and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("paths", nargs="*", help=argparse.SUPPRESS)
    options.add_argument("--entries", type=int, action="append")
    options.add_argument("--folder")
    options.add_argument("--table", help="write the table here")
    options.add_argument("--build", help=argparse.SUPPRESS)
    options.add_argument("--ask", help=argparse.SUPPRESS)
    options.add_argument("--merge", help=argparse.SUPPRESS)
    call = options.parse_args()
    if call.ask:
        ask(call.paths, call.ask)
        return
    if call.build:
        build(call.build, call.entries[0], hash(call.build) & 0xFFFF)
    elif call.merge:
        merge.merge(call.merge, [Segment(path) for path in call.paths], layout.FULL_BITS)
    if call.build or call.merge:
        print(json.dumps({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    with tempfile.TemporaryDirectory(dir=call.folder) as folder:
        sizes = call.entries or [1_000_000, 10_000_000, 100_000_000]
        table = HEAD + "\n".join(line for size in sizes for line in measured(folder, size)) + "\n"
    if call.table:
        Path(call.table).write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
