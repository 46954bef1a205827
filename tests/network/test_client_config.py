"""pip's and npm's own files, read as pip and npm read them; the real npm is asked to agree."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import msgspec
import pytest

from monitor import addresses
from monitor.errors import ConfigError
from monitor.http.guard import Guard
from monitor.http.settings import best
from monitor.registries import places
from monitor.registries.client_config import ClientConfig, Index, Machine, npm, pip
from monitor.registries.settings import (
    GithubSettings,
    NetworkSettings,
    NpmSettings,
    PypiSettings,
)
from tests.network import servers


def told(machine: Machine, **environ: str) -> Machine:
    return msgspec.structs.replace(machine, environ={**machine.environ, **environ})


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def index(url: str) -> str:
    return f"[global]\nindex-url = {url}\n"


def found_index(machine: Machine) -> str:
    [found] = pip.read(machine).indexes
    return found.url


def test_pip_files_in_the_order_of_their_strength(machine: Machine, tmp_path: Path) -> None:
    home, root = Path(machine.home), Path(machine.root)
    venv = tmp_path / "venv"
    named = write(tmp_path / "named.conf", index("https://named.example/simple"))
    there = told(machine, VIRTUAL_ENV=str(venv))
    assert pip.read(there).indexes == []
    steps = [
        (root / "etc/xdg/pip/pip.conf", "https://xdg.example/simple/"),
        (root / "etc/pip.conf", "https://etc.example/simple/"),
        (home / ".pip/pip.conf", "https://old.example/simple/"),
        (home / ".config/pip/pip.conf", "https://user.example/simple/"),
        (venv / "pip.conf", "https://venv.example/simple/"),
    ]
    assert steps
    for path, url in steps:
        write(path, index(url))
        assert found_index(there) == url
    there = told(there, PIP_CONFIG_FILE=str(named))
    assert found_index(there) == "https://named.example/simple/"
    there = told(there, PIP_INDEX_URL="https://env.example/simple")
    assert found_index(there) == "https://env.example/simple/"
    assert found_index(told(there, PIP_CONFIG_FILE="/dev/null")) == "https://env.example/simple/"


def test_pip_on_a_mac(machine: Machine) -> None:
    mac = msgspec.structs.replace(machine, platform="darwin")
    write(Path(mac.home, ".config/pip/pip.conf"), index("https://xdg.example/simple/"))
    assert found_index(mac) == "https://xdg.example/simple/"
    folder = Path(mac.home, "Library/Application Support/pip")
    write(folder / "pip.conf", index("https://mac.example/simple/"))
    assert found_index(mac) == "https://mac.example/simple/"


def test_pip_reads_more_than_one_index_and_their_logins(machine: Machine) -> None:
    password = "p@ss" + "word"
    write(
        Path(machine.home, ".config/pip/pip.conf"),
        "[global]\nindex-url = https://robot:p%40ssword@one.example/simple\n"
        "[install]\nextra-index-url =\n    https://two.example/simple/\n    file:///srv/simple\n"
        "cert = /etc/corp.pem\n",
    )
    config = pip.read(machine)
    assert [one.url for one in config.indexes] == ["https://one.example/simple/"]
    assert [one.url for one in config.extra_indexes] == [
        "https://two.example/simple/",
        "file:///srv/simple/",
    ]
    assert config.ca_files == ["/etc/corp.pem"]
    [credential] = config.credentials
    secret = base64.b64encode(f"robot:{password}".encode()).decode()
    assert credential.header == f"Basic {secret}"
    assert credential.covers("https://one.example/files/acme.whl")
    assert not credential.covers("https://two.example/simple/")
    assert not credential.covers("http://one.example/simple/")


def test_pip_no_index_means_none(machine: Machine) -> None:
    there = told(machine, PIP_NO_INDEX="1")
    assert places.pypi_indexes(NetworkSettings(), pip.read(there)) == []


def test_netrc_gives_logins_by_host(machine: Machine) -> None:
    netrc = write(
        Path(machine.home, ".netrc"),
        "machine one.example login robot password x\ndefault login a password b\n",
    )
    netrc.chmod(0o600)
    credentials = pip.read(machine).credentials
    assert best(credentials, "https://one.example/x") is not None
    assert best(credentials, "https://other.example/x") is None
    netrc.write_text("machine one.example login robot passwort geheim\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        pip.read(machine)
    assert "geheim" not in str(caught.value)


def test_broken_files_are_named(machine: Machine) -> None:
    path = write(Path(machine.home, ".config/pip/pip.conf"), "no section\n")
    with pytest.raises(ConfigError, match=str(path)):
        pip.read(machine)
    path.write_text(index("ftp://x.example"), encoding="utf-8")
    with pytest.raises(ConfigError, match="an index address begins with"):
        pip.read(machine)
    path = write(Path(machine.home, ".npmrc"), "\nregistry=nowhere\n")
    with pytest.raises(ConfigError, match=f"{path} line 2: a registry's address"):
        npm.read(machine)
    path.write_text("//h.example/:username=a\n//h.example/:_password=%%%\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"_password is not base64"):
        npm.read(machine)


def test_npm_files_in_the_order_of_their_strength(machine: Machine, tmp_path: Path) -> None:
    prefix, project = tmp_path / "prefix", tmp_path / "project"
    there = told(machine, npm_config_prefix=str(prefix))
    there = msgspec.structs.replace(there, folder=str(project / "src" / "deep"))
    write(project / "package.json", "{}")
    steps = [
        (prefix / "etc/npmrc", "https://global.example/"),
        (Path(machine.home, ".npmrc"), "https://user.example/"),
        (project / ".npmrc", "https://project.example/npm/"),
    ]
    assert steps
    for path, url in steps:
        write(path, f"; a comment\nregistry = {url.rstrip('/')}\n")
        assert npm.read(there).registry == url
    assert npm.read(told(there, NPM_CONFIG_REGISTRY="https://env.example")).registry == (
        "https://env.example/"
    )


NPMRC = """
registry = "https://one.example/npm"
@acme:registry=https://two.example/a/ ; a comment
//one.example/npm/:_authToken=${TOKEN}
//two.example/a/:_auth=cm9ib3Q6eA==
//three.example/:username=robot
//three.example/:_password=eA==
//four.example/:_authToken=${UNKNOWN}
cafile=/etc/corp.pem
always-auth=true
"""


def test_npm_credentials_belong_to_their_place(machine: Machine) -> None:
    write(Path(machine.home, ".npmrc"), NPMRC)
    config = npm.read(told(machine, TOKEN="t1"))
    assert config.registry == "https://one.example/npm/"
    assert config.scopes == {"@acme": "https://two.example/a/"}
    assert config.ca_files == ["/etc/corp.pem"]
    expected = {
        "https://one.example/npm/left-pad": "Bearer t1",
        "https://one.example/other": None,
        "https://two.example/a/@acme%2fcli": "Basic cm9ib3Q6eA==",
        "https://three.example/x": "Basic cm9ib3Q6eA==",
        "https://four.example/x": "Bearer ${UNKNOWN}",
        "https://five.example/x": None,
    }
    for url, header in expected.items():
        credential = best(config.credentials, url)
        assert (credential and credential.header) == header, url


def test_npm_says_the_same_of_its_files(machine: Machine) -> None:
    """The real npm reads the same file; it shows no secrets, so the addresses are compared."""
    write(Path(machine.home, ".npmrc"), NPMRC.replace("four.example", "4.example"))
    there = told(machine, TOKEN="t1", npm_config_prefix=machine.root)
    config = npm.read(there)

    def asked(key: str) -> str:
        done = subprocess.run(
            ["npm", "config", "get", key],
            cwd=machine.home,
            env={**servers.environment(Path(machine.home)), **there.environ},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    assert asked("registry").rstrip("/") == config.registry.rstrip("/")
    assert asked("@acme:registry") == config.scopes["@acme"]
    assert asked("cafile") == config.ca_files[0]


def test_npm_environment_may_name_places(machine: Machine) -> None:
    there = told(
        machine,
        **{
            "npm_config_@acme:registry": "https://two.example",
            "npm_config_//two.example/:_authToken": "t2",
            "npm_config__authToken": "t0",
            "npm_config_registry": "https://one.example",
        },
    )
    config = npm.read(there)
    assert config.scopes == {"@acme": "https://two.example/"}
    found = {url: best(config.credentials, url) for url in ("https://one.example/x",
                                                            "https://two.example/x")}  # fmt: skip
    assert [one.header for one in found.values() if one] == ["Bearer t0", "Bearer t2"]


def test_order_of_the_addresses(machine: Machine) -> None:
    nothing = NetworkSettings()
    own = NetworkSettings(
        npm=NpmSettings(url="https://npm.acme.example"),
        pypi=PypiSettings(url="https://pypi.acme.example/x"),
    )
    quiet_npm, quiet_pip = npm.read(machine), pip.read(machine)
    assert places.npm_registry(nothing, quiet_npm, "x") == addresses.npm_registry()
    assert [one.url for one in places.pypi_indexes(nothing, quiet_pip)] == [
        f"{addresses.pypi_site()}simple/"
    ]
    loud = told(
        machine,
        PIP_INDEX_URL="https://pip.example/simple",
        npm_config_registry="https://npmrc.example",
    )
    assert places.npm_registry(nothing, npm.read(loud), "x") == "https://npmrc.example/"
    assert places.npm_registry(own, npm.read(loud), "x") == "https://npm.acme.example/"
    assert places.pypi_indexes(nothing, pip.read(loud)) == [
        Index(url="https://pip.example/simple/", source="PIP_INDEX_URL")
    ]
    [index_] = places.pypi_indexes(own, pip.read(loud))
    assert index_.url == "https://pypi.acme.example/x/simple/"


def test_the_public_addresses_come_from_the_ecosystems_map() -> None:
    known = [addresses.npm_registry(), addresses.pypi_site(), addresses.github_site()]
    assert all(url.startswith("https://") and url.endswith("/") for url in known)
    assert addresses.npm_changes().startswith("https://replicate.")
    assert addresses.npm_changes().endswith("/registry/")
    api = addresses.github_api(addresses.github_site())
    assert addresses.github_site_of(api) == addresses.github_site()
    enterprise = "https://git.acme.example/"
    assert addresses.github_api(enterprise) == "https://git.acme.example/api/v3/"
    assert addresses.github_site_of("https://git.acme.example/api/v3/") == enterprise


def test_github_token_reaches_its_two_places_only() -> None:
    token = "ghp_" + "x" * 8
    settings = NetworkSettings(github=GithubSettings(token=token))
    credentials = places.credentials(settings)
    api, site = places.github(settings)
    on_api, on_site = best(credentials, f"{api}repos/a/b"), best(credentials, f"{site}a/b.git/")
    assert on_api is not None
    assert on_api.header == f"Bearer {token}"
    assert on_site is not None
    assert on_site.header.startswith("Basic ")
    assert best(credentials, "https://objects.example/") is None
    assert token not in repr(settings) + repr(credentials)


def test_only_what_somebody_configured_may_be_private() -> None:
    guard = Guard([])
    settings = NetworkSettings(npm=NpmSettings(url="http://10.0.0.7:4873/"))
    places.allow_configured(guard, settings)
    assert guard.permits("10.0.0.7", 4873, "10.0.0.7")
    assert not guard.permits("10.0.0.7", 80, "10.0.0.7")
    assert not guard.permits("10.0.0.8", 4873, "10.0.0.8")


def test_secrets_in_addresses_are_refused_in_settings() -> None:
    settings = NetworkSettings(npm=NpmSettings(url="https://robot:x@npm.acme.example/"))
    with pytest.raises(ConfigError, match=r"\[registries.npm\] url"):
        places.npm_registry(settings, ClientConfig(), "x")


def test_proxies_of_the_environment(machine: Machine) -> None:
    there = told(
        machine,
        https_proxy="http://p.example:1",
        HTTP_PROXY="http://h.example:2",
        NO_PROXY="internal.example",
    )
    assert places.proxies(there) == {
        "https": "http://p.example:1",
        "http": "http://h.example:2",
        "no": "internal.example",
    }
    assert "http" not in places.proxies(told(there, REQUEST_METHOD="GET"))
