"""``leakmon index`` as an operator calls it, over real repositories."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from monitor import config
from monitor.cli import main
from monitor.config import private_code
from monitor.errors import UsageError
from monitor.private_code.index.store import Store
from tests.private_code.keeping import code, commit, git, hashes, matched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitor.private_code.index.reader import OpenIndex


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a home of its own, on which nothing is configured."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "LEAKMON_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(machine: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must end with this status; gives what it printed."""
    assert machine.is_dir()

    def call(*words: str, status: int = 0) -> str:
        capsys.readouterr()
        found = main(["index", *words])
        out, err = capsys.readouterr()
        assert found == status, out + err
        return out + err

    return call


def index() -> OpenIndex:
    (found,) = private_code.open_indexes(config.load(), config.environment())
    return found


def test_the_life_of_an_index(machine: Path, run: Callable[..., str]) -> None:
    app = machine / "app"
    commit(app, {"src/a.py": code("alpha"), "LICENSE": "MIT License\n", "b.py": code("beta")})
    said = run("add", "app")
    key = machine / "data" / "leakmon" / "index" / "own.key"
    assert f"made a key in {key}: keep a copy of it elsewhere" in said
    assert key.stat().st_mode & 0o777 == 0o600
    assert "app: 2 files, " in said
    assert "fingerprints, 1 left out" in said
    assert matched(index(), code("alpha")) == {"app:src/a.py": 1.0}
    commit(app, {"b.py": None, "c.py": code("gamma")})
    assert "app: 1 file, " in run("update")
    assert run("update", "app") == "app: nothing new\n"
    assert run("list") == "app\tb.py\tdeleted\napp\tc.py\napp\tsrc/a.py\n"
    assert run("list", "app", "--skipped") == "app\tLICENSE\tlicence-text\n"
    shown: dict[str, Any] = json.loads(run("stats", "--json"))
    assert (shown["organisation"], shown["kind"], shown["files"]) == ("own", "full", 3)
    assert shown["sources"][0]["left_out"] == {"licence-text": 1}
    assert shown["sources"][0]["deleted"] == 1
    assert "left out: 1 licence-text" in run("stats")
    assert "in order" in run("verify")
    assert "app: removed" in run("remove", "app")
    assert matched(index(), code("alpha")) == {}
    assert run("list") == ""
    for words in (("update", "app"), ("remove", "app")):
        assert "app: not in the index; known: none" in run(*words, status=2)


