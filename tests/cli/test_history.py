"""``leakmon scan --history``: every commit once, where it is, and whether HEAD still holds it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitor.cli import main
from monitor.config import cache_folder
from tests.e2e.daemon import token
from tests.network import servers
from tests.watch_servers import github as fake

if TYPE_CHECKING:
    from collections.abc import Iterator

MIRRORS = """
[registries.git]
cache = "{}/mirrors"
"""


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration and no mirrors but this test's own."""
    rules = str(Path(cache_folder(os.environ)).parent)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", rules)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "leakmon.toml").write_text(MIRRORS.format(tmp_path), encoding="utf-8")


@pytest.fixture
def github(tmp_path: Path) -> Iterator[fake.Github]:
    with fake.running(tmp_path / "github") as forge:
        yield forge


@pytest.fixture
def work(tmp_path: Path) -> fake.Checkout:
    return fake.Checkout(tmp_path / "work", "https://nowhere.example/x.git")


def scanned(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any], str]:
    """The exit status, the one target of the report, and what was said beside it."""
    status = main(["scan", "--history", "--format", "json", *arguments])
    told = capsys.readouterr()
    (target,) = json.loads(told.out)["targets"]
    return status, target, told.err


def leaks(target: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["path"]: each for each in target["findings"] if each["kind"] == "secret"}


def test_a_checkout(work: fake.Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    gone, kept, side = token("gone"), token("kept"), token("side")
    first = work.commit({"old.py": f"KEY = '{gone}'\n", "conf.py": f"KEY = '{kept}'\n"})
    second = work.commit({"conf.py": f"KEY = '{kept}'\nmore = 1\n"})
    work.git("rm", "-q", "old.py")
    head = work.commit({"README.md": "x\n"})
    work.git("checkout", "-q", "-b", "side", first)
    other = work.commit({"side.py": f"KEY = '{side}'\n"})
    work.git("checkout", "-q", "main")
    status, target, _ = scanned(capsys, str(work.folder))
    assert status == 1
    assert (target["status"], target["posture"]["value"]) == ("complete", "open")
    found = leaks(target)
    assert set(found) == {
        f"work.git!/{first[:12]}:old.py",
        f"work.git!/{first[:12]}:conf.py",
        f"work.git!/{other[:12]}:side.py",
    }
    about = {path.partition(":")[2]: each["evidence"] for path, each in found.items()}
    assert about["old.py"]["is_in_head"] is False
    assert (about["old.py"]["commit"], about["old.py"]["ref"]) == (first, "main")
    assert about["old.py"]["authored_at"] == "2026-01-02T03:04:05+00:00"
    assert about["conf.py"]["is_in_head"] is True
    assert about["conf.py"]["later_commits"] == [second]
    assert about["side.py"]["ref"] == "side"
    assert servers.git(work.folder, "show", f"{first[:12]}:old.py") == f"KEY = '{gone}'"
    assert head not in json.dumps(target)


def test_a_ref_narrows_the_history(
    github: fake.Github, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    github.create("acme/app")
    work = fake.Checkout(tmp_path / "clone", f"{github.url}acme/app.git")
    work.commit({"a": token("main")})
    work.push()
    work.git("checkout", "-q", "-b", "side")
    work.commit({"b": token("side")})
    work.push("origin", "side")
    address = f"{github.url}acme/app.git"
    config = tmp_path / "leakmon.toml"
    config.write_text(
        f'{MIRRORS.format(tmp_path)}[registries.github]\nurl = "{github.url}"\n',
        encoding="utf-8",
    )
    for text, count in ((address, 2), (f"{address}@main", 1), ("github:acme/app@side", 2)):
        status, target, _ = scanned(capsys, text, "--config", str(config))
        assert (status, len(leaks(target))) == (1, count), text
    assert github.asked == [], "no API is needed"


def test_a_tag_that_is_no_commit_is_told(
    work: fake.Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    work.commit({"a": "1\n"})
    blob = servers.git(work.folder, "hash-object", "-w", "--stdin", stdin=b"x")
    work.git("tag", "odd", blob)
    status, target, _ = scanned(capsys, str(work.folder))
    assert status == 1
    assert {"path": "refs/tags/odd", "reason": "not-a-commit"} in target["skipped"]
    assert target["status"] == "partial"


def test_a_clean_history_is_clear(work: fake.Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    work.commit({"src/app.py": "print(1)\n", "CLAUDE.md": "be kind\n"})
    status, target, _ = scanned(capsys, str(work.folder))
    assert (status, target["status"]) == (0, "complete")
    assert {each["severity"] for each in target["findings"]} <= {"info"}


def test_an_empty_repository(work: fake.Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    status, target, _ = scanned(capsys, str(work.folder))
    assert (status, target["status"]) == (1, "partial")
    assert [each["reason"] for each in target["skipped"]] == ["empty"]  # nothing was looked at


def test_what_has_no_history_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plain").mkdir()
    for text in (str(tmp_path / "plain"), "npm:left-pad"):
        status, target, _ = scanned(capsys, text)
        assert status == 3
        assert target["skipped"] == [{"path": text, "reason": "no-history"}]
        assert "needs a repository" in target["verdict"]["summary"]


def test_it_is_not_for_what_looks_at_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "--history", "--advisories", "github:acme/app"]) == 2
    assert "--history" in capsys.readouterr().err


def test_the_table_tells_of_commits(
    work: fake.Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    commit = work.commit({"a.py": f"KEY = '{token('table')}'\n"})
    assert main(["scan", "--history", "--show-secrets", str(work.folder)]) == 1
    told = capsys.readouterr().out
    for expected in (f"{commit[:12]}:a.py", "ref main", "is in head yes", token("table")):
        assert expected in told
