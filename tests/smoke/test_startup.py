"""A small local scan starts quickly because it loads little: the same modules every time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from monitor import canary

if TYPE_CHECKING:
    from pathlib import Path

TOO_DEAR = {
    *("aiohttp", "alembic", "asyncio", "jinja2", "pip_audit", "pydantic", "slack_sdk"),
    *("sqlalchemy", "yaml", "importlib.metadata", "multiprocessing", "pathlib", "tarfile"),
    *("tomllib", "zipfile", "numpy", "procrastinate"),
    # what only some artifacts need
    *("monitor.recompiled", "monitor.detectors.packaging.compiled", "monitor.archive.rpm"),
    *("monitor.detectors.packaging.release", "monitor.archive.unopened", "monitor.archive.cpio"),
}


# Runs in every interpreter that is started, and in its forks: notes each module that is looked for.
RECORDER = """
import os, sys
class Recorder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        with open({log!r}, "a") as log:
            log.write(name + "\\n")
sys.meta_path.insert(0, Recorder)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a package in it and a cache that a first scan has filled."""
    folder = tmp_path_factory.mktemp("home")
    (folder / canary.FILENAME).write_bytes(canary.package())
    done = _run(folder, "scan", "--format", "json", canary.FILENAME)
    assert json.loads(done.stdout)["schema"] == "leakmon/scan/1", done.stderr
    return folder


def _run(
    home: Path, *arguments: str, python_path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environ = {"HOME": str(home), "PATH": os.defpath}
    if python_path:
        environ["PYTHONPATH"] = str(python_path)
    return subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        cwd=home,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )


def _loaded(home: Path, folder: Path, *arguments: str) -> set[str]:
    """The modules that leakmon and its children load."""
    log = folder / "loaded"
    (folder / "sitecustomize.py").write_text(RECORDER.format(log=str(log)), encoding="utf-8")
    done = _run(home, *arguments, python_path=folder)
    assert done.returncode in {0, 1}, done.stderr
    assert done.stderr.count("Traceback") == 0, done.stderr
    return set(log.read_text(encoding="utf-8").split())


def test_a_scan_with_a_warm_cache_loads_nothing_dear(home: Path, tmp_path: Path) -> None:
    loaded = _loaded(home, tmp_path, "scan", "--format", "json", canary.FILENAME)
    assert "monitor.cli.scan" in loaded
    assert "hyperscan" in loaded
    assert loaded & TOO_DEAR == set()


def test_the_help_loads_no_engine(home: Path, tmp_path: Path) -> None:
    loaded = _loaded(home, tmp_path, "scan", "--help")
    assert "monitor.cli" in loaded
    assert loaded & (TOO_DEAR | {"hyperscan", "rich", "regex"}) == set()
