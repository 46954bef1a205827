"""The wheel, installed where nothing else is, does what the checkout does."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.markers import Marker

from monitor import __version__, canary

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``leakmon`` of a new environment that holds the wheel and what the lock file names.

    The locked distributions are copied, file by file, from the environment of the tests, which
    installed them by a lock with hashes: that needs no index, and a module which the project uses
    without declaring it is still missing.
    """
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, system_site_packages=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    assert list(site.iterdir()) == []
    assert _copy_locked(site) > 10
    installing = (
        *("install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"),
        str(wheel),
    )
    _pip(folder, *installing)
    return folder / "bin" / "leakmon"


def _pip(folder: Path, *arguments: str) -> None:
    python = str(folder / "bin" / "python")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _copy_locked(site: Path) -> int:
    copied = 0
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        pin = re.match(r"([a-z0-9.-]+)==(\S+) ; (.*) \\$", line)
        if not pin or not _applies(pin[3]):
            continue
        found = distribution(pin[1])
        assert found.version == pin[2], f"{pin[1]}: the tests have {found.version}"
        for path in found.files or ():
            if ".." not in path.parts and "__pycache__" not in path.parts:
                target = site / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(found.locate_file(path)), target)
        copied += 1
    return copied


def _applies(marker: str) -> bool:
    return Marker(marker).evaluate()


def _run(command: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(command), *arguments],
        cwd=cwd,
        env={"HOME": str(cwd), "PATH": os.defpath},
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_wheel_carries_the_rules_and_nothing_of_the_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    ours = {path.name for path in (ROOT / "rules").glob("*.yaml")}
    assert ours
    assert ours <= {Path(name).name for name in names if name.startswith("monitor/_bundled/rules/")}
    assert "monitor/py.typed" in names
    for folder, ending in (("rules", ".yaml"), ("rules/semgrep", ".yaml"), ("alembic", ".py")):
        expected = sorted(f"{folder}/{path.name}" for path in (ROOT / folder).glob(f"*{ending}"))
        assert expected
        assert [each for each in expected if f"monitor/_bundled/{each}" not in names] == []
    versions = sorted(path.name for path in (ROOT / "alembic/versions").glob("*.py"))
    assert versions
    assert [v for v in versions if f"monitor/_bundled/alembic/versions/{v}" not in names] == []
    examples = [path.name for path in (ROOT / "rules").glob("known*")]
    assert examples
    assert [each for each in examples if f"monitor/_bundled/rules/{each}" not in names] == []
    assert not [name for name in names if name.startswith(("tests/", "rules/", ".ci/"))]


def test_it_stands_alone_and_lacks_nothing(installed: Path, tmp_path: Path) -> None:
    """Nothing is linked to another environment, and what the wheel asks for is there."""
    folder = installed.parents[1]
    (site,) = folder.glob("lib/python*/site-packages")
    assert [path for path in site.rglob("*") if path.is_symlink()] == []
    _pip(folder, "check", "--disable-pip-version-check")
    show = "import sys, sysconfig; print(*sys.path, sysconfig.get_path('stdlib'), sep='\\n')"
    *paths, stdlib = _run(folder / "bin" / "python", "-c", show, cwd=tmp_path).stdout.splitlines()
    places = [each for each in paths if each and not each.endswith(".zip")]
    assert str(site) in places
    assert [each for each in places if not each.startswith((str(folder), stdlib))] == []


def test_it_tells_its_version(installed: Path, tmp_path: Path) -> None:
    done = _run(installed, "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"leakmon {__version__}\n", "")


def test_it_finds_its_rules(installed: Path, tmp_path: Path) -> None:
    done = _run(installed, "rules", "list", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 10


def test_it_brings_its_database_up_to_date(installed: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'leakmon.db'}"
    (tmp_path / "leakmon.toml").write_text(f'[database]\nurl = "{url}"\n', encoding="utf-8")
    call = ("--config", "leakmon.toml")
    empty = _run(installed, "db", "status", *call, cwd=tmp_path)
    assert (empty.returncode, "empty" in empty.stdout) == (1, True), empty.stderr
    done = _run(installed, "db", "upgrade", *call, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = _run(installed, "db", "upgrade", *call, cwd=tmp_path)
    assert (again.returncode, "up to date" in again.stdout) == (0, True), again.stderr
    assert _run(installed, "db", "status", *call, cwd=tmp_path).returncode == 0


def test_it_finds_what_leaks(installed: Path, tmp_path: Path) -> None:
    (tmp_path / canary.FILENAME).write_bytes(canary.package())
    done = _run(installed, "scan", "--format", "json", canary.FILENAME, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    (target,) = json.loads(done.stdout)["targets"]
    assert {finding["detector"] for finding in target["findings"]} >= canary.EXPECTED_DETECTORS
    assert target["verdict"]["severity"] == "critical"
    assert canary.token() not in done.stdout
