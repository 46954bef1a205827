"""Resolve and fetch against a real verdaccio and a real devpi which let nobody in unasked.

Nothing is set in leakmon.toml but where a test says so: npm's and pip's own files suffice.
"""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from monitor.errors import DeniedError, NotFoundError
from monitor.registries import network, targets
from monitor.registries.settings import NetworkSettings, NpmSettings, PypiSettings
from tests.network import servers

if TYPE_CHECKING:
    from monitor.registries.client_config import Machine

NOTHING = NetworkSettings()


def read(path: str | Path) -> bytes:
    return Path(path).read_bytes()


def write_npmrc(machine: Machine, text: str) -> None:
    Path(machine.home, ".npmrc").write_text(text, encoding="utf-8")


def write_netrc(machine: Machine, text: str) -> None:
    file = Path(machine.home, ".netrc")
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)


def local_index(root: Path) -> tuple[str, str]:
    """A folder as an index of acme 9.0: its sdist's digest, and the index's address."""
    folder = root / "acme"
    [sdist, _] = servers.distributions(folder, "acme", "9.0")
    digest = hashlib.sha256(sdist.read_bytes()).hexdigest()
    page = f'<!doctype html><a href="{sdist.name}#sha256={digest}">{sdist.name}</a>'
    folder.joinpath("index.html").write_text(page, encoding="utf-8")
    return digest, root.as_uri()


def configured_npm(machine: Machine, registry: servers.Registry) -> Machine:
    Path(machine.home, ".npmrc").write_text(
        f"registry={registry.url}\n//{registry.netloc}/:_authToken=${{ACME_TOKEN}}\n",
        encoding="utf-8",
    )
    return with_environ(machine, ACME_TOKEN=registry.token)


def configured_pip(machine: Machine, registry: servers.Registry) -> Machine:
    folder = Path(machine.home, ".config/pip")
    folder.mkdir(parents=True)
    host = registry.url.removeprefix("http://")
    folder.joinpath("pip.conf").write_text(
        f"[global]\nindex-url = http://{servers.USER}:{registry.token}@{host}+simple/\n",
        encoding="utf-8",
    )
    return machine


def with_environ(machine: Machine, **more: str) -> Machine:
    return msgspec.structs.replace(machine, environ={**machine.environ, **more})


async def test_npm_resolves_and_fetches_with_npmrc_alone(
    verdaccio: servers.Registry, machine: Machine, tmp_path: Path
) -> None:
    seen: list[tuple[int, int | None]] = []
    async with network.connect(NOTHING, configured_npm(machine, verdaccio)) as net:
        [release] = await network.resolve(targets.parse("npm:@acme/cli@1.0.0"), net)
        [artifact] = release.artifacts
        fetched = await network.fetch(
            artifact, net, str(tmp_path), lambda done, total: seen.append((done, total))
        )
    assert release.version == "1.0.0"
    assert release.licence == "UNLICENSED"
    assert release.repository == "https://git.acme.example/cli.git"
    assert release.versions == ["1.0.0", "1.2.0", "2.0.0-rc.1"]
    assert artifact.filename == "cli-1.0.0.tgz"
    assert artifact.purl == "pkg:npm/%40acme/cli@1.0.0"
    assert set(artifact.digests) == {"sha1", "sha512"}
    assert artifact.published_at is not None
    body = read(fetched.path)
    assert hashlib.sha512(body).hexdigest() == artifact.digests["sha512"]
    assert hashlib.sha256(body).hexdigest() == fetched.sha256
    assert seen[-1] == (len(body), len(body))
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        assert "package/index.js" in tar.getnames()


NPM_CHOICES = [
    ("npm:@acme/cli", "1.2.0"),
    ("npm:@acme/cli@next", "2.0.0-rc.1"),
    ("npm:@acme/cli@^1", "1.2.0"),
    ("npm:@acme/cli@<1.2", "1.0.0"),
    ("npm:@acme/cli@2.0.0-rc.1", "2.0.0-rc.1"),
    ("pkg:npm/%40acme/cli@1.2.0", "1.2.0"),
    ("pkg:npm/left-alone", "0.1.0"),
]


async def test_npm_chooses_what_the_words_say(
    verdaccio: servers.Registry, machine: Machine
) -> None:
    assert NPM_CHOICES
    async with network.connect(NOTHING, configured_npm(machine, verdaccio)) as net:
        found = {
            text: (await network.resolve(targets.parse(text), net))[0].version
            for text, _ in NPM_CHOICES
        }
    assert found == dict(NPM_CHOICES)


