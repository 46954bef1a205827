"""Reads what a Python project's own source asks for and locks, where that is written in TOML.

Of a release its metadata counts (``dependencies``); a folder has none yet. What is only known when
the project is built (``dynamic``) is named, so that it can be said that nobody looked at it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from monitor.model import Dependency

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CARET = re.compile(r"\^\s*v?(\d+)(?:\.(\d+))?(?:\.(\d+))?[\w.]*")
_TILDE = re.compile(r"~\s*v?(\d+)(?:\.(\d+))?(?:\.(\d+))?[\w.]*")
_BARE = re.compile(r"v?\d+(?:\.(?:\d+|\*))*[\w.]*")


def requirements(data: bytes) -> Iterator[tuple[str, str]]:
    """Pairs of a requirement as PEP 621 has it and the extra that asks for it (empty: none).

    Raises ValueError for what is no TOML.
    """
    project = _table(_toml(data).get("project"))
    yield from ((each, "") for each in _texts(project.get("dependencies")))
    for extra, listed in _table(project.get("optional-dependencies")).items():
        yield from ((each, extra) for each in _texts(listed))


def others(path: str, data: bytes) -> Iterator[Dependency]:
    """Poetry's dependencies, a Pipfile's packages, and what is dynamic. Raises ValueError."""
    found = _toml(data)
    tools = _table(found.get("tool"))
    poetry = _table(_table(tools.get("poetry")).get("dependencies"))
    for name, entry in [*poetry.items(), *_table(found.get("packages")).items()]:
        if name != "python":
            yield _entry(path, name, entry)
    dynamic = _table(found.get("project")).get("dynamic")
    if "dependencies" in _texts(dynamic):
        yield _dependency(path, "(dynamic dependencies)", "malformed:")


def locked(path: str, data: bytes) -> Iterator[Dependency]:
    """``[[package]]`` of poetry, uv and pdm, ``[[packages]]`` of pylock.toml (PEP 751)."""
    found = _toml(data)
    entries = found.get("package", found.get("packages"))
    for entry in entries if isinstance(entries, list) else ():
        source = _table(_table(entry).get("source"))
        name, version = _table(entry).get("name"), _table(entry).get("version")
        is_local = bool({"editable", "virtual", "directory"} & {*source})
        if isinstance(name, str) and isinstance(version, str) and not is_local:
            yield Dependency(path=path, ecosystem="pypi", name=name, wanted=version, how="locked")


def _toml(data: bytes) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(data.decode("utf-8"))


def _entry(path: str, name: str, entry: Any) -> Dependency:
    """``"^1.2"``, or a table with a version, or with a place in its stead."""
    version = entry.get("version", "") if isinstance(entry, dict) else entry
    is_optional = isinstance(entry, dict) and entry.get("optional") is True
    if isinstance(entry, dict) and {"git", "path", "url", "file"} & {*entry}:
        return _dependency(path, name, "url:", is_optional=is_optional)
    if not isinstance(version, str):
        return _dependency(path, name, "malformed:", is_optional=is_optional)
    return _dependency(path, name, _specifiers(version), is_optional=is_optional)


def _dependency(path: str, name: str, wanted: str, *, is_optional: bool = False) -> Dependency:
    return Dependency(
        path=path,
        ecosystem="pypi",
        name=name,
        wanted=wanted,
        how="declared",
        is_optional=is_optional,
    )


def _specifiers(written: str) -> str:
    """Poetry's carets, tildes and bare versions as specifiers of PEP 440; others as they are."""
    return ",".join(
        _specifier(part.strip()) for part in written.split(",") if part.strip() not in {"", "*"}
    )


def _specifier(part: str) -> str:
    """https://python-poetry.org/docs/dependency-specification/."""
    if (caret := _CARET.fullmatch(part)) is not None:
        numbers = [int(each) for each in caret.groups() if each is not None]
        at = next((n for n, each in enumerate(numbers) if each), len(numbers) - 1)
        upper = [*numbers[:at], numbers[at] + 1]
        return f">={part[1:].strip()},<{'.'.join(map(str, upper))}"
    if (tilde := _TILDE.fullmatch(part)) is not None and not part.startswith("~="):
        numbers = [int(each) for each in tilde.groups() if each is not None][:2]
        upper = [*numbers[:-1], numbers[-1] + 1]
        return f">={part[1:].strip()},<{'.'.join(map(str, upper))}"
    return f"=={part}" if _BARE.fullmatch(part) else part


def _table(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _texts(found: Any) -> list[str]:
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
