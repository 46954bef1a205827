"""Signals S4 and S5: wheels, sdists and bytecode that do not agree with each other."""

from __future__ import annotations

import gzip
from datetime import date
from typing import TYPE_CHECKING

import pytest

from monitor.detectors import Context
from monitor.model import Severity
from monitor.pipeline import subjects
from monitor.pipeline.conclude import Policy, conclude_subject
from monitor.pipeline.local import inspect
from monitor.pipeline.release import compare
from monitor.rules import bundled_rules_folder
from monitor.sandbox import Sandbox, Settings
from tests.scenarios.builders import bytecode, github_token, random_text, sdist, tar, wheel, zipped

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitor.model import TargetReport
    from monitor.rules import Matcher
    from tests.scenarios.conftest import Outcome

    Scan = Callable[..., Outcome]
    Release = Callable[..., list[TargetReport]]

WHEEL = "acme-1.0-py3-none-any.whl"
SDIST = "acme-1.0.tar.gz"
CACHE = "acme/__pycache__/settings.cpython-311.pyc"
CLEAN = "def login():\n    return connect()\n"


@pytest.mark.parametrize("is_first", [True, False])
def test_s5_bytecode_that_differs_from_its_source(scan: Scan, *, is_first: bool) -> None:
    """The word need look like no credential: it is not in the source, that is enough."""
    old = f"def login():\n    return connect(password={random_text(24).lower()!r})\n"
    files = {CACHE: bytecode(old), "acme/settings.py": CLEAN.encode()}
    order = sorted(files, reverse=not is_first)
    found = scan(wheel({name: files[name] for name in order}), WHEEL)
    (finding,) = found.of("python-bytecode-differs")
    assert finding.severity is Severity.HIGH
    assert finding.evidence["paths"] == [f"{WHEEL}!/{CACHE}"]


def test_s5_bytecode_of_its_own_source_is_quiet(scan: Scan) -> None:
    files = {CACHE: bytecode(CLEAN), "acme/settings.py": CLEAN.encode()}
    assert scan(wheel(files), WHEEL).findings == []


def test_s5_in_an_archive_in_an_archive(scan: Scan) -> None:
    old = f"TOKEN = {github_token(7)!r}\n"
    inner = zipped({"settings.pyc": bytecode(old), "settings.py": b"TOKEN = None\n"})
    found = scan(gzip.compress(tar({"package/lib/app.zip": inner})))
    (finding,) = found.of("python-bytecode-differs")
    assert finding.path.endswith("app.zip!/settings.pyc")


@pytest.fixture
def release(matcher: Matcher, rules_cache: str) -> Release:
    """Inspects targets of one call in children, compares them, and judges each."""
    del matcher  # it has filled the cache

    def run(*targets: Path) -> list[TargetReport]:
        settings = Settings(rule_folders=(bundled_rules_folder(),), cache_folder=rules_cache)
        ready = [subjects.local(str(target), Context()) for target in targets]
        with Sandbox(settings) as sandbox:
            ended = list(inspect(sandbox, ready, 2))
        compare(ended)
        policy = Policy(today=date(2026, 11, 28))
        return [conclude_subject(one, out, Context(), policy).report for one, out in ended]

    return run


def written(folder: Path, source: bytes, built: bytes) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    (folder / SDIST).write_bytes(source)
    (folder / WHEEL).write_bytes(built)
    return folder / SDIST, folder / WHEEL


INIT = b"import acme_internal\n"
OWN = {"acme/__init__.py": INIT, "acme/core.py": b"run = 1\n"}
EXTRA = {"acme_internal/__init__.py": b"", "acme_internal/billing.py": b"rate = 0.2\n"}


def test_18_a_wheel_with_a_package_that_the_sdist_lacks(release: Release, tmp_path: Path) -> None:
    reports = release(*written(tmp_path, sdist(OWN), wheel(OWN | EXTRA)))
    told = {each.filename: each for each in reports}
    (finding,) = told[WHEEL].findings
    assert (finding.rule, finding.severity) == ("wheel-package-not-in-sdist", Severity.HIGH)
    assert finding.evidence["packages"] == ["acme_internal"]
    assert finding.evidence["sdist"] == SDIST
    assert told[WHEEL].verdict.severity is Severity.HIGH
    assert told[SDIST].findings == []


def test_18_in_one_folder(release: Release, tmp_path: Path) -> None:
    written(tmp_path / "dist", sdist(OWN), wheel(OWN | EXTRA))
    (report,) = release(tmp_path / "dist")
    (finding,) = report.findings
    assert finding.path == f"{WHEEL}!/acme_internal"


RENAMED = {
    "in another folder": (
        {f"src/{name}": content for name, content in (OWN | EXTRA).items()},
        EXTRA,
    ),
    "under another name": (
        OWN | {f"lib/{name.partition('/')[2]}": content for name, content in EXTRA.items()},
        EXTRA,
    ),
    "one module": (OWN | {"six.py": b"x = 1\n"}, {"six.py": b"x = 1\n"}),
    "made by the build": (OWN, {"acme/_version.py": b"version = '1.0'\n"}),
}


@pytest.mark.parametrize("case", RENAMED)
def test_18_what_a_build_moves_is_not_lacking(release: Release, tmp_path: Path, case: str) -> None:
    source, extra = RENAMED[case]
    told = release(*written(tmp_path, sdist(source), wheel(OWN | extra)))
    assert [each.findings for each in told] == [[], []]


def test_18_an_sdist_that_was_not_read_in_full_proves_nothing(
    release: Release, tmp_path: Path
) -> None:
    whole = sdist(OWN | {f"z{at}.py": random_text(3000, at).encode() for at in range(9)})
    told = release(*written(tmp_path, whole[: len(whole) // 2], wheel(OWN | EXTRA)))
    assert {each.filename: len(each.findings) for each in told}[WHEEL] == 0
