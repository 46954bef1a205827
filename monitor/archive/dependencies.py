"""Reads which other packages an artifact asks for, pins or carries. The bytes may say anything.

The package's own files count where they hold for it: ``package.json`` and ``METADATA`` or
``PKG-INFO`` at its root, lock and requirements files beside them. Of a package that lies inside
(``node_modules/x/package.json``, ``_vendor/x-1.0.dist-info/METADATA``) its name and version count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.archive import manifests
from monitor.model import NESTED, Dependency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_MAX_BYTES = 32 << 20
_MAX_TEXT = 256
_MAX_LINE = 2000
_MAX_DEPTH = 60
_OF_FOLDERS = frozenset({"Pipfile", "pyproject.toml"})
_OUTERMOST = 1  # containers around the artifact's own files

_NPM_GROUPS = (
    ("dependencies", "", False),
    ("optionalDependencies", "optional dependency", True),
    ("peerDependencies", "peer dependency", True),
)
_BUNDLED_NPM = re.compile(r"(?:^|/)node_modules/((?:@[^/]+/)?[^/@][^/]*)/package\.json$")
_REQUIREMENTS = re.compile(r"(?:^|/)(?:requirements[\w.-]*|requirements/[\w.-]+)\.(?:txt|in)$")
_FOR_DEVELOPERS = re.compile(r"(?:^|[-_./])(?:dev|tests?|docs?|lint|typing|ci|build)(?:[-_.]|$)")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]*)['\"]")
_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*((?:[<>=!~@(].*)?)", re.DOTALL
)
_PLACE = re.compile(r"://|^[./~]|[/\\]|\.(?:whl|zip|tar\.gz)$")


class UnreadableError(ValueError):
    """A file that names dependencies cannot be read; ``reason`` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read(path: str, data: bytes | memoryview) -> list[Dependency]:
    """What the file at ``path`` names; nothing for a file of another kind.

    Raises UnreadableError for a file of the right kind that is too large or no such thing.
    """
    reader = _reader(path)
    if reader is None:
        return []
    if len(data) > _MAX_BYTES:
        raise UnreadableError("over-dependencies")
    try:
        return [_checked(each) for each in reader(path, bytes(data))]
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnreadableError("malformed-dependency") from error


def _reader(path: str) -> Callable[[str, bytes], Iterator[Dependency]] | None:
    name = path.rpartition("/")[2]
    inner = path.rpartition(NESTED)[2]
    is_own = path.count(NESTED) <= _OUTERMOST and inner.count("/") <= 1
    if name == "package.json":
        if _BUNDLED_NPM.search(inner):
            return _bundled_npm
        return _package_json if is_own else None
    if name in {"METADATA", "PKG-INFO"}:
        return _metadata_reader(path, inner)
    return _listed(path, inner, is_own=is_own)


def _listed(
    path: str, inner: str, *, is_own: bool
) -> Callable[[str, bytes], Iterator[Dependency]] | None:
    """Lock files, requirements files, and the project of a folder."""
    name = inner.rpartition("/")[2]
    if is_own and name in _LOCKS:
        return _LOCKS[name]
    if path in _OF_FOLDERS:
        return _project
    is_near = path.count(NESTED) <= _OUTERMOST and inner.count("/") <= 2  # noqa: PLR2004 - requirements/x.txt
    is_read = _REQUIREMENTS.search(inner) and not _FOR_DEVELOPERS.search(name)
    return _requirements if is_near and is_read else None


def _metadata_reader(path: str, inner: str) -> Callable[[str, bytes], Iterator[Dependency]] | None:
    folder = inner.rpartition("/")[0]
    is_root = "/" not in folder and not folder.endswith(".egg-info")
    if path.count(NESTED) <= _OUTERMOST and is_root:
        has_place = folder.endswith(".dist-info") or path.endswith("PKG-INFO")
        return _core_metadata if has_place else None
    return _bundled_python if folder.endswith(".dist-info") else None


def _checked(found: Dependency) -> Dependency:
    """The texts of a stranger, no longer than a name or a range can be meant to be."""
    if len(found.name) <= _MAX_TEXT and len(found.wanted) <= _MAX_TEXT:
        return found
    name, wanted = found.name[:_MAX_TEXT], "overlong:" + found.wanted[: _MAX_TEXT // 4]
    return msgspec.structs.replace(found, name=name, wanted=wanted)


# npm


def _json_object(data: bytes) -> dict[str, Any]:
    return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=dict[str, Any])