async def test_npm_says_what_there_is_instead(
    verdaccio: servers.Registry, machine: Machine
) -> None:
    async with network.connect(NOTHING, configured_npm(machine, verdaccio)) as net:
        with pytest.raises(NotFoundError, match=r"no version is \^7; latest is 1\.2\.0"):
            await network.resolve(targets.parse("npm:@acme/cli@^7"), net)
        with pytest.raises(NotFoundError, match=r"neither a version, a dist-tag \(latest, next\)"):
            await network.resolve(targets.parse("npm:@acme/cli@beta"), net)
        with pytest.raises(NotFoundError, match="knows no package @acme/none"):
            await network.resolve(targets.parse("npm:@acme/none"), net)


async def test_npm_without_credentials_says_where_they_would_come_from(
    verdaccio: servers.Registry, machine: Machine
) -> None:
    told = with_environ(machine, npm_config_registry=verdaccio.url)
    async with network.connect(NOTHING, told) as net:
        with pytest.raises(DeniedError, match=r"40[13].*no credentials.*_authToken in \.npmrc"):
            await network.resolve(targets.parse("npm:@acme/cli"), net)


async def test_npm_with_a_wrong_token_names_the_file_and_not_the_token(
    verdaccio: servers.Registry, machine: Machine
) -> None:
    told = configured_npm(machine, verdaccio)
    wrong = "wrong-" + "token-of-nobody"
    async with network.connect(NOTHING, with_environ(told, ACME_TOKEN=wrong)) as net:
        with pytest.raises(DeniedError) as caught:
            await network.resolve(targets.parse("npm:@acme/cli"), net)
    assert ".npmrc line 2 (_authToken) were refused" in str(caught.value)
    assert wrong not in str(caught.value)


async def test_npm_scope_registry_and_legacy_login(
    verdaccio: servers.Registry, machine: Machine
) -> None:
    password = base64.b64encode(servers.PASSWORD.encode()).decode()
    write_npmrc(
        machine,
        "registry=http://127.0.0.1:9/\n"
        f"@acme:registry={verdaccio.url}\n"
        f"//{verdaccio.netloc}/:username={servers.USER}\n"
        f"//{verdaccio.netloc}/:_password={password}\n",
    )
    async with network.connect(NOTHING, machine) as net:
        [release] = await network.resolve(targets.parse("npm:@acme/cli"), net)
    assert release.version == "1.2.0"


async def test_npm_settings_come_before_npmrc(
    verdaccio: servers.Registry, machine: Machine, tmp_path: Path
) -> None:
    write_npmrc(machine, "registry=http://127.0.0.1:9/\n")
    settings = NetworkSettings(npm=NpmSettings(url=verdaccio.url, token=verdaccio.token))
    async with network.connect(settings, machine) as net:
        [release] = await network.resolve(targets.parse("npm:left-alone"), net)
        fetched = await network.fetch(release.artifacts[0], net, str(tmp_path))
    assert fetched.bytes > 0


async def test_npm_unpublished_as_verdaccio_tells_it(
    verdaccio: servers.Registry, machine: Machine
) -> None:
    gone = {"name": "soon-gone", "version": "1.0.0", "license": "MIT"}
    servers.npm_publish(verdaccio, gone, {"index.js": "1\n"})
    async with network.connect(NOTHING, configured_npm(machine, verdaccio)) as net:
        [release] = await network.resolve(targets.parse("npm:soon-gone@1.0.0"), net)
        servers.npm(verdaccio, "unpublish", "--force", "soon-gone")
        with pytest.raises(NotFoundError, match="npm:soon-gone"):
            await network.resolve(targets.parse("npm:soon-gone@1.0.0"), net)
        with pytest.raises(NotFoundError):
            await network.fetch(release.artifacts[0], net, machine.home)


async def test_pypi_resolves_and_fetches_with_pip_conf_alone(
    devpi: servers.Registry, machine: Machine, tmp_path: Path
) -> None:
    async with network.connect(NOTHING, configured_pip(machine, devpi)) as net:
        [release] = await network.resolve(targets.parse("pypi:Acme"), net)
        fetched = [await network.fetch(one, net, str(tmp_path)) for one in release.artifacts]
    assert (release.name, release.version) == ("acme", "2.0")
    assert release.versions == ["1.0", "2.0", "3.0rc1"]
    names = {artifact.filename for artifact in release.artifacts}
    assert names == {"acme-2.0.tar.gz", "acme-2.0-py3-none-any.whl"}
    for artifact, file in zip(release.artifacts, fetched, strict=True):
        assert artifact.digests["sha256"] == file.sha256
        assert artifact.purl == f"pkg:pypi/acme@2.0?file_name={artifact.filename}"
        assert read(file.path) == read(devpi.home / "dist" / artifact.filename)