def test_a_sketch_goes_to_another_host(
    machine: Path, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(machine / "app", {"src/a.py": code("alpha", 30)})
    run("add", "app")
    assert "without names" in run("export", "acme.sketch")
    key = machine / "acme.sketch.key"
    assert key.stat().st_mode & 0o777 == 0o600
    full = machine / "data" / "leakmon" / "index" / "own.key"
    assert key.read_text(encoding="ascii") not in full.read_text(encoding="ascii")
    monkeypatch.setenv("XDG_DATA_HOME", str(machine / "there"))
    assert "own: sketch of generation 1" in run("import", "acme.sketch")
    there = index()
    blocks = {int(one) for one in there.lookup(hashes(code("alpha", 30))).files}
    assert len(blocks) == 1
    assert "this index is a sketch" in run("list", status=2)
    assert "holds a sketch" in run("add", "app", status=2)
    assert "in order" in run("verify")
    assert "sketch" in run("stats")
    monkeypatch.setenv("XDG_DATA_HOME", str(machine / "data"))
    (block,) = blocks
    assert run("list", "--block", str(block)) == f"app\tsrc/a.py\t{block}\n"
    assert "no file of this index has it" in run("list", "--block", str(block ^ 1), status=2)


def test_a_new_key_takes_the_place_of_the_old(machine: Path, run: Callable[..., str]) -> None:
    commit(machine / "app", {"a.py": code("alpha")})
    run("add", "app")
    key = machine / "data" / "leakmon" / "index" / "own.key"
    old = key.read_text(encoding="ascii")
    said = run("rekey")
    assert "is new: keep a copy of it" in said
    assert len(key.read_text(encoding="ascii").split()) == 1
    assert key.read_text(encoding="ascii") != old
    assert matched(index(), code("alpha")) == {"app:a.py": 1.0}
    (machine / "app").rename(machine / "elsewhere")
    assert "the old index stays in force" in run("rekey", status=3)
    assert matched(index(), code("alpha")) == {"app:a.py": 1.0}
    (machine / "elsewhere").rename(machine / "app")
    run("rekey")
    assert len(key.read_text(encoding="ascii").split()) == 1
    assert matched(index(), code("alpha")) == {"app:a.py": 1.0}


CONFIGURED = """
[private_code]
folder = "{folder}"
keys.acme = "env:ACME_INDEX_KEY"
[[organisations]]
name = "acme"
[[organisations]]
name = "Other, Inc."
"""


def test_organisations_have_keys_of_their_own(
    machine: Path, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = machine / "named.toml"
    path.write_text(CONFIGURED.format(folder=machine / "srv"), encoding="utf-8")
    monkeypatch.setenv("LEAKMON_CONFIG", str(path))
    commit(machine / "app", {"a.py": code("alpha")})
    assert "whose code?" in run("add", "app", status=2)
    assert "--organisation x: not among" in run("add", "app", "--organisation", "x", status=2)
    assert "ACME_INDEX_KEY is empty or not set" in run(
        "add", "app", "--organisation", "acme", status=2
    )
    one, two = "ab" * 32, "cd" * 32
    monkeypatch.setenv("ACME_INDEX_KEY", one)
    run("add", "app", "--organisation", "acme")
    run("add", "app", "--organisation", "Other, Inc.")
    found = private_code.open_indexes(config.load(), config.environment())
    assert [each.organisation for each in found] == ["acme", "Other, Inc."]
    names = sorted(each.name for each in (machine / "srv").iterdir())
    assert names[0] == "acme"
    assert names[1].startswith("other-inc-")
    assert names[2] == f"{names[1]}.key"
    monkeypatch.setenv("ACME_INDEX_KEY", two)
    assert "which is not among the keys given" in run("update", "--organisation", "acme", status=2)
    monkeypatch.setenv("ACME_INDEX_KEY", one)
    assert "put the new key in front" in run("rekey", "--organisation", "acme", status=2)
    monkeypatch.setenv("ACME_INDEX_KEY", f"{two} {one}")
    assert "the old key may go now" in run("rekey", "--organisation", "acme")
    monkeypatch.setenv("ACME_INDEX_KEY", two)
    assert "in order" in run("verify", "--organisation", "acme")
    for path in (machine / "srv").rglob("*"):
        if path.is_file():
            assert one.encode() not in path.read_bytes()
            assert two.encode() not in path.read_bytes()


WRONG = [
    (("add", "nowhere"), "neither a file nor a target"),
    (("add", "./nowhere"), "there is no such folder"),
    (("add", "npm:react"), "neither a folder nor a git repository"),
    (("add", "app", "plain", "--name", "x"), "names one target"),
    (("add", "plain", "--history"), "no git repository"),
    (("add", "app", "--ref", "../x"), "not a branch, a tag or a commit"),
    (("update",), "there is no index"),
    (("stats",), "there is no index"),
    (("verify",), "there is no index"),
    (("rekey",), "there is no index"),
    (("export", "x"), "there is no index"),
    (("import", "nowhere"), "No such file"),
    (("background", "react"), "no package: write npm:name"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_a_wrong_call_is_one_line(
    words: tuple[str, ...], said: str, machine: Path, run: Callable[..., str]
) -> None:
    commit(machine / "app", {"a.py": code("alpha")})
    (machine / "plain").mkdir()
    status = 3 if said == "there is no such folder" else 2
    told = run(*words, status=status)
    assert said in told
    assert len(told.splitlines()) == 1
    assert not list(machine.glob("data/**/store-*"))


def test_refs_and_names(machine: Path, run: Callable[..., str]) -> None:
    app = machine / "app"
    commit(app, {"a.py": code("alpha")})
    git(app, "switch", "-q", "-c", "next")
    commit(app, {"b.py": code("beta")})
    git(app, "switch", "-q", "main")
    git(app, "remote", "add", "origin", "https://robot:secret@git.acme.example/team/app.git")
    run("add", "app", "--ref", "main", "--ref", "next")
    assert run("list") == ("git.acme.example/team/app\ta.py\ngit.acme.example/team/app\tb.py\n")
    assert "has no branch, tag or commit 'gone'" in run("add", "app", "--ref", "gone", status=3)
    commit(machine / "other", {"c.py": code("gamma")})
    name = "git.acme.example/team/app"
    assert "is the name of" in run("add", "other", "--name", name, status=2)
    for path in (machine / "data").rglob("*"):
        assert not path.is_file() or b"secret" not in path.read_bytes()


def test_a_repository_without_a_commit_stops_no_other(
    machine: Path, run: Callable[..., str]
) -> None:
    (machine / "empty").mkdir()
    git(machine / "empty", "init", "-q")
    commit(machine / "app", {"a.py": code("alpha")})
    said = run("add", "empty", "app", status=3)
    assert "empty: not read: " in said
    assert "the repository has no commit yet" in said
    assert matched(index(), code("alpha")) == {"app:a.py": 1.0}


def test_a_stranger_s_configuration_gives_no_key(
    machine: Path, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_INDEX_KEY", "ab" * 32)
    text = CONFIGURED.format(folder=machine / "srv")
    (machine / "leakmon.toml").write_text(text, encoding="utf-8")
    commit(machine / "app", {"a.py": code("alpha")})
    assert "so secrets are not read" in run("add", "app", "--organisation", "acme", status=2)


def test_keys_are_for_organisations_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"private_code\.keys\.acmee: no organisation"):
        config.parse('private_code.keys.acmee = "env:X"\n[[organisations]]\nname = "acme"\n')
    with pytest.raises(UsageError, match="a secret must be a reference"):
        config.parse(f'private_code.keys.acme = "{"ab" * 32}"\n[[organisations]]\nname = "acme"\n')


def test_a_first_call_that_was_interrupted_is_gone_on_with(
    machine: Path, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(machine / "app", {"a.py": code("alpha"), "b.py": code("beta")})

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Store, "publish", interrupt)
        assert "interrupted; what was read is kept" in run("add", "app", status=130)
    assert run("update") == "app: nothing new\n"
    assert matched(index(), code("alpha")) == {"app:a.py": 1.0}


def test_an_index_made_with_esbuild_is_not_made_worse_without(
    machine: Path, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = machine / "esbuild"
    program.write_text("#!/bin/sh\necho 9.9.9\n", encoding="utf-8")
    program.chmod(0o755)
    path = machine / "named.toml"
    path.write_text(f'private_code.esbuild = "{program}"\n', encoding="utf-8")
    monkeypatch.setenv("LEAKMON_CONFIG", str(path))
    commit(machine / "app", {"a.py": code("alpha"), "b.js": "export const answer = 42;\n"})
    run("add", "app")
    assert "esbuild 9.9.9" in run("stats")
    path.write_text("", encoding="utf-8")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert "esbuild 9.9.9 --format=esm --target=esnext, which is not here" in run(
        "update", status=2
    )
    program.write_text("#!/bin/sh\necho 9.9.10\n", encoding="utf-8")
    path.write_text(f'private_code.esbuild = "{program}"\n', encoding="utf-8")
    assert "everything is read again" in run("update")
    assert "esbuild 9.9.10" in run("stats")
    assert matched(index(), code("alpha")) == {"app:a.py": 1.0}
    program.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    assert "private_code.esbuild" in run("update", status=2)
