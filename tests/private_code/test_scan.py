"""``leakmon scan`` against an index: what is ours is told, with where it stands on both sides."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.private_code.code import CLIENT, PRICING, minified, other
from tests.private_code.projects import ESBUILD, EXPRESS, uglified
from tests.semgrep.packages import archive

LEAKMON = Path(sys.executable).with_name("leakmon")
CONFIG = """
[private_code]
folder = "index"
[[organisations]]
name = "acme"
posture = "open"
code_names = ["bluefin"]
"""
FILES = ("init.js", "query.js")
MANIFEST = b'{"name": "@acme/one", "version": "1.0.0", "license": "MIT"}'


class Machine:
    """A folder with an index in it, and leakmon at work there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "leakmon.toml").write_text(CONFIG)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [LEAKMON, *arguments, "--config", "leakmon.toml"],
            check=False, capture_output=True, text=True, cwd=self.folder,
        )  # fmt: skip

    def scan(self, files: dict[str, bytes], *more: str) -> tuple[int, list[dict[str, Any]]]:
        archive(self.folder / "one-1.0.0.tgz", {"package/package.json": MANIFEST} | files)
        done = self.run("scan", "--format", "json", *more, "one-1.0.0.tgz")
        assert done.returncode in {0, 1}, done.stderr
        assert done.stdout, done.stderr
        (target,) = json.loads(done.stdout)["targets"]
        assert target["status"] == "complete"
        found = [each for each in target["findings"] if each["detector"] == "private-code"]
        return done.returncode, found


def committed(folder: Path, files: dict[str, str]) -> None:
    """A git repository with these files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", *command],
            check=True, cwd=folder,
        )  # fmt: skip


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    made = Machine(tmp_path_factory.mktemp("machine"))
    committed(made.folder / "billing", {"src/client.ts": CLIENT, "src/pricing.py": PRICING})
    done = made.run("index", "add", "billing")
    assert done.returncode == 0, done.stderr
    return made


def test_a_copy_is_critical_whatever_the_package_claims(machine: Machine) -> None:
    status, (found,) = machine.scan({"package/index.ts": CLIENT.encode()})
    assert status == 1
    assert found["rule"] == "private-code-copy"
    assert found["severity"] == "critical"
    assert "src/client.ts" in found["message"]
    assert "acme" in found["message"]
    evidence = found["evidence"]
    assert (evidence["level"], evidence["label"]) == ("alert", "copy")
    assert evidence["share"] >= 0.95
    (file,) = evidence["files"]
    assert file["path"] == "src/client.ts"
    assert file["is_identical"]
    assert file["private_lines"][0][0] <= 10
    assert not any(CLIENT[at : at + 40] in json.dumps(found) for at in range(0, 2000, 40))


@pytest.mark.parametrize(
    "made",
    [CLIENT.replace("  ", "\t"), minified(CLIENT), "\n".join(CLIENT.splitlines()[20:75])],
    ids=["reformatted", "minified", "a part"],
)
def test_what_was_changed_on_the_way_is_found_as_well(machine: Machine, made: str) -> None:
    bundle = other(1) + made + other(2)
    _, found = machine.scan({"package/dist/index.js": bundle.encode()})
    assert [each["rule"] for each in found if each["severity"] == "critical"] == [
        "private-code-copy"
    ]


def test_a_recovered_source_and_a_pyc_are_held_against_it_too(machine: Machine) -> None:
    document = {
        "version": 3, "sources": ["webpack://x/./src/client.ts"], "sourcesContent": [CLIENT],
        "mappings": "AAAA",
    }  # fmt: skip
    path = machine.folder / "pricing.py"
    path.write_text(PRICING)
    subprocess.run(
        [sys.executable, "-c", "import py_compile; py_compile.compile('pricing.py', 'p.pyc')"],
        check=True, cwd=machine.folder,
    )  # fmt: skip
    _, found = machine.scan(
        {
            "package/cli.js.map": json.dumps(document).encode(),
            "package/p.pyc": (machine.folder / "p.pyc").read_bytes(),
        }
    )
    places = {each["path"].partition("!/")[2] for each in found if each["severity"] == "critical"}
    assert places == {"package/cli.js.map!/src/client.ts", "package/p.pyc"}


def test_other_code_is_nobodys(machine: Machine) -> None:
    files = {f"package/{number}.js": other(number).encode() for number in range(5)}
    assert machine.scan(files) == (0, [])


def critical(found: list[dict[str, Any]]) -> set[str]:
    return {each["path"].rpartition("/")[2] for each in found if each["severity"] == "critical"}


NAMED = 'folder = "index"\n'


@pytest.fixture
def web(tmp_path: Path) -> Machine:
    """With esbuild, and two files of a real project in its index."""
    made = Machine(tmp_path)
    (tmp_path / "leakmon.toml").write_text(CONFIG.replace(NAMED, f'{NAMED}esbuild = "{ESBUILD}"\n'))
    for name in FILES:
        (tmp_path / "web" / "lib").mkdir(parents=True, exist_ok=True)
        shutil.copy(EXPRESS / "middleware" / name, tmp_path / "web" / "lib" / name)
    assert made.run("index", "add", "web").returncode == 0
    return made


SMALL = {f"package/{name}": uglified(EXPRESS / "middleware" / name) for name in FILES}


def test_what_is_minified_is_read_again_with_esbuild(web: Machine) -> None:
    """The first reading knows the minified form of one of them."""
    _, found = web.scan(SMALL)
    assert critical(found) == set(FILES)
    config = web.folder / "leakmon.toml"
    config.write_text(CONFIG.replace(NAMED, f'{NAMED}esbuild = "{web.folder}/none"\n'))
    _, found = web.scan(SMALL)
    assert critical(found) == {FILES[0]}


def test_a_script_that_is_too_large_to_be_read_again_is_told(web: Machine) -> None:
    name = FILES[1]
    large = {f"package/{name}": SMALL[f"package/{name}"] + b"\n//" + b" pad" * (9 << 18)}
    _, found = web.scan(large)
    assert critical(found) == set()
    told = json.loads(web.run("scan", "--format", "json", "one-1.0.0.tgz").stdout)
    (target,) = told["targets"]
    assert [(each["reason"], each["path"].rpartition("/")[2]) for each in target["skipped"]] == [
        ("not-read-twice", name)
    ]


def test_it_can_be_left_out(machine: Machine) -> None:
    assert machine.scan({"package/index.ts": CLIENT.encode()}, "--no-private-code") == (0, [])
