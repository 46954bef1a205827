from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor import config
from monitor.config import SecretRef, Settings, cache_folder, find, load, parse
from monitor.config.reading import REFERENCE_KEYS, SECRET_KEYS, SECRET_TABLES
from monitor.errors import ConfigError
from monitor.http.settings import HttpSettings
from monitor.model import PostureValue
from monitor.registries import settings as registries

CONTRACT = """
[database]
url = "sqlite:///leakmon.db"
[evidence]
url = "file:evidence"
[alerts.slack]
token = "env:SLACK_BOT_TOKEN"
channel = "#leaks"
base_url = "http://127.0.0.1:8099/api/"
[http]
allow_private = ["127.0.0.1", "10.0.0.0/8", "::1",
  "npm.internal", "npm.internal:4873", "127.0.0.1:80", "[::1]:80"]
[registries.npm]
url = "http://127.0.0.1:4873/"
changes = "http://127.0.0.1:5984/registry"
poll_seconds = 7
[registries.pypi]
url = "http://127.0.0.1:3141/"
[registries.github]
api = "http://127.0.0.1:8080/"
token = "file:github.token"
[[organisations]]
name = "acme"
posture = "proprietary"
licence = "UNLICENSED"
npm.scopes = ["@acme"]
npm.packages = ["acme-*"]
npm.maintainers = ["acme-bot"]
pypi.packages = ["acme", "acme-*"]
pypi.owners = ["acme"]
repositories = ["github:acme", "github:acme/cli-*", "https://git.example/acme.git"]
domains = ["acme.example"]
internal_hosts = ["*.corp.acme.example"]
internal_names = ["acme-console-app", "@acme/internal-*", "x[0-9]", "a[]]", "b[!]]"]
code_names = ["bluefin"]
[[organisations]]
name = "other"
[private_code]
folder = "/srv/index"
keys.acme = "env:ACME_INDEX_KEY"
keys.other = "file:other.key"
"""


def test_the_whole_contract_is_understood() -> None:
    settings = parse(CONTRACT, source="/etc/leakmon/leakmon.toml")
    assert settings.alerts.slack is not None
    assert settings.alerts.slack.channel == "#leaks"
    assert settings.registries.npm.poll_seconds == 7
    assert settings.registries.npm.changes == "http://127.0.0.1:5984/registry"
    assert settings.http.allow_private[1] == "10.0.0.0/8"
    acme, other = settings.organisations
    assert acme.posture is PostureValue.PROPRIETARY
    assert acme.npm.scopes == ["@acme"]
    assert acme.pypi.owners == ["acme"]
    assert acme.code_names == ["bluefin"]
    assert other.posture is None


def test_an_empty_file_is_the_defaults() -> None:
    assert parse("") == Settings()
    assert Settings().database.url == "sqlite:///leakmon.db"
    assert Settings().registries.npm.url == ""


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Settings().http = HttpSettings()  # type: ignore[misc]


def _secret_fields(kind: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for field in msgspec.structs.fields(kind):
        parts = getattr(field.type, "__args__", (field.type,))
        for part in parts:
            if part is SecretRef:
                found.append((*path, field.name))
            elif isinstance(part, type) and issubclass(part, msgspec.Struct):
                found += _secret_fields(part, (*path, field.name))
    return found


def test_every_secret_of_the_settings_is_read_as_a_reference() -> None:
    assert sorted(_secret_fields(Settings)) == sorted(SECRET_KEYS + REFERENCE_KEYS + SECRET_TABLES)


def test_a_secret_is_read_when_it_is_needed_and_not_before(tmp_path: Path) -> None:
    settings = parse(CONTRACT, source=str(tmp_path / "leakmon.toml"))
    slack, token = settings.alerts.slack, settings.registries.github.token
    assert slack is not None
    assert token is not None
    assert slack.token.reveal({"SLACK_BOT_TOKEN": " abc\n"}) == "abc"
    with pytest.raises(ConfigError) as missing:
        slack.token.reveal({})
    assert str(missing.value) == (
        f"{tmp_path}/leakmon.toml: alerts.slack.token: env:SLACK_BOT_TOKEN is empty or not set: "
        "export SLACK_BOT_TOKEN"
    )
    with pytest.raises(ConfigError, match=r"registries\.github\.token: file:github\.token cannot"):
        token.reveal({})
    (tmp_path / "github.token").write_text("from-a-file\n", encoding="utf-8")
    assert token.reveal({}) == "from-a-file"
    (tmp_path / "github.token").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        token.reveal({})


def test_no_secret_is_shown(tmp_path: Path) -> None:
    settings = parse(CONTRACT, source=str(tmp_path / "leakmon.toml"))
    (tmp_path / "github.token").write_text("from-a-file", encoding="utf-8")
    assert settings.registries.github.token is not None
    settings.registries.github.token.reveal({})
    assert "from-a-file" not in repr(settings)
    assert "SecretRef('file:github.token')" in repr(settings)


def test_a_database_address_with_a_password_is_a_reference() -> None:
    settings = parse("[database]\nurl = 'env:DATABASE_URL'\n")
    assert isinstance(settings.database.url, SecretRef)
    assert settings.database.url.reveal({"DATABASE_URL": "postgresql://db"}) == "postgresql://db"


def test_the_network_gets_its_secrets_looked_up() -> None:
    settings = parse(
        CONTRACT.replace("file:github.token", "env:GITHUB_TOKEN").replace(
            "poll_seconds = 7", "token = 'env:NPM_TOKEN'"
        )
    )
    given = config.network(settings, {"GITHUB_TOKEN": "one", "NPM_TOKEN": "two"})
    assert given.github.token == "one"
    assert given.github.api == "http://127.0.0.1:8080/"
    assert given.npm.token == "two"
    assert given.npm.password == ""
    assert given.http.allow_private[0] == "127.0.0.1"
    with pytest.raises(ConfigError, match=r"registries\.github\.token: env:GITHUB_TOKEN is empty"):
        config.network(settings, {"NPM_TOKEN": "two"})
    folder = "/cache/leakmon/repositories"
    assert config.network(Settings(), {"XDG_CACHE_HOME": "/cache"}) == registries.NetworkSettings(
        cache_folder=folder
    )


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        (config.Npm, registries.NpmSettings),
        (config.Pypi, registries.PypiSettings),
        (config.Github, registries.GithubSettings),
    ],
)
def test_every_setting_of_a_registry_can_be_written(
    table: type[msgspec.Struct], wanted: type[msgspec.Struct]
) -> None:
    assert table.__struct_fields__ == wanted.__struct_fields__


