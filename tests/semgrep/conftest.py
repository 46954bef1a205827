from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.semgrep.packages import archive, hostile

LEAKMON = Path(sys.executable).with_name("leakmon")


@pytest.fixture(scope="session")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The JSON report on the hostile package, with Semgrep, as a user runs it."""
    folder = tmp_path_factory.mktemp("hostile")
    path = archive(folder / "acme-1.0.0.tgz", hostile())
    done = subprocess.run(
        [LEAKMON, "scan", "--semgrep", "--format", "json", str(path)],
        check=False,
        capture_output=True,
        cwd=folder,
    )
    assert done.returncode == 1, done.stderr.decode()
    assert [each.name for each in folder.iterdir()] == [path.name]
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture(scope="session")
def structural(hostile_report: dict[str, Any]) -> list[dict[str, Any]]:
    (target,) = hostile_report["targets"]
    return [each for each in target["findings"] if each["detector"] == "semgrep"]
