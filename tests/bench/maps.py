"""What one large source map costs, whole process: ``make bench-maps``.

A package like the one that this project was created for: a 60 MB map with the text of 1,900 source
files, beside its bundle. CPU seconds (user + system, children included), wall seconds and the peak
of the largest process; the contract is 1.2 s of CPU and 300 MB. ``--runs N`` for more runs.

The sources are generated: lines of code-like text from a fixed seed, no two alike.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import random
import statistics
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.bench import measure

CONTRACT_CPU, CONTRACT_BYTES = 1.2, 300_000_000
SOURCES = 1_900
MAP_BYTES = 60_000_000
_MAPPINGS_SHARE = 0.25
_NOUNS = [
    "account",
    "branch",
    "cursor",
    "device",
    "editor",
    "folder",
    "gateway",
    "handle",
    "index",
    "job",
    "kernel",
    "ledger",
]
_VERBS = [
    "apply",
    "build",
    "close",
    "decode",
    "emit",
    "fetch",
    "guard",
    "hold",
    "inspect",
    "join",
    "keep",
    "load",
    "merge",
    "note",
]


def source(number: int, size: int) -> str:
    """About ``size`` bytes of TypeScript that nobody wrote."""
    choose = random.Random(number)
    lines = [f'import {{ {choose.choice(_VERBS)} }} from "../{choose.choice(_NOUNS)}";\n']
    have = 0
    while have < size:
        verb, noun = choose.choice(_VERBS), choose.choice(_NOUNS)
        figure = choose.randrange(1 << 30)
        other = choose.choice(_NOUNS)
        line = (
            f"export async function {verb}{noun.title()}{figure}({noun}: string) {{\n"
            f"  // {verb} the {noun} once more, and then the {other} that came with it\n"
            f'  await {verb}({noun}, "{other}", {{ retries: {figure % 7} }});\n}}\n'
        )
        lines.append(line)
        have += len(line)
    return "".join(lines)


def source_map() -> bytes:
    """The map: names, texts, and mappings that look like base64 VLQ."""
    size = int(MAP_BYTES * (1 - _MAPPINGS_SHARE) / SOURCES / 1.06)  # escapes make the rest
    names = [f"../src/{_NOUNS[at % 12]}/{_VERBS[at % 13]}{at}.ts" for at in range(SOURCES)]
    texts = [source(at, size) for at in range(SOURCES)]
    letters = random.Random(7).choices("ACEGIKMOQSUWYacegikmoqsuwy,;", k=1 << 20)
    mappings = "".join(letters) * int(MAP_BYTES * _MAPPINGS_SHARE / (1 << 20))
    found = {"version": 3, "file": "cli.js", "sources": names, "sourcesContent": texts}
    return json.dumps(found | {"names": [], "mappings": mappings}).encode()


def package(path: Path) -> int:
    """Writes the package; gives the bytes of its map."""
    mapped = source_map()
    manifest = json.dumps({"name": "@acme/cli", "version": "1.0.0", "license": "UNLICENSED"})
    members = {"package.json": manifest.encode(), "cli.js": b"run();\n", "cli.js.map": mapped}
    with gzip.open(path, "wb", compresslevel=6) as out, tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in members.items():
            header = tarfile.TarInfo(f"package/{name}")
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return len(mapped)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    measure.adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="leakmon-bench-") as folder:
        home = Path(folder)
        path = home / "acme-cli-1.0.0.tgz"
        size = package(path)
        command = [sys.executable, "-m", "monitor", "scan", "--format", "json", "--no-progress"]
        command += ["--output", str(home / "report.json"), "--quiet", str(path)]
        root = str(Path(__file__).parents[2])
        env = {"HOME": folder, "PATH": os.defpath, "PYTHONPATH": root}
        measure.cost(command, cores=1, env=env)  # compiles the rules
        (target,) = json.loads((home / "report.json").read_text(encoding="utf-8"))["targets"]
        (finding,) = [f for f in target["findings"] if f["rule"].startswith("source-map-")]
        assert finding["evidence"]["first_party_files"] == SOURCES
        costs = [measure.cost(command, cores=1, env=env) for _ in range(runs)]
        memory = measure.memory(command, cores=1, env=env)
    print(measure.machine())
    lines = finding["evidence"]["first_party_lines"]
    print(f"a map of {size:,} bytes, {SOURCES:,} sources, {lines:,} lines; {runs} runs on one core")
    cpu = [cost.cpu for cost in costs]
    wall = [cost.wall for cost in costs]
    print(f"CPU   best {min(cpu):.2f} s, median {statistics.median(cpu):.2f} s ({CONTRACT_CPU} s)")
    print(f"wall  best {min(wall):.2f} s, median {statistics.median(wall):.2f} s")
    print(f"peak  {memory.largest / 1e6:.0f} MB ({CONTRACT_BYTES / 1e6:.0f} MB)")


if __name__ == "__main__":
    main()