def _table(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _package_json(path: str, data: bytes) -> Iterator[Dependency]:
    """What npm installs along; ``devDependencies`` never reach whoever installs the package."""
    found = _json_object(data)
    optional = set(_table(found.get("optionalDependencies")))
    optional_peers = {
        name
        for name, about in _table(found.get("peerDependenciesMeta")).items()
        if isinstance(about, dict) and about.get("optional") is True
    }
    for group, condition, is_optional in _NPM_GROUPS:
        for name, wanted in _table(found.get(group)).items():
            if group == "dependencies" and name in optional:
                continue  # npm: the entry among the optional ones overrides
            is_peer = group == "peerDependencies"
            yield Dependency(
                path=path,
                ecosystem="npm",
                name=name,
                wanted=wanted if isinstance(wanted, str) else "malformed:",
                how="declared",
                condition=condition,
                is_optional=name in optional_peers if is_peer else is_optional,
            )


def _bundled_npm(path: str, data: bytes) -> Iterator[Dependency]:
    found = _json_object(data)
    folder = _BUNDLED_NPM.search(path)
    assert folder is not None
    name, version = found.get("name"), found.get("version")
    if not isinstance(version, str) or not version:
        return  # a folder that node resolves inside of, no package of its own
    yield Dependency(
        path=path,
        ecosystem="npm",
        name=name if isinstance(name, str) and name else folder[1],
        wanted=version,
        how="bundled",
    )


class _Locked(msgspec.Struct):
    """One entry of npm's lock file, of any version of the format."""

    name: str = ""
    version: str = ""
    dev: bool = False
    optional: bool = False
    link: bool = False
    dependencies: dict[str, msgspec.Raw] = msgspec.field(default_factory=dict)


class _NpmLock(msgspec.Struct):
    """``packages`` from version 2 on, ``dependencies`` (a tree) in version 1."""

    packages: dict[str, _Locked] = msgspec.field(default_factory=dict)
    dependencies: dict[str, _Locked] = msgspec.field(default_factory=dict)


def _package_lock(path: str, data: bytes) -> Iterator[Dependency]:
    how = "shrinkwrap" if path.endswith("npm-shrinkwrap.json") else "locked"
    lock = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_NpmLock)
    entries: Iterable[tuple[str, _Locked]]
    if lock.packages:
        entries = (
            (entry.name or place.rpartition("node_modules/")[2], entry)
            for place, entry in lock.packages.items()
            if "node_modules/" in place and not entry.link
        )
    else:
        entries = _tree(lock.dependencies, 0)
    for name, entry in entries:
        if entry.version and not entry.dev:
            yield Dependency(
                path=path,
                ecosystem="npm",
                name=name,
                wanted=entry.version,
                how=how,
                is_optional=entry.optional,
            )


def _tree(level: Mapping[str, _Locked], depth: int) -> Iterator[tuple[str, _Locked]]:
    for name, entry in level.items():
        yield name, entry
        if entry.dependencies and depth < _MAX_DEPTH:
            below = {
                each: msgspec.json.decode(raw, type=_Locked)
                for each, raw in entry.dependencies.items()
            }
            yield from _tree(below, depth + 1)


# Python


def _core_metadata(path: str, data: bytes) -> Iterator[Dependency]:
    for line in manifests.headers(data).get("requires-dist", []):
        yield _requirement(path, line, "declared")


def _project(path: str, data: bytes) -> Iterator[Dependency]:
    """What a folder's own project asks for; of a release its metadata says it."""
    from monitor.archive import pyproject

    for line, extra in pyproject.requirements(data):
        found = _requirement(path, line, "declared")
        if extra:
            found = msgspec.structs.replace(found, condition=f"extra {extra}", is_optional=True)
        yield found
    yield from pyproject.others(path, data)


def _bundled_python(path: str, data: bytes) -> Iterator[Dependency]:
    headers = manifests.headers(data)
    for name, version in zip(headers.get("name", []), headers.get("version", []), strict=False):
        yield Dependency(path=path, ecosystem="pypi", name=name, wanted=version, how="bundled")
        return


def _requirements(path: str, data: bytes) -> Iterator[Dependency]:
    """A requirements file of pip: options, hashes and comments apart, one requirement a line."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    for written in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = re.sub(r"(?:^|\s)#.*", "", written).strip()
        line = re.split(r"\s--?[a-z]", line, maxsplit=1)[0]
        if line and not line.startswith("-"):
            yield _requirement(path, line, "pinned")


def _requirement(path: str, line: str, how: str) -> Dependency:
    """PEP 508: ``name[extras] (specifier) ; marker``, or ``name @ url``; pip also takes a place."""
    # One space for many, and no endless line: the expression below backs over its white space.
    line = " ".join(line[:_MAX_LINE].split())
    before, _, marker = line.partition(";")
    found = _REQUIREMENT.fullmatch(before)
    if found is None:
        wanted = "url:" if _PLACE.search(line) else "malformed:"
        return Dependency(path=path, ecosystem="pypi", name=line, wanted=wanted, how=how)
    wanted = found[2].strip()
    if wanted.startswith("(") and wanted.endswith(")"):
        wanted = wanted[1:-1]
    extra = _EXTRA.search(marker)
    condition = f"extra {extra[1]}" if extra else " ".join(marker.split())
    return Dependency(
        path=path,
        ecosystem="pypi",
        name=found[1],
        wanted=f"url:{wanted[1:].strip()}" if wanted.startswith("@") else wanted.strip(),
        how=how,
        condition=condition[:_MAX_TEXT],
        is_optional=extra is not None,
    )


def _toml_lock(path: str, data: bytes) -> Iterator[Dependency]:
    from monitor.archive import pyproject

    return pyproject.locked(path, data)


def _pipfile_lock(path: str, data: bytes) -> Iterator[Dependency]:
    for name, entry in _table(_json_object(data).get("default")).items():
        version = _table(entry).get("version")
        if isinstance(version, str):
            wanted = version.removeprefix("==")
            yield Dependency(path=path, ecosystem="pypi", name=name, wanted=wanted, how="locked")


_LOCKS: dict[str, Callable[[str, bytes], Iterator[Dependency]]] = {
    "Pipfile.lock": _pipfile_lock,
    "npm-shrinkwrap.json": _package_lock,
    "package-lock.json": _package_lock,
    "pdm.lock": _toml_lock,
    "poetry.lock": _toml_lock,
    "pylock.toml": _toml_lock,
    "uv.lock": _toml_lock,
}
