"""Repositories elsewhere, the pinned program and public packages, from real servers on loopback."""

from __future__ import annotations

import asyncio
import base64
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor import config
from monitor.cli import main
from monitor.config import private_code
from monitor.detectors import Context
from monitor.errors import IntegrityError, LeakmonError, UsageError
from monitor.model import NpmNames, Organisation
from monitor.pipeline import tooling
from monitor.pipeline.background import WISH, Background
from monitor.pipeline.progress import Silent
from monitor.private_code import esbuild
from monitor.private_code.index.public import PublicPrints
from monitor.registries import network, targets
from monitor.registries.settings import NetworkSettings, NpmSettings
from monitor.rules import bundled_rules_folder
from monitor.sandbox import Sandbox
from monitor.sandbox import Settings as SandboxSettings
from tests.network import servers
from tests.private_code.keeping import build, code, commit, hashes, matched, opened, source

if TYPE_CHECKING:
    from monitor.registries.client_config import Machine
    from tests.network.conftest import Serve

LOGIN = "robot:" + "s3cret"
LOOPBACK = '[http]\nallow_private = ["127.0.0.1"]\n'


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_netrc(home: Path) -> None:
    user, _, password = LOGIN.partition(":")
    home.mkdir(exist_ok=True)
    netrc = home / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login {user} password {password}\n", encoding="utf-8")
    netrc.chmod(0o600)


def assert_nowhere(secret: str, *folders: Path) -> None:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files
    assert not any(secret.encode() in path.read_bytes() for path in files)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, where loopback is allowed."""
    file = tmp_path / "named.toml"
    file.write_text(LOOPBACK, encoding="utf-8")
    monkeypatch.setenv("LEAKMON_CONFIG", str(file))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, folder in (("XDG_DATA_HOME", "data"), ("XDG_CACHE_HOME", "cache")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path


async def test_a_repository_elsewhere_is_copied_once_and_brought_up_to_date(
    home: Path, serve: Serve
) -> None:
    work = home / "work"
    commit(work, {"a.py": code("alpha")})
    servers.git(home, "clone", "-q", "--bare", str(work), str(home / "served" / "app.git"))
    site = await serve(servers.git_backend(home / "served", login=LOGIN))
    address = f"{site}app.git".replace("http://", f"http://{LOGIN}@")

    async def leakmon(*words: str) -> int:
        return await asyncio.to_thread(main, ["index", *words])

    assert await leakmon("add", address) == 0
    (index,) = private_code.open_indexes(config.load(), config.environment())
    assert matched(index, code("alpha")) == {"127.0.0.1/app:a.py": 1.0}
    file = index.file(int(index.lookup(hashes(code("alpha"))).files[0]))
    assert file.first_commit_at > 0
    commit(work, {"b.py": code("beta")})
    servers.git(work, "push", "-q", str(home / "served" / "app.git"), "main")
    assert await leakmon("update") == 3  # the login was for that call alone
    write_netrc(home / "home")
    assert await leakmon("update") == 0
    index.refresh()
    assert matched(index, code("beta")) == {"127.0.0.1/app:b.py": 1.0}
    copies = home / "cache" / "leakmon" / "repositories"
    assert len(names(copies)) == 1
    assert_nowhere(LOGIN.partition(":")[2], home / "data", home / "cache")
    assert await leakmon("remove", "127.0.0.1/app") == 0
    assert names(copies) == []


PROGRAM = f"""#!/bin/sh
case "$1" in
  --version) echo {esbuild.VERSION};;
  *) echo 'let a=t=>t.length+1;export{{a as b}};';;
