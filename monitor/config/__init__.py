"""``leakmon.toml`` and the environment, as one frozen, checked object. Nobody else reads either.

The file is the first of: the ``--config`` option, ``LEAKMON_CONFIG``, ``leakmon.toml`` here,
``$XDG_CONFIG_HOME/leakmon/leakmon.toml`` (``~/.config/...``). No file at all is a fine answer:
every setting has a default. Secrets are references (``env:NAME``, ``file:PATH``) that are read
when they are needed.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from monitor.config.alerting import Alerts, Slack
from monitor.config.secrets import SecretRef
from monitor.config.settings import (
    Advisories,
    Copies,
    Database,
    Evidence,
    Git,
    Github,
    Gitlab,
    Jobs,
    Npm,
    PrivateCode,
    Provenance,
    Pypi,
    Registries,
    Service,
    Settings,
)
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.registries.settings import NetworkSettings

__all__ = [
    "FILE_NAME",
    "Advisories",
    "Alerts",
    "Copies",
    "Database",
    "Evidence",
    "Git",
    "Github",
    "Gitlab",
    "Jobs",
    "Npm",
    "PrivateCode",
    "Provenance",
    "Pypi",
    "Registries",
    "SecretRef",
    "Service",
    "Settings",
    "Slack",
    "cache_folder",
    "check",
    "environment",
    "find",
    "load",
    "network",
    "parse",
]

FILE_NAME = "leakmon.toml"
_MAX_BYTES = 4 * 1024 * 1024


def environment() -> Mapping[str, str]:
    """The process's environment, for whoever is handed it. The only place that asks for it."""
    return os.environ


def load(path: str | None = None, *, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force; ``path`` is what ``--config`` named. Raises ConfigError, one line.

    A file that merely lies in the working folder may belong to a stranger's checkout. What it says
    holds, but the secrets that it refers to are not read: it could send them where it likes.
    """
    environ = environment() if environ is None else environ
    found = find(path, environ)
    if found is None:
        return Settings()
    is_chosen = bool(path or environ.get("LEAKMON_CONFIG")) or found != FILE_NAME
    return parse(_read(found), source=found, is_trusted=is_chosen)


def find(path: str | None, environ: Mapping[str, str]) -> str | None:
    """The file that is read: the first of those in the module's docstring, or None.

    A file that was asked for by name is given even if it does not exist: reading it is the error.
    """
    named = path or environ.get("LEAKMON_CONFIG")
    if named:
        return named
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(_home(environ), ".config")
    for candidate in (FILE_NAME, os.path.join(home, "leakmon", FILE_NAME)):
        if os.path.lexists(candidate):
            return candidate
    return None


def cache_folder(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Where what can be made again is kept: compiled rules and the like. Not created here."""
    given = environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(given):  # the specification: a relative path is to be ignored
        return os.path.join(given, "leakmon")
    below = ("Library", "Caches") if platform == "darwin" else (".cache",)
    return os.path.join(_home(environ), *below, "leakmon")


def network(settings: Settings, environ: Mapping[str, str]) -> NetworkSettings:
    """What the way out needs, with its secrets read now. Raises ConfigError for a missing one."""
    from monitor.registries.settings import (
        GithubSettings,
        GitlabSettings,
        GitSettings,
        NetworkSettings,
        NpmSettings,
        ProvenanceSettings,
        PypiSettings,
    )

    def revealed(table: Npm | Pypi | Github | Gitlab | Git | Provenance) -> dict[str, Any]:
        written = {name: getattr(table, name) for name in table.__struct_fields__}
        return {
            name: value.reveal(environ) if isinstance(value, SecretRef) else value
            for name, value in written.items()
            if value is not None
        }

    return NetworkSettings(
        http=settings.http,
        npm=NpmSettings(**revealed(settings.registries.npm)),
        pypi=PypiSettings(**revealed(settings.registries.pypi)),
        github=GithubSettings(**revealed(settings.registries.github)),
        gitlab=GitlabSettings(**revealed(settings.registries.gitlab)),
        git=GitSettings(**revealed(settings.registries.git)),
        provenance=ProvenanceSettings(**revealed(settings.provenance)),
        repositories=list(dict.fromkeys(r for o in settings.organisations for r in o.repositories)),
        cache_folder=os.path.join(cache_folder(environ), "repositories"),
    )


def parse(text: str, *, source: str = FILE_NAME, is_trusted: bool = True) -> Settings:
    """The settings that a file's text gives; ``source`` is its name, for paths and errors.

    Secrets are revealed only if ``is_trusted``. Raises ConfigError: one line that names the file,
    the key and the remedy.
    """
    from monitor.config.reading import settings  # no file, no parser

    return settings(text, source, is_trusted=is_trusted)


def check(settings: Settings) -> None:
    """Raises ConfigError for a value that cannot be meant; for what the command line changed."""
    from monitor.config.checks import check as checked
    from monitor.config.complaints import Complaint

    try:
        checked(settings)
    except Complaint as complaint:
        raise ConfigError(str(complaint)) from None


def _read(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{path}: the configuration cannot be read ({error.strerror}): "
            "name another with --config or LEAKMON_CONFIG"
        ) from None
    if len(raw) > _MAX_BYTES:
        raise ConfigError(f"{path}: larger than 4 MiB: this is no leakmon.toml")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8: save it as UTF-8") from None


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or os.path.expanduser("~")