PYPI_CHOICES = [
    ("pypi:acme==1.0", "1.0", 2),
    ("pypi:acme<2", "1.0", 2),
    ("pypi:acme>=3.0rc1", "3.0rc1", 2),
    ("pypi:acme==3.0rc1", "3.0rc1", 2),
    ("pkg:pypi/acme@1.0", "1.0", 2),
    ("pypi:acme==1.0#acme-1.0-py3-none-any.whl", "1.0", 1),
    ("pypi:acme==1.0?file_name=acme-1.0.tar.gz", "1.0", 1),
    ("pkg:pypi/acme@2.0?file_name=acme-2.0.tar.gz", "2.0", 1),
]


async def test_pypi_chooses_what_the_words_say(devpi: servers.Registry, machine: Machine) -> None:
    assert PYPI_CHOICES
    found = []
    async with network.connect(NOTHING, configured_pip(machine, devpi)) as net:
        for text, _, _ in PYPI_CHOICES:
            [release] = await network.resolve(targets.parse(text), net)
            found.append((text, release.version, len(release.artifacts)))
    assert found == PYPI_CHOICES


async def test_pypi_says_what_there_is_instead(devpi: servers.Registry, machine: Machine) -> None:
    async with network.connect(NOTHING, configured_pip(machine, devpi)) as net:
        with pytest.raises(NotFoundError, match=r"no version of acme is ==9; latest is 2\.0"):
            await network.resolve(targets.parse("pypi:acme==9"), net)
        with pytest.raises(NotFoundError, match="no files of nobody in"):
            await network.resolve(targets.parse("pypi:nobody"), net)
        with pytest.raises(NotFoundError, match=r"has no file acme-1\.0\.exe"):
            await network.resolve(targets.parse("pypi:acme==1.0#acme-1.0.exe"), net)


async def test_pypi_without_credentials_says_where_they_would_come_from(
    devpi: servers.Registry, machine: Machine
) -> None:
    told = with_environ(machine, PIP_INDEX_URL=f"{devpi.url}+simple/")
    async with network.connect(NOTHING, told) as net:
        with pytest.raises(DeniedError, match=r"401.*no credentials.*pip's index-url"):
            await network.resolve(targets.parse("pypi:acme"), net)


async def test_pypi_takes_the_login_from_netrc(
    devpi: servers.Registry, machine: Machine, tmp_path: Path
) -> None:
    write_netrc(machine, f"machine 127.0.0.1 login {servers.USER} password {servers.PASSWORD}\n")
    told = with_environ(machine, PIP_INDEX_URL=f"{devpi.url}+simple/")
    async with network.connect(NOTHING, told) as net:
        [release] = await network.resolve(targets.parse("pypi:acme"), net)
        fetched = await network.fetch(release.artifacts[0], net, str(tmp_path))
    assert fetched.bytes > 0


async def test_pypi_settings_come_before_pip_conf(
    devpi: servers.Registry, machine: Machine, tmp_path: Path
) -> None:
    told = with_environ(machine, PIP_INDEX_URL="http://127.0.0.1:9/simple/")
    settings = NetworkSettings(
        pypi=PypiSettings(
            index=f"{devpi.url}+simple/", username=servers.USER, password=servers.PASSWORD
        )
    )
    async with network.connect(settings, told) as net:
        [release] = await network.resolve(targets.parse("pypi:acme==1.0"), net)
        for artifact in release.artifacts:
            await network.fetch(artifact, net, str(tmp_path))


async def test_pypi_extra_index_completes_the_first(
    devpi: servers.Registry, machine: Machine, tmp_path: Path
) -> None:
    """An index may also be a folder, as pip has it."""
    digest, index = local_index(tmp_path / "simple")
    told = with_environ(configured_pip(machine, devpi), PIP_EXTRA_INDEX_URL=index)
    async with network.connect(NOTHING, told) as net:
        [release] = await network.resolve(targets.parse("pypi:acme"), net)
        fetched = await network.fetch(release.artifacts[0], net, str(tmp_path))
    assert release.version == "9.0"
    assert release.versions == ["1.0", "2.0", "3.0rc1", "9.0"]
    assert fetched.sha256 == digest
