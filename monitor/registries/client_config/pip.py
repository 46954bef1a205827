"""pip's configuration: ``pip.conf``, ``PIP_*`` and ``netrc``.

Source: pip's documentation, "Configuration" (locations, precedence) and "Authentication".
"""

from __future__ import annotations

import base64
import configparser
import netrc
import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from monitor.errors import ConfigError
from monitor.http.settings import Credential

from . import ClientConfig, Index, Machine

_SECTIONS = ("global", "download", "install")
_KEYS = ("index-url", "extra-index-url", "no-index", "cert")
_TRUE = {"1", "true", "yes", "on"}


def read(machine: Machine) -> ClientConfig:
    """What pip is told on this machine; a file that cannot be read is a ConfigError."""
    values: dict[str, tuple[str, str]] = {}
    files = [path for path in _files(machine) if path.is_file()]
    for path in files:
        values |= _file_values(path)
    for key in _KEYS:
        name = f"PIP_{key.upper().replace('-', '_')}"
        if machine.environ.get(name):
            values[key] = (machine.environ[name], name)
    return _assembled(machine, values, [str(path) for path in files])


def _assembled(
    machine: Machine, values: dict[str, tuple[str, str]], files: list[str]
) -> ClientConfig:
    indexes: dict[str, list[Index]] = {"index-url": [], "extra-index-url": []}
    credentials: list[Credential] = []
    for key, found in indexes.items():
        text, source = values.get(key, ("", ""))
        for url in text.split():
            index, credential = _index(url, f"{source} {key}" if source[:4] != "PIP_" else source)
            found.append(index)
            credentials += [credential] if credential else []
    cert = values.get("cert", ("", ""))[0]
    return ClientConfig(
        indexes=indexes["index-url"][:1],
        extra_indexes=indexes["extra-index-url"],
        credentials=credentials + _netrc(machine),
        ca_files=[cert] if cert else [],
        files=files,
        is_offline=values.get("no-index", ("", ""))[0].strip().lower() in _TRUE,
    )


def _files(machine: Machine) -> list[Path]:
    """Every place of a ``pip.conf``, the weakest first."""
    environ, home, root = machine.environ, Path(machine.home), Path(machine.root)
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return []
    if machine.platform == "darwin":
        shared = [root / "Library/Application Support/pip"]
        own = home / "Library/Application Support/pip"
        own = own if own.is_dir() else home / ".config/pip"
    else:
        folders = environ.get("XDG_CONFIG_DIRS") or str(root / "etc/xdg")
        shared = [Path(folder) / "pip" for folder in reversed(folders.split(os.pathsep))]
        shared.append(root / "etc")
        own = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip"
    site = environ.get("VIRTUAL_ENV") or machine.prefix
    # As pip: a file named in the environment stands in for the user's own.
    users = [] if named and Path(named).exists() else [home / ".pip", own]
    folders_ = [*shared, *users, *([Path(site)] if site else [])]
    return [folder / "pip.conf" for folder in folders_] + ([Path(named)] if named else [])


def _file_values(path: Path) -> dict[str, tuple[str, str]]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (configparser.Error, OSError, UnicodeDecodeError) as error:
        problem = str(error).splitlines()[0]
        raise ConfigError(f"{path}: pip's configuration cannot be read ({problem})") from error
    return {
        key: (parser[section][key], f"{path} [{section}]")
        for section in _SECTIONS
        if parser.has_section(section)
        for key in _KEYS
        if key in parser[section]
    }


def _index(url: str, source: str) -> tuple[Index, Credential | None]:
    """The index without its login, and the login as a credential for the index's host."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https", "file"}:
        raise ConfigError(f"{source}: an index address begins with https:, http: or file:")
    login, _, netloc = parts.netloc.rpartition("@")
    plain = urlunsplit(parts._replace(netloc=netloc, query="", fragment=""))
    index = Index(url=plain.rstrip("/") + "/", source=source)
    if not login:
        return index, None
    user, _, password = login.partition(":")
    # As pip: an index's login is good for its host, because files lie beside the index.
    credential = Credential(
        scheme=parts.scheme,
        netloc=netloc,
        path="/",
        header=basic(unquote(user), unquote(password)),
        source=source,
    )
    return index, credential


def _netrc(machine: Machine) -> list[Credential]:
    named = machine.environ.get("NETRC")
    path = Path(named or Path(machine.home) / ".netrc")
    if not path.is_file():
        return []
    try:
        hosts = netrc.netrc(path).hosts
    except (netrc.NetrcParseError, OSError, UnicodeDecodeError) as error:
        # Its text may stand in the error, and it is all secrets.
        raise ConfigError(f"{path}: cannot be read ({type(error).__name__})") from None
    return [
        Credential(
            scheme=scheme,
            netloc=host if re.search(r":\d+$", host) else f"{host}:*",
            path="/",
            header=basic(login or account or "", password or ""),
            source=f"{path} machine {host}",
        )
        for host, (login, account, password) in hosts.items()
        if host != "default"
        for scheme in ("https", "http")
    ]


def basic(user: str, password: str) -> str:
    """The value of a Basic ``Authorization`` header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
