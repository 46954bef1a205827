"""What could not be inspected is said in every way there is: status, list, verdict, exit status."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import Leakmon, report, tgz
from tests.scenarios.builders import dumped, package_json, source_map, zipped

if TYPE_CHECKING:
    from pathlib import Path

UNSUPPORTED = "unsupported-archive"
OPEN = package_json(license="MIT", repository="github:acme/cli")
REACT = [f"../node_modules/react/index{number}.js" for number in range(30)]
MAP = dumped({"version": 3, "sources": REACT, "mappings": "AAAA", "names": []})
MANY = dumped(source_map([], has_content=False, sources=["node_modules/a.js"] * 200_001))

UNREAD: dict[str, tuple[dict[str, bytes], str, str]] = {
    "a map that was cut": ({"package.json": OPEN, "a.map": MAP[:-40]}, "a.map", "truncated"),
    "a map with too many sources": ({"package.json": OPEN, "a.map": MANY}, "a.map", "over-members"),
    "a manifest that is none": ({"package.json": OPEN[:-9]}, "package.json", "unparsable"),
}


@pytest.mark.parametrize("case", UNREAD)
def test_what_could_not_be_read_makes_the_answer_partial(
    leakmon: Leakmon, place: Path, case: str
) -> None:
    members, name, reason = UNREAD[case]
    tgz(place / "a.tgz", {f"package/{path}": content for path, content in members.items()})
    finished = leakmon("scan", "a.tgz", "--fail-on", "high", "--format", "json")
    (target,) = report(finished)["targets"]
    assert target["status"] == "partial"
    assert target["skipped"] == [{"path": f"a.tgz!/package/{name}", "reason": reason}]
    assert target["verdict"]["severity"] == "medium"
    assert finished.returncode == 3
    assert leakmon("scan", "a.tgz").returncode == 1


HOLLOW = {
    "nothing at all": ("acme-1.0.0.tgz", b"", "not-an-archive"),
    "a page that says no": ("acme-1.0.0.tgz", b"<!doctype html><h1>Sign in</h1>", "not-an-archive"),
    "a page, compressed": ("acme.tgz", gzip.compress(b"<h1>Sign in</h1>"), "not-an-archive"),
    "a wheel of text": ("acme-1.0-py3-none-any.whl", b"to be done", "not-an-archive"),
    "an archive without a file": ("acme.zip", zipped({}), "not-an-archive"),
    "a kind that is not opened": ("acme.tgz", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(60), UNSUPPORTED),
}


@pytest.mark.parametrize("case", HOLLOW)
def test_what_is_no_archive_is_not_clear(leakmon: Leakmon, place: Path, case: str) -> None:
    name, content, reason = HOLLOW[case]
    (place / name).write_bytes(content)
    finished = leakmon("scan", name, "--fail-on", "high", "--format", "json")
    (target,) = report(finished)["targets"]
    assert (target["status"], target["skipped"]) == ("partial", [{"path": name, "reason": reason}])
    assert finished.returncode == 3
    shown = leakmon("scan", name)
    assert shown.returncode == 1
    assert "CLEAR" not in shown.stdout


def test_an_empty_folder_is_not_clear(leakmon: Leakmon, place: Path) -> None:
    (place / "dist").mkdir()
    (place / "dist" / ".git").mkdir()
    finished = leakmon("scan", "dist", "--fail-on", "high", "--format", "json")
    (target,) = report(finished)["targets"]
    assert target["status"] == "partial"
    assert {"path": "dist", "reason": "empty"} in target["skipped"]
    assert finished.returncode == 3


def test_a_folder_s_own_archives_count_and_its_test_data_do_not(
    leakmon: Leakmon, place: Path
) -> None:
    for path in ("dist/acme.whl", "dist/tests/data/broken.zip", "dist/empty.txt"):
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(b"")
    (place / "dist" / "good.zip").write_bytes(zipped({"a.tar": b"no tar, but no promise either"}))
    finished = leakmon("scan", "dist", "--fail-on", "high", "--format", "json")
    (target,) = report(finished)["targets"]
    assert target["skipped"] == [{"path": "acme.whl", "reason": "not-an-archive"}]
