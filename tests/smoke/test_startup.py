"""A small local scan starts quickly because it loads little: the same modules every time."""

from __future__ import annotations

import json
import os
import re
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
    *("tomllib", "zipfile"),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a package in it and a cache that a first scan has filled."""
    folder = tmp_path_factory.mktemp("home")
    (folder / canary.FILENAME).write_bytes(canary.package())
    done = _scan(folder)
    assert json.loads(done.stdout)["schema"] == "leakmon/scan/1", done.stderr
    return folder


def _scan(home: Path, *options: str, form: str = "json") -> subprocess.CompletedProcess[str]:
    call = [sys.executable, *options, "-m", "monitor", "scan", "--format", form, canary.FILENAME]
    return subprocess.run(
        call,
        cwd=home,
        env={"HOME": str(home), "PATH": os.defpath},
        check=False,
        capture_output=True,
        text=True,
    )


def _imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The modules that ``-X importtime`` saw, in the command and in its children."""
    return set(re.findall(r"(?m)^import time:[^|]*\|[^|]*\|\s*(\S+)$", done.stderr))


def test_a_scan_with_a_warm_cache_loads_nothing_dear(home: Path) -> None:
    done = _scan(home, "-X", "importtime")
    assert done.returncode == 1, done.stderr[-2000:]
    loaded = _imported(done)
    assert "monitor.cli.scan" in loaded
    assert "hyperscan" in loaded
    assert loaded & TOO_DEAR == set()


def test_the_help_loads_no_engine(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "monitor", "scan", "--help"],
        cwd=home,
        env={"HOME": str(home), "PATH": os.defpath},
        check=True,
        capture_output=True,
        text=True,
    )
    assert _imported(done) & (TOO_DEAR | {"hyperscan", "rich", "regex"}) == set()