esac
"""


@pytest.fixture(scope="session")
def platform(verdaccio: servers.Registry) -> str:
    """A platform whose esbuild the registry has."""
    name = "@esbuild/test-x64"
    manifest = {"name": name, "version": esbuild.VERSION, "publishConfig": {"access": "public"}}
    servers.npm_publish(verdaccio, manifest, {"bin/esbuild": PROGRAM})
    odd = {"name": "@esbuild/odd-x64", "version": esbuild.VERSION, "license": "MIT"}
    servers.npm_publish(verdaccio, odd, {"bin/other": PROGRAM})
    return "test-x64"


def settings(registry: servers.Registry) -> NetworkSettings:
    return NetworkSettings(npm=NpmSettings(url=registry.url, token=registry.token))


async def pin(net: network.Network, platform: str) -> dict[str, str]:
    target = targets.parse(f"npm:@esbuild/{platform}@{esbuild.VERSION}")
    [release] = await network.resolve(target, net)
    digest = bytes.fromhex(release.artifacts[0].digests["sha512"])
    return {platform: "sha512-" + base64.b64encode(digest).decode()}


async def test_the_pinned_program_is_fetched_checked_and_found(
    platform: str, verdaccio: servers.Registry, machine: Machine, tmp_path: Path
) -> None:
    cache = str(tmp_path / "cache")
    assert esbuild.find(cache, path=str(tmp_path)) is None
    async with network.connect(settings(verdaccio), machine) as net:
        pins = await pin(net, platform)
        path = await tooling.set_up(net, cache, platform, pins=pins)
    assert path == esbuild.kept_at(cache) == esbuild.find(cache)
    tooling.check(path)
    assert names(Path(path).parent) == ["esbuild"]
    assert esbuild.find(cache, configured="/nowhere") == path


async def test_other_bytes_than_the_pinned_are_refused(
    platform: str, verdaccio: servers.Registry, machine: Machine, tmp_path: Path
) -> None:
    async with network.connect(settings(verdaccio), machine) as net:
        wrong = {platform: esbuild.INTEGRITY["linux-x64"]}
        with pytest.raises(IntegrityError):
            await tooling.set_up(net, str(tmp_path), platform, pins=wrong)
        with pytest.raises(UsageError, match="no esbuild is pinned for plan9-mips"):
            await tooling.set_up(net, str(tmp_path), "plan9-mips")
        with pytest.raises(IntegrityError, match="holds no bin/esbuild"):
            await tooling.set_up(net, str(tmp_path), "odd-x64", pins=await pin(net, "odd-x64"))
    assert names(tmp_path / "esbuild" / esbuild.VERSION) == []


PROGRAMS = {
    "exit 3": "ended with status 3",
    "echo 0.1.0": "is esbuild '0.1.0', not",
    f'[ "$1" = --version ] && echo {esbuild.VERSION} || cat': "does not minify",
}


@pytest.mark.parametrize(("script", "said"), PROGRAMS.items())
def test_a_program_that_is_not_it(script: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "esbuild"
    path.write_text(f"#!/bin/sh\n{script.replace('cat', '/bin/cat')}\n", encoding="utf-8")
    path.chmod(0o755)
    with pytest.raises(LeakmonError, match=said):
        tooling.check(str(path))


def test_a_platform_s_name_and_every_pin() -> None:
    assert esbuild.platform_name("Linux", "x86_64") == "linux-x64"
    assert esbuild.platform_name("Darwin", "arm64") == "darwin-arm64"
    assert len(esbuild.INTEGRITY) == 4
    for text in esbuild.INTEGRITY.values():
        assert len(base64.b64decode(text.removeprefix("sha512-"))) == 64


JS = "\n".join(
    f"export function step{number}(first, second) {{\n"
    f"  const total = first.weigh{number}(second, 'shared text {number}');\n"
    f"  for (const row of total.rows{number}) row.apply(second.ratio{number}, {number * 31});\n"
    f"  return total.sum{number}() + second.offset{number};\n}}\n"
    for number in range(12)
)


async def test_public_packages_are_learnt_from_on_the_way_of_a_scan(
    verdaccio: servers.Registry, machine: Machine, tmp_path: Path
) -> None:
    for name in ("widely-used", "@own/leaked", "under-incident"):
        manifest = {"name": name, "version": "1.0.0", "publishConfig": {"access": "public"}}
        servers.npm_publish(verdaccio, manifest, {"index.js": JS})
    # Our repository begins after the package was published.
    commit(tmp_path / "app", {"src/step.js": JS, "a.py": code("alpha")}, at=int(time.time()) + 9999)
    build(tmp_path / "index", source(tmp_path / "app"))
    index = opened(tmp_path / "index")
    asked = hashes(JS, "step.js")
    before = len(index.lookup(asked).query)
    ours = Organisation(name="own", npm=NpmNames(scopes=["@own"]))
    told = SandboxSettings(
        rule_folders=(bundled_rules_folder(),),
        cache_folder=config.cache_folder(config.environment()),
        code=WISH,
    )
    with PublicPrints(index) as public, Sandbox(told) as sandbox:
        learner = Background(
            public, sandbox, [ours], avoided=["npm:under-incident"], context=Context(), workers=1
        )

        async def learnt(*names: str) -> dict[str, tuple[bool, str]]:
            wanted = settings(verdaccio)
            found = [one async for one in learner.run(names, wanted, machine, Silent())]
            public.publish()
            index.refresh()
            return {one.package: (one.shared > 10, one.reason) for one in found}

        assert await learnt("npm:@own/leaked", "npm:under-incident", "npm:not-there") == {
            "npm:@own/leaked": (False, "ours"),
            "npm:under-incident": (False, "open-incident"),
            "npm:not-there": (False, "not-found"),
        }
        assert len(index.lookup(asked).query) == before
        assert await learnt("npm:widely-used") == {"npm:widely-used": (True, "")}
    assert len(index.lookup(asked).query) < before / 4
    assert matched(index, code("alpha")) == {"app:a.py": 1.0}
    with PublicPrints(index) as public:
        assert public.tally().packages == 1
