"""From the text of ``leakmon.toml`` to checked settings; every complaint is one line."""

from __future__ import annotations

import os
import re
import tomllib
from typing import TYPE_CHECKING, Any, cast

import msgspec

from monitor.config.checks import check
from monitor.config.complaints import Complaint
from monitor.config.secrets import SecretRef
from monitor.config.settings import Settings
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET_KEYS = (
    ("alerts", "email", "password"),
    ("alerts", "github", "token"),
    ("alerts", "pagerduty", "routing_key"),
    ("alerts", "slack", "app_token"),
    ("alerts", "slack", "signing_secret"),
    ("alerts", "slack", "token"),
    ("alerts", "teams", "url"),
    ("alerts", "webhook", "secret"),
    ("evidence", "key"),
    ("evidence", "access_key_id"),
    ("evidence", "secret_access_key"),
    ("registries", "npm", "token"),
    ("registries", "npm", "password"),
    ("registries", "pypi", "password"),
    ("registries", "github", "token"),
    ("registries", "gitlab", "token"),
)
"""The keys that hold a reference to a secret and nothing else."""

SECRET_TABLES = (("private_code", "keys"),)
"""The tables each of whose keys, names of organisations, holds a reference to a secret."""

REFERENCE_KEYS = (("alerts", "webhook", "url"), ("database", "url"))
"""The keys that hold a plain value or, since it may have a secret inside, a reference."""

_IN_TOML_WORDS = {
    "`object`": "a table",
    "`array`": "a list",
    "`str`": "a text in quotes",
    "`int`": "a whole number",
    "`float`": "a number",
    "`bool`": "true or false",
    "`null`": "nothing",
}
_PLACE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)


def settings(text: str, source: str, *, is_trusted: bool) -> Settings:
    """The settings that ``text`` gives, checked; ``source`` is the file's name."""
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{source}: not valid TOML: nested too deeply") from None
    _refer(written, source, is_trusted=is_trusted)
    _root(written, source, is_trusted=is_trusted)
    try:
        made = msgspec.convert(written, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{source}: {_explained(str(error), written)}") from None
    try:
        check(made)
    except Complaint as complaint:
        raise ConfigError(f"{source}: {complaint}") from None
    return made


def _refer(written: dict[str, Any], source: str, *, is_trusted: bool) -> None:
    """Put references in the place of the texts that stand for them."""
    folder = os.path.dirname(os.path.abspath(source))
    secrets = (*SECRET_KEYS, *_inside(written))
    for path in (*secrets, *REFERENCE_KEYS):
        table: object = written
        for name in path[:-1]:
            table = table.get(name) if isinstance(table, dict) else None
        if not isinstance(table, dict) or path[-1] not in table:
            continue
        key, value = f"{source}: {'.'.join(path)}", table[path[-1]]
        if not isinstance(value, str):
            raise ConfigError(f"{key}: expected a text in quotes: write env:NAME or file:PATH")
        if path in secrets or value.startswith(("env:", "file:")):
            table[path[-1]] = SecretRef(value, key, folder, is_trusted)


def _root(written: dict[str, Any], source: str, *, is_trusted: bool) -> None:
    """Whom to believe: a path below the file's own folder, and never by a stranger's word."""
    table = written.get("provenance")
    path = table.get("trusted_root") if isinstance(table, dict) else None
    if not isinstance(table, dict) or not isinstance(path, str) or not path:
        return
    if not is_trusted:
        raise ConfigError(
            f"{source}: provenance.trusted_root: {source} was found in the working folder, so "
            f"nobody is believed for it: if the file is yours, name it with --config {source}"
        )
    table["trusted_root"] = os.path.join(os.path.dirname(os.path.abspath(source)), path)


def _inside(written: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The keys of the tables that hold secrets, as they are written."""
    for path in SECRET_TABLES:
        table: object = written
        for name in path:
            table = table.get(name) if isinstance(table, dict) else None
        if isinstance(table, dict):
            yield from ((*path, name) for name in table)


def _explained(message: str, written: dict[str, Any]) -> str:
    """The message of msgspec as ``key: what is wrong: what to do``."""
    match = _PLACE.fullmatch(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    shown = _shown(path, written)
    if unknown := _UNKNOWN.fullmatch(what):
        key = unknown[1]
        return f"{_joined(shown, key)}: unknown key; {_suggestion(key, path)}"
    if missing := _MISSING.fullmatch(what):
        return f"{_joined(shown, missing[1])}: missing; add it to the table"
    if path == "organisations" and "`object`" in what:
        return "organisations: a list of tables; write [[organisations]] with two brackets"
    if "Invalid enum value" in what:
        return f"{shown}: {what[0].lower() + what[1:]}; {_choices(path)}"
    for name, word in _IN_TOML_WORDS.items():
        what = what.replace(name, word)
    return f"{shown}: {what[:1].lower()}{what[1:]}"


def _joined(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _shown(path: str, written: dict[str, Any]) -> str:
    """The path with an organisation's number replaced by its name, where it has one."""
    match = re.match(r"organisations\[(\d+)\]", path)
    if not match:
        return path
    entry = written["organisations"][int(match[1])]
    name = entry.get("name") if isinstance(entry, dict) else None
    label = f'"{name}"' if isinstance(name, str) else f"number {int(match[1]) + 1}"
    return f"organisations[{label}]{path[match.end() :]}"


def _suggestion(key: str, path: str) -> str:
    import difflib

    known = sorted(_fields(path))
    near = difflib.get_close_matches(key.replace("-", "_").lower(), known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"known keys here: {', '.join(known)}"


def _choices(path: str) -> str:
    values = getattr(_type_at(path), "_value2member_map_", {})
    return f"choose one of {', '.join(str(value) for value in values)}"


def _fields(path: str) -> tuple[str, ...]:
    return cast("tuple[str, ...]", getattr(_type_at(path), "__struct_encode_fields__", ()))


def _type_at(path: str) -> object:
    """The type that the settings declare at ``registries.npm`` or ``organisations[0].posture``."""
    import typing

    kind: object = Settings
    for name in re.sub(r"\[[^\]]*\]", "", path).split(".") if path else ():
        kind = next(_concrete(typing.get_type_hints(kind)[name]))
    return kind


def _concrete(kind: object) -> Iterator[object]:
    """The types inside an optional, a list or an annotated type that are not None."""
    import typing

    inner = typing.get_args(kind)
    if not inner:
        if kind is not type(None):
            yield kind
        return
    for part in inner:
        yield from _concrete(part)
