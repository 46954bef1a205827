"""Our matcher against Semgrep itself: the same rules on the same files: ``make bench-semgrep``.

Files are planted ones and ones of the corpus, as they are (Semgrep opens no archives). Rules are
those of ``rules/`` whose patterns are regular expressions, without their ``paths``. Semgrep runs
over one folder with one job; the matcher in this process, its compiled rules from the cache.
Findings are compared as (file, rule, first byte, end): ours before leakmon's own filters
(placeholders, documented examples, entropy, lesser twins), which Semgrep does not know.

    python -m tests.bench.semgrep [--files N]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import yaml

from monitor import rules
from tests.bench import corpus, formats, measure, surroundings

GOAL_RATIO = 100
MOST_BYTES = 200_000
TEXT = {".py", ".js", ".ts", ".json", ".md", ".yml", ".yaml", ".txt", ".mjs", ".sh", ".env"}
Spans = set[tuple[str, str, int, int]]


def staged(folder: Path, wanted: int) -> list[Path]:
    """``wanted`` files in one flat folder, a third of them planted."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / ".semgrepignore").write_bytes(b"")
    chance, files = random.Random(20261123), []
    plain = ("assignment", "JSON", "YAML", "environment", "header")
    for number in range(wanted // 3):
        provider = formats.PROVIDERS[number % len(formats.PROVIDERS)]
        surround = surroundings.SURROUNDINGS[plain[number % len(plain)]]
        name, body = surround(provider, formats.token(provider, chance), chance)
        files.append(folder / f"planted-{number}-{name}")
        files[-1].write_bytes(body)
    tree = corpus.unpacked(corpus.fetched("packages.txt"), corpus.CACHE / "tree")
    real = [one for one in sorted(tree.rglob("*")) if one.suffix in TEXT and one.is_file()]
    for one in chance.sample(real, k=2 * wanted):
        body = one.read_bytes()
        if len(files) < wanted and len(body) <= MOST_BYTES and _is_plain(body):
            files.append(folder / f"real-{len(files)}{one.suffix}")
            files[-1].write_bytes(body)
    return files


def _is_plain(body: bytes) -> bool:
    """ASCII only: Semgrep counts offsets in characters, the matcher in bytes."""
    return body.isascii() and b"\r" not in body


def expressions_only(folder: Path) -> Path:
    """The bundled rules without the structural ones."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in sorted(Path(rules.bundled_rules_folder()).glob("*.yaml")):
        content = yaml.safe_load(path.read_text("utf-8"))
        for rule in content["rules"]:
            rule.pop("paths", None)
        (folder / path.name).write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    return folder


def by_semgrep(config: Path, folder: Path) -> tuple[Spans, float]:
    """What Semgrep finds, and its CPU seconds."""
    program = Path(sys.executable).with_name("semgrep")
    command = [
        str(program), "scan", "--metrics=off", "--disable-version-check", "--disable-nosem",
        "--no-git-ignore", "--scan-unknown-extensions", "--json", "--quiet", "--jobs=1",
        "--timeout=120", "--max-target-bytes=0", f"--config={config}", str(folder),
    ]  # fmt: skip
    env = {"HOME": str(corpus.CACHE / "home"), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=False, capture_output=True, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in {0, 1}:
        sys.exit(done.stderr.decode()[-2000:])
    report = json.loads(done.stdout)
    for error in report["errors"][:5]:
        print(f"Semgrep: {error['message'][:200]}", file=sys.stderr)
    found = {
        (
            Path(one["path"]).name,
            one["check_id"].rpartition(".")[2],
            one["start"]["offset"],
            one["end"]["offset"],
        )
        for one in report["results"]
    }
    return found, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def by_matcher(config: Path, files: list[Path]) -> tuple[Spans, float, float]:
    """What the matcher finds in plain sight; CPU seconds of loading, of reading and scanning."""
    cache = str(corpus.CACHE / "home" / "rules")
    rules.compiled([str(config)], cache)  # compiled once for all, as in daily use
    started = time.process_time()
    matcher = rules.compiled([str(config)], cache)
    loaded = time.process_time()
    found: Spans = set()
    for path in files:
        for match in matcher.scan_all(path.read_bytes(), path.name):
            if not match.decoded:
                found.add((path.name, match.rule.id, match.start, match.end))
    return found, loaded - started, time.process_time() - loaded


def main() -> None:
    """Run both and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=300)
    options = parser.parse_args()
    files = staged(corpus.CACHE / "semgrep" / "files", options.files)
    config = expressions_only(corpus.CACHE / "semgrep" / "rules")
    print(measure.machine(), flush=True)
    ours, loading, scanning = by_matcher(config, files)
    theirs, seconds = by_semgrep(config, files[0].parent)
    size = sum(path.stat().st_size for path in files)
    count = len(rules.load([str(config)]).rules)
    cost = f"{loading:.3f} + {scanning:.3f}"
    print(f"\n{len(files)} files, {size / 2**20:.2f} MiB, {count} rules\n")
    print("| | findings | CPU s |\n| --- | --- | --- |")
    name = f"Semgrep {metadata.version('semgrep')}, one job, whole process"
    print(f"| {name} | {len(theirs)} | {seconds:.2f} |")
    print(f"| our matcher: load compiled rules + read and scan | {len(ours)} | {cost} |")
    both, only_theirs, only_ours = len(ours & theirs), len(theirs - ours), len(ours - theirs)
    print(f"\nIn both {both}, only Semgrep {only_theirs}, only ours {only_ours}.")
    print(f"CPU: {seconds / (loading + scanning):.0f} times less (goal {GOAL_RATIO}).")
    for title, rest in (("only Semgrep", theirs - ours), ("only ours", ours - theirs)):
        for name, rule, start, end in sorted(rest)[:40]:
            print(f"- {title}: {name} {rule} {start}-{end}")


if __name__ == "__main__":
    main()
