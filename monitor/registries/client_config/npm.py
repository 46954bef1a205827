"""npm's configuration: ``.npmrc`` files and ``npm_config_*``.

Source: npm's documentation, "npmrc" and "config"; the places of credentials ("nerf darts") are as
in npm-registry-fetch. A credential belongs to the address in its key and to nothing else.
"""

from __future__ import annotations

import base64
import binascii
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from monitor.errors import ConfigError
from monitor.http.settings import Credential

from . import ClientConfig, Machine
from .pip import basic

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"(\\*)\$\{([^${}?]+)(\?)?\}")
_AUTH_KEYS = ("_authToken", "_auth", "username", "_password")
_PREFIX = "npm_config_"

Values = dict[str, tuple[str, str]]
"""A key, its value and where it was set."""


def read(machine: Machine) -> ClientConfig:
    """What npm is told on this machine; a file that cannot be read is a ConfigError."""
    values: Values = {}
    environment = _environment_values(machine.environ)
    files = [path for path in _files(machine, environment) if path.is_file()]
    for path in files:
        values |= _file_values(path, machine.environ)
    values |= environment
    registry = _address(*values["registry"]) if "registry" in values else ""
    return ClientConfig(
        registry=registry,
        scopes={
            key.partition(":")[0]: _address(*value)
            for key, value in values.items()
            if key.startswith("@") and key.endswith(":registry")
        },
        credentials=_credentials(values, registry),
        ca_files=[values["cafile"][0]] if values.get("cafile", ("", ""))[0] else [],
        files=[str(path) for path in files],
    )


def _environment_values(environ: Mapping[str, str]) -> Values:
    """``npm_config_registry`` in any case; of addresses and scopes the key's case is kept."""
    values: Values = {}
    for name, value in environ.items():
        if not name.lower().startswith(_PREFIX) or not value:
            continue
        key = name[len(_PREFIX) :]
        if not key.startswith(("//", "@")):
            key = key.lower().replace("_", "-") if key[:1] != "_" else key
        values[key] = (value, name)
    return values


def _files(machine: Machine, environment: Values) -> list[Path]:
    """Global, user's and project's ``.npmrc``, the weakest first."""
    prefix = environment.get("prefix", ("", ""))[0] or machine.environ.get("PREFIX", "")
    node = shutil.which("node", path=machine.environ.get("PATH", ""))
    if not prefix and node:
        prefix = str(Path(node).resolve().parent.parent)
    named_global = environment.get("globalconfig", ("", ""))[0]
    shared = Path(named_global or Path(prefix or "/usr/local") / "etc/npmrc")
    own = Path(environment.get("userconfig", ("", ""))[0] or Path(machine.home) / ".npmrc")
    own = Path(machine.home) / own.relative_to("~") if own.parts[:1] == ("~",) else own
    project = _project(Path(machine.folder)) / ".npmrc"
    return list(dict.fromkeys([shared, own, project]))


def _project(folder: Path) -> Path:
    """The nearest folder with a ``package.json`` or ``node_modules``, else the folder itself."""
    for candidate in (folder, *folder.parents):
        if (candidate / "package.json").exists() or (candidate / "node_modules").exists():
            return candidate
    return folder


def _file_values(path: Path, environ: Mapping[str, str]) -> Values:
    values: Values = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: npm's configuration cannot be read ({error})") from error
    for number, line in enumerate(lines, 1):
        key, equals, value = line.strip().partition("=")
        if not equals or key.startswith((";", "#", "[")):
            continue
        key = _expanded(key.strip(), environ)
        values[key] = (_expanded(_unquoted(value), environ), f"{path} line {number}")
    return values


def _unquoted(value: str) -> str:
    """A value without its quotes, or without the comment behind it (the ``ini`` format)."""
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return re.split(r"(?<!\\)[;#]", value)[0].strip()


def _expanded(text: str, environ: Mapping[str, str]) -> str:
    """``${NAME}`` from the environment; unknown: kept as it is, or nothing for ``${NAME?}``."""

    def replace(found: re.Match[str]) -> str:
        if len(found[1]) % 2:
            return found[0][1:]
        value = environ.get(found[2], "" if found[3] else None)
        return found[0] if value is None else found[1] + value

    return _VARIABLE.sub(replace, text)


def _address(text: str, source: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"{source}: a registry's address begins with https:// or http://")
    netloc = parts.netloc.rpartition("@")[2]
    plain = urlunsplit(parts._replace(netloc=netloc, query="", fragment=""))
    return plain.rstrip("/") + "/"


def _credentials(values: Values, registry: str) -> list[Credential]:
    """One credential per address for which the keys suffice."""
    places: dict[str, Values] = {}
    for key, value in values.items():
        place, colon, name = key.rpartition(":")
        if colon and place.startswith("//") and name in _AUTH_KEYS:
            places.setdefault(place, {})[name] = value
        elif key in _AUTH_KEYS and registry:
            # Without an address (npm before 9): good for the default registry alone.
            places.setdefault(registry[registry.index("//") :], {}).setdefault(key, value)
    credentials = []
    for place, keys in places.items():
        header, source = _header(keys)
        if header:
            parts = urlsplit(place)
            path = parts.path.rstrip("/") + "/"
            credentials.append(
                Credential(scheme="", netloc=parts.netloc, path=path, header=header, source=source)
            )
    return credentials


def _header(keys: Values) -> tuple[str, str]:
    """The ``Authorization`` header of one place: a token, else a login, as npm prefers them."""
    if "_authToken" in keys:
        token, source = keys["_authToken"]
        return f"Bearer {token.strip()}", f"{source} (_authToken)"
    if "username" in keys and "_password" in keys:
        text, source = keys["_password"]
        try:
            password = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise ConfigError(f"{source}: _password is not base64") from None
        return basic(keys["username"][0], password), f"{source} (_password)"
    if "_auth" in keys:
        text, source = keys["_auth"]
        return f"Basic {text.strip()}", f"{source} (_auth)"
    return "", ""
