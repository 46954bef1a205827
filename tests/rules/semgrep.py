"""Running Semgrep itself over staged texts: the oracle of the differential tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = Path(sys.executable).with_name("semgrep")

Spans = dict[tuple[str, str], set[tuple[int, int]]]
"""(name of the staged text, rule id) -> the ranges that were reported."""


def spans(config: Path, texts: Mapping[str, bytes], room: Path) -> Spans:
    """What Semgrep finds with the rules in ``config`` in texts by relative path."""
    stage = room / "stage"
    for name, text in texts.items():
        path = stage / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    (stage / ".semgrepignore").write_bytes(b"")
    home = room / "home"
    home.mkdir()
    command = [
        str(PROGRAM), "scan", "--metrics=off", "--disable-version-check", "--disable-nosem",
        "--no-git-ignore", "--scan-unknown-extensions", "--json", "--quiet", "--jobs=1",
        "--timeout=60", f"--config={config}", str(stage),
    ]  # fmt: skip
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, check=False, capture_output=True, env=environment)
    assert done.returncode in (0, 1), done.stderr.decode()
    report = json.loads(done.stdout)
    assert not report["errors"], report["errors"][:3]
    found: Spans = {}
    for result in report["results"]:
        name = str(Path(result["path"]).relative_to(stage))
        rule = result["check_id"].rpartition(".")[2]
        span = (result["start"]["offset"], result["end"]["offset"])
        found.setdefault((name, rule), set()).add(span)
    return found
