"""What leakmon says of 40 popular packages, each finding judged: ``make bench-precision``.

Every finding of medium or above is looked up in ``judged.toml`` by its fingerprint: ``real`` (a
secret or a leak that the owner would want to know of), ``public`` (real, and meant to be public),
or ``false``, each with a reason. What nobody has judged yet is listed and counts as false.

    python -m tests.bench.precision [--show]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench import corpus, measure

GOAL_PER_100_MB = 1.0
COUNTED = ("medium", "high", "critical")
JUDGED = Path(__file__).with_name("judged.toml")


class Judged(NamedTuple):
    """One finding with what was found out about it."""

    package: str
    finding: dict[str, Any]
    judgement: str
    reason: str


def report(archives: list[Path]) -> dict[str, Any]:
    """leakmon's JSON report on all the archives."""
    output = corpus.CACHE / "precision.json"
    options = ["--format", "json", "--output", str(output), "--quiet", "--no-progress"]
    command = [sys.executable, "-m", "monitor", "scan", *options, *map(str, archives)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    status = subprocess.run(command, check=False, env=env).returncode
    if status not in {0, 1}:
        print(f"exit status {status}: not everything was inspected", file=sys.stderr)
    parsed: dict[str, Any] = json.loads(output.read_bytes())
    return parsed


def judge(scanned: dict[str, Any]) -> list[Judged]:
    """Every finding of medium or above beside its judgement (``unjudged`` where there is none)."""
    known = tomllib.loads(JUDGED.read_text("utf-8"))
    return [
        Judged(Path(target["target"]).name, finding, *_entry(known, finding["fingerprint"]))
        for target in scanned["targets"]
        for finding in target["findings"]
        if finding["severity"] in COUNTED
    ]


def _entry(known: dict[str, Any], fingerprint: str) -> tuple[str, str]:
    entry = known.get(fingerprint, {"judgement": "unjudged", "reason": ""})
    return entry["judgement"], entry["reason"]


def print_findings(judged: list[Judged], *, show: bool) -> None:
    """One row a finding that is the same in several places only once, with how often."""
    times = Counter((one.package, one.finding["fingerprint"]) for one in judged)
    print("| package | severity | rule | where | value | judged | why |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for one in judged:
        key = (one.package, one.finding["fingerprint"])
        if key not in times:
            continue
        often = times.pop(key)
        path = one.finding["path"].removeprefix(one.package).removeprefix("!/")
        secret = one.finding.get("secret") or {}
        value = f"`{secret['redacted']}`" if secret else ""
        place = f"{path}:{one.finding['line']}" + (f" and {often - 1} more" if often > 1 else "")
        print(
            f"| {one.package} | {one.finding['severity']} | {one.finding['rule']} | {place} "
            f"| {value} | {one.judgement} | {one.reason} |"
        )
        if show and one.judgement == "unjudged":
            print(f"    {one.finding['fingerprint']}  {one.finding['message']}")


def print_sums(scanned: dict[str, Any], judged: list[Judged], archives: list[Path]) -> None:
    """The counts and the figure that has a goal."""
    inspected = sum(target["inspected_bytes"] for target in scanned["targets"]) / 1e6
    packed = sum(archive.stat().st_size for archive in archives) / 1e6
    unique = {(one.package, one.finding["fingerprint"]): one.judgement for one in judged}
    counts = Counter(unique.values())
    false = counts["false"] + counts["unjudged"]
    partial = [one["target"] for one in scanned["targets"] if one["status"] != "complete"]
    print(
        f"\n{len(archives)} packages, {packed:.0f} MB packed, {inspected:.0f} MB inspected, "
        f"{len(partial)} not in full. Findings of medium or above: {len(judged)} "
        f"({len(unique)} different): {counts['real']} real, {counts['public']} public by design, "
        f"{counts['false']} false, {counts['unjudged']} not judged.\n"
        f"False findings per 100 MB inspected: **{false / inspected * 100:.2f}** "
        f"(goal: at most {GOAL_PER_100_MB:.0f}); per 100 MB packed: {false / packed * 100:.2f}."
    )


def main() -> None:
    """Scan, look up, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true", help="fingerprints of the unjudged")
    options = parser.parse_args()
    archives = corpus.fetched("popular.txt")
    print(measure.machine() + "\n", flush=True)
    scanned = report(archives)
    judged = judge(scanned)
    print_findings(judged, show=options.show)
    print_sums(scanned, judged, archives)


if __name__ == "__main__":
    main()
