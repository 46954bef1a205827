"""``leakmon scan --advisories`` as a user runs it, beside an OSV API on loopback."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator

from monitor.report.schema import scan_schema

if TYPE_CHECKING:
    from tests.advisories.osv_server import OsvServer

Run = Callable[..., Awaitable[tuple[int, str, str]]]

HIGH = {"severity": "HIGH"}
METADATA = """Metadata-Version: 2.4
Name: acme
Version: 2.0
License-Expression: Apache-2.0
Requires-Dist: requests>=2.20,<2.30
Requires-Dist: direct @ https://git.acme.example/direct.zip
"""


def tarball(path: Path, members: dict[str, Any]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            body = json.dumps(content).encode()
            header = tarfile.TarInfo(f"package/{name}")
            header.size = len(body)
            tar.addfile(header, io.BytesIO(body))


def wheel(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("acme/__init__.py", "")
        archive.writestr("acme-2.0.dist-info/METADATA", METADATA)


@pytest.fixture
def place(tmp_path: Path, address: str) -> Path:
    (tmp_path / "leakmon.toml").write_text(
        f'[advisories]\nosv = "{address}"\n[http]\ntries = 1\n'
        '[[organisations]]\nname = "acme"\ninternal_names = ["@acme/internal-*"]\n'
    )
    manifest = {
        "name": "@acme/cli",
        "version": "1.0.0",
        "license": "MIT",
        "dependencies": {"lodash": "^4.17.0", "@acme/internal-core": "1.0.0"},
        "bundledDependencies": ["minimist"],
    }
    minimist = {"name": "minimist", "version": "1.2.5"}
    tarball(
        tmp_path / "acme-cli-1.0.0.tgz",
        {"package.json": manifest, "node_modules/minimist/package.json": minimist},
    )
    wheel(tmp_path / "acme-2.0-py3-none-any.whl")
    return tmp_path


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiling the rules takes seconds: once is enough."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def leakmon(place: Path, cache: Path) -> Run:
    shutil.rmtree(cache / "leakmon" / "advisories", ignore_errors=True)

    async def run(*arguments: str, **environ: str) -> tuple[int, str, str]:
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "monitor", "scan", *arguments),
            cwd=place,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                "HOME": str(place),
                "PATH": os.environ["PATH"],
                "XDG_CACHE_HOME": str(cache),
                "PYTHONPATH": os.fspath(Path(__file__).parents[2]),
                **environ,
            },
        )
        out, err = await running.communicate()
        assert running.returncode is not None
        return running.returncode, out.decode(), err.decode()

    return run


def targets(text: str) -> list[dict[str, Any]]:
    document = json.loads(text)
    Draft202012Validator(scan_schema()).validate(document)
    found: list[dict[str, Any]] = document["targets"]
    return found


def told(target: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (each["rule"], each["severity"], each["path"].partition("!/")[2])
        for each in target["findings"]
        if each["detector"] == "advisories"
    ]


ALL = ("acme-cli-1.0.0.tgz", "acme-2.0-py3-none-any.whl", "--advisories", "--format", "json")


async def test_a_scan_with_advisories_and_the_second_asks_nobody(
    leakmon: Run, server: OsvServer
) -> None:
    server.add("GHSA-min", ("npm", "minimist"), database_specific=HIGH)
    fixed = [{"introduced": "0"}, {"fixed": "4.17.21"}]
    server.add("GHSA-lod", ("npm", "lodash"), events=fixed, database_specific=HIGH)
    fixed = [{"introduced": "0"}, {"fixed": "2.32.0"}]
    server.add("GHSA-req", ("PyPI", "requests"), events=fixed, database_specific=HIGH)
    server.add("GHSA-own", ("PyPI", "acme"))
    status, out, err = await leakmon(*ALL)
    assert (status, err) == (1, "")
    npm, python = targets(out)
    assert told(npm) == [
        ("GHSA-min", "high", "package/node_modules/minimist/package.json"),
        ("GHSA-lod", "low", "package/package.json"),
    ]
    assert npm["verdict"]["severity"] == "high"
    assert [each["reason"] for each in npm["skipped"]] == ["internal-name"]
    assert told(python) == [
        ("GHSA-req", "high", "acme-2.0.dist-info/METADATA"),
        ("GHSA-own", "medium", "acme-2.0.dist-info/METADATA"),
    ]
    assert [each["reason"] for each in python["skipped"]] == ["not-from-registry"]
    assert [npm["status"], python["status"]] == ["complete", "complete"]
    assert "@acme/internal-core" not in server.names
    asked = len(server.asked)
    again = await leakmon(*ALL)
    assert [told(each) for each in targets(again[1])] == [told(npm), told(python)]
    assert len(server.asked) == asked


async def test_a_server_that_is_down_makes_the_scan_partial(
    leakmon: Run, server: OsvServer
) -> None:
    server.faults = [lambda: web.Response(status=503)] * 100
    status, out, _ = await leakmon(*ALL)
    assert status == 3
    npm, python = targets(out)
    assert [npm["status"], python["status"]] == ["partial", "partial"]
    assert [(each["path"].partition("!/")[2], each["reason"]) for each in python["skipped"]] == [
        ("acme-2.0.dist-info/METADATA!/(self acme 2.0)", "not-audited"),
        ("acme-2.0.dist-info/METADATA!/(declared requests >=2.20,<2.30)", "not-audited"),
        (
            "acme-2.0.dist-info/METADATA!/(declared direct url:https://git.acme.example/direct.zip)",
            "not-from-registry",
        ),
    ]
    assert "not-audited" in npm["verdict"]["summary"]
    causes = [each.get("detail", "") for each in [*npm["skipped"], *python["skipped"]]]
    assert sum("503" in cause for cause in causes) >= 3, causes
    table = (await leakmon(*ALL[:3]))[1]
    assert "503" in table


async def test_without_the_option_nobody_is_asked(leakmon: Run, server: OsvServer) -> None:
    server.add("GHSA-min", ("npm", "minimist"), database_specific=HIGH)
    status, out, _ = await leakmon(*ALL[:2], "--format", "json")
    assert status == 0
    assert [told(each) for each in targets(out)] == [[], []]
    assert server.asked == []
    assert (await leakmon(*ALL[:2], "--no-advisories"))[0] == 0
    assert server.asked == []


async def test_a_folder_is_held_against_them_too(
    leakmon: Run, server: OsvServer, place: Path
) -> None:
    server.add("GHSA-lod", ("npm", "lodash"), database_specific=HIGH)
    lock = {"lockfileVersion": 3, "packages": {"node_modules/lodash": {"version": "4.17.20"}}}
    folder = place / "app"
    folder.mkdir()
    (folder / "package-lock.json").write_text(json.dumps(lock))
    status, out, _ = await leakmon("app", "--advisories", "--format", "json")
    assert status == 1
    (target,) = targets(out)
    assert [(rule, severity) for rule, severity, _ in told(target)] == [("GHSA-lod", "medium")]
    assert target["findings"][0]["path"] == "package-lock.json"


async def test_what_a_folders_python_project_asks_for_is_audited_or_named(
    leakmon: Run, server: OsvServer, place: Path
) -> None:
    server.add("GHSA-dja", ("PyPI", "django"), database_specific=HIGH)
    folder = place / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "acme"\nversion = "1"\n'
        'dependencies = ["django==3.2.0", "x @ https://git.acme.example/x.zip"]\n'
    )
    status, out, _ = await leakmon("project", "--advisories", "--format", "json")
    (target,) = targets(out)
    assert [(rule, severity) for rule, severity, _ in told(target)] == [("GHSA-dja", "high")]
    assert [each["reason"] for each in target["skipped"]] == ["not-from-registry"]
    assert status == 1


async def test_more_dependencies_than_the_limit_is_said_once(leakmon: Run, place: Path) -> None:
    packages = {f"node_modules/p{n}": {"version": "1.0.0"} for n in range(20_500)}
    lock = {"lockfileVersion": 3, "packages": packages}
    spoilt: dict[str, Any] = {"package.json": {"name": "big"}, "npm-shrinkwrap.json": lock}
    spoilt["node_modules/a/package.json"] = {"name": "a", "version": "1.0.0"}
    spoilt["node_modules/b/package.json"] = []
    tarball(place / "big.tgz", spoilt)
    status, out, _ = await leakmon("big.tgz", "--advisories", "--format", "json")
    assert status == 3
    (target,) = targets(out)
    assert [each["reason"] for each in target["skipped"]] == ["over-dependencies"]
    assert target["findings"] == []


@pytest.mark.parametrize(
    "value", ['""', '"ftp://osv.acme.example/"', '"https://a:b@osv.example/"', "5"]
)
async def test_an_address_that_is_none_is_one_clear_line(
    leakmon: Run, place: Path, value: str
) -> None:
    (place / "leakmon.toml").write_text(f"[advisories]\nosv = {value}\n")
    status, out, err = await leakmon(*ALL)
    assert (status, out) == (2, "")
    assert err.startswith("leakmon: leakmon.toml: advisories.osv: ")
    assert err.count("\n") == 1