def test_the_search_goes_from_the_nearest_to_the_farthest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    (home / ".config" / "leakmon").mkdir(parents=True)
    monkeypatch.chdir(here)
    environ = {"HOME": str(home)}
    assert find(None, environ) is None
    assert load(environ=environ) == Settings()
    users = home / ".config" / "leakmon" / "leakmon.toml"
    users.write_text("", encoding="utf-8")
    assert find(None, environ) == str(users)
    assert find(None, environ | {"XDG_CONFIG_HOME": str(tmp_path)}) is None
    (here / "leakmon.toml").write_text("", encoding="utf-8")
    assert find(None, environ) == "leakmon.toml"
    assert find(None, environ | {"LEAKMON_CONFIG": "b.toml"}) == "b.toml"
    assert find("a.toml", environ | {"LEAKMON_CONFIG": "b.toml"}) == "a.toml"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: .* cannot be read \(No such"):
        load(str(tmp_path / "gone.toml"), environ={})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(str(tmp_path), environ={})
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigError, match=r"latin\.toml: byte 5 is not UTF-8"):
        load(str(latin), environ={})
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(ConfigError, match="larger than 4 MiB"):
        load(str(large), environ={})


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    marked = tmp_path / "leakmon.toml"
    marked.write_bytes(b"\xef\xbb\xbf[http]\n")
    assert load(str(marked), environ={}) == Settings()


def test_the_cache_folder_follows_the_platform() -> None:
    environ = {"HOME": "/home/me"}
    assert cache_folder(environ, "linux") == "/home/me/.cache/leakmon"
    assert cache_folder(environ, "darwin") == "/home/me/Library/Caches/leakmon"
    assert cache_folder(environ | {"XDG_CACHE_HOME": "/c"}, "darwin") == "/c/leakmon"
    assert cache_folder(environ | {"XDG_CACHE_HOME": "c"}, "linux") == "/home/me/.cache/leakmon"


def test_without_a_file_no_parser_is_loaded() -> None:
    script = (
        "import sys, msgspec, monitor.config as config; config.load(environ={'HOME': '/nowhere'});"
        "print(*({'tomllib', 'difflib', 'pathlib', 'aiohttp', 'asyncio'} & set(sys.modules)))"
    )
    folder = str(Path(config.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
        env={"PYTHONPATH": folder},
    )
    assert done.stdout.strip() == ""


def test_a_file_that_merely_lies_here_has_no_secret_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may come with a stranger's checkout, and name the address that the secret goes to."""
    text = '[registries.github]\napi = "https://evil.example/"\ntoken = "env:GITHUB_TOKEN"\n'
    (tmp_path / config.FILE_NAME).write_text(text)
    monkeypatch.chdir(tmp_path)
    environ = {"HOME": str(tmp_path / "home"), "GITHUB_TOKEN": "secret"}
    with pytest.raises(ConfigError, match="name it with --config"):
        config.network(config.load(environ=environ), environ)
    for chosen in ({**environ, "LEAKMON_CONFIG": config.FILE_NAME}, environ):
        named = None if "LEAKMON_CONFIG" in chosen else config.FILE_NAME
        settings = config.load(named, environ=chosen)
        assert config.network(settings, chosen).github.token == "secret"


def test_the_trusted_root_lies_beside_its_file_and_is_nobody_elses_to_name(tmp_path: Path) -> None:
    text = "[provenance]\ntrusted_root = 'root.json'\n"
    source = str(tmp_path / "leakmon.toml")
    assert parse(text, source=source).provenance.trusted_root == str(tmp_path / "root.json")
    absolute = text.replace("root.json", "/etc/root.json")
    assert parse(absolute, source=source).provenance.trusted_root == "/etc/root.json"
    with pytest.raises(ConfigError, match=r"provenance\.trusted_root: .* name it with --config"):
        parse(text, source="leakmon.toml", is_trusted=False)
    assert parse("[provenance]\nask = 'all'\n", is_trusted=False).provenance.ask == "all"
