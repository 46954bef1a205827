from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor import canary
from monitor.rules import bundled_rules_folder, compiled

if TYPE_CHECKING:
    from tests.cli.running import Finished, Leakmon


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder in which the command runs, with the canary and a file without a finding."""
    (tmp_path / "home").mkdir()
    (tmp_path / canary.FILENAME).write_bytes(canary.package())
    (tmp_path / "clean.txt").write_text("nothing to see\n")
    return tmp_path


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the rules compiled, which takes longer than one call may on a busy machine."""
    folder = tmp_path_factory.mktemp("cache")
    compiled([bundled_rules_folder()], str(folder / "leakmon"))
    return folder


@pytest.fixture
def surroundings(place: Path, cache: Path) -> dict[str, str]:
    """The whole environment of the command."""
    return {
        "HOME": str(place / "home"),
        "PATH": os.environ["PATH"],
        "XDG_CACHE_HOME": str(cache),
        "PYTHONPATH": os.fspath(Path(__file__).parents[2]),
    }


@pytest.fixture
def leakmon(place: Path, surroundings: dict[str, str]) -> Leakmon:
    def run(*arguments: str, stdin: str = "") -> Finished:
        return subprocess.run(
            [sys.executable, "-m", "monitor", *arguments],
            cwd=place,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env=surroundings,
        )

    return run
