"""The tools that ``make bench-detection`` sets side by side, and what each says it found.

Each peer is installed from PyPI into an environment of its own and run as its users run it, with
the options that make it look deepest; nothing of its rules or tests is read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.bench import corpus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
TOLD = ("low", "medium", "high", "critical")
"""leakmon's severities that count; ``info`` is what is public by design."""


class Found(NamedTuple):
    """One finding: the file on disk, the line (0: not told) and the value (empty: not told)."""

    path: Path
    line: int
    value: str
    rule: str


class Tool(NamedTuple):
    """A scanner: how it is named, run on a folder, and read."""

    name: str
    options: str
    run: Callable[[Path], list[Found]]


def _run(command: list[str | Path], folder: Path, allowed: set[int]) -> bytes:
    home = corpus.CACHE / "home"
    home.mkdir(parents=True, exist_ok=True)
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False)
    if done.returncode not in allowed:
        sys.exit(f"{command[0]}: {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def _leakmon(folder: Path) -> list[Found]:
    options = ["--quiet", "--no-progress", "--format", "json", "--show-secrets"]
    out = _run([sys.executable, "-m", "monitor", "scan", *options, folder], folder, {0, 1, 3})
    return [
        Found(
            folder / finding["path"].removeprefix(f"{folder.name}!/").split("!/")[0],
            0 if "!/" in finding["path"].removeprefix(f"{folder.name}!/") else finding["line"],
            finding.get("secret", {}).get("value") or "",
            finding["rule"],
        )
        for target in json.loads(out)["targets"]
        for finding in target["findings"]
        if finding["detector"] == "secrets" and finding["severity"] in TOLD
    ]


def _kingfisher(folder: Path) -> list[Found]:
    binary = corpus.installed("kingfisher-bin", "kingfisher")
    report = corpus.CACHE / "kingfisher-detection.json"
    options = ["--no-validate", "--no-update-check", "--no-dedup", "--quiet", "--no-ignore"]
    output = ["--format", "json", "--output", str(report), "--extraction-depth", "5"]
    report.unlink(missing_ok=True)
    _run([binary, "scan", *options, *output, folder], folder, {0, 200, 205})
    parsed = json.loads(report.read_bytes())
    return [
        Found(
            folder / one["finding"]["path"].split("!")[0],
            one["finding"]["line"],
            one["finding"]["snippet"],
            one["rule"]["id"],
        )
        for one in parsed["findings"]
    ]


def _detect_secrets(folder: Path) -> list[Found]:
    binary = corpus.installed("detect-secrets", "detect-secrets")
    out = _run([binary, "scan", "--all-files", "--no-verify", "."], folder, {0})
    return [
        Found(folder / path, one["line_number"], "", one["type"])
        for path, found in json.loads(out)["results"].items()
        for one in found
    ]


def _credsweeper(folder: Path) -> list[Found]:
    binary = corpus.installed("credsweeper", "credsweeper")
    report = corpus.CACHE / "credsweeper-detection.json"
    options = ["--depth", "5", "--doc", "--pedantic", "--jobs", "2", "--no-stdout", "--no-error"]
    report.unlink(missing_ok=True)
    _run([binary, "--path", folder, *options, "--save-json", report], folder, {0})
    return list(_credsweeper_lines(json.loads(report.read_bytes())))


def _credsweeper_lines(parsed: list[dict[str, Any]]) -> Iterator[Found]:
    for one in parsed:
        for line in one["line_data_list"]:
            yield Found(Path(line["path"]), line["line_num"], line["value"] or "", one["rule"])


TOOLS = (
    Tool("leakmon", "severity low and above", _leakmon),
    Tool("kingfisher-bin", "--no-validate --no-dedup --extraction-depth 5", _kingfisher),
    Tool("detect-secrets", "scan --all-files --no-verify", _detect_secrets),
    Tool("credsweeper", "--depth 5 --doc --pedantic", _credsweeper),
)


def timed(tool: Tool, folder: Path) -> tuple[list[Found], float]:
    """What a tool found, and how many seconds it took."""
    started = time.perf_counter()
    found = tool.run(folder)
    return found, time.perf_counter() - started
