"""Reads what a package says of itself, from bytes that may say anything.

Only a package's own manifest counts, not those of its dependencies: ``package.json`` at most one
folder below the root of its container, ``METADATA`` and ``RECORD`` of a wheel's ``.dist-info``,
``PKG-INFO`` at the top of an sdist.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.model import NESTED, Manifest

if TYPE_CHECKING:
    from monitor.archive.entries import Member, Trail

_BY_NAME = {"package.json": "npm", "METADATA": "pypi", "PKG-INFO": "pypi", "RECORD": "record"}
NAMES = frozenset(_BY_NAME)
"""The file names that are worth a call of ``read``."""

_MAX_BYTES = 4 << 20
_MAX_TEXT = 500
_MAX_RECORD = 100_000
_KEPT = (
    "bin",
    "bundledDependencies",
    "dependencies",
    "exports",
    "files",
    "homepage",
    "main",
    "publisher",
    "scripts",
    "workspaces",
)


def read(path: str, data: bytes | memoryview) -> Manifest | None:
    """The manifest at ``path``, or None where no package's own manifest stands.

    A manifest that cannot be read comes back empty, with the reason code in ``raw["problem"]``.
    """
    inner = path.rpartition(NESTED)[2]
    folder, _, name = inner.rpartition("/")
    reader = _reader(folder, name)
    if reader is None:
        return None
    if len(data) > _MAX_BYTES:
        return Manifest(path=path, ecosystem=reader, raw={"problem": "over-bytes"})
    return _READERS[reader](path, bytes(data))


def note(member: Member, noted: list[Manifest], trail: Trail) -> None:
    """Adds the manifest that a member is, if it is one; what was wrong with it is a gap."""
    manifest = read(member.path, member.data)
    if manifest is not None:
        noted.append(manifest)
        if "problem" in manifest.raw:
            trail.skip(member.path, manifest.raw["problem"])


def _reader(folder: str, name: str) -> str | None:
    """Which of ``_READERS`` reads the file, or None."""
    if "/" in folder:
        return None
    if name in {"METADATA", "RECORD"}:
        return _BY_NAME[name] if folder.endswith(".dist-info") else None
    if name == "PKG-INFO" and folder.endswith(".egg-info"):
        return None
    return _BY_NAME.get(name)


def _text(value: Any) -> str:
    return value.strip()[:_MAX_TEXT] if isinstance(value, str) else ""


def _package_json(path: str, data: bytes) -> Manifest:
    try:
        found = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return Manifest(path=path, ecosystem="npm", raw={"problem": "unparsable"})
    publish = found.get("publishConfig")
    return Manifest(
        path=path,
        ecosystem="npm",
        name=_text(found.get("name")),
        version=_text(found.get("version")),
        licence=_npm_licence(found),
        repository=_npm_repository(found.get("repository")),
        is_private=found.get("private") is True,
        publish_registry=_text(publish.get("registry")) if isinstance(publish, dict) else "",
        raw={key: found[key] for key in _KEPT if key in found},
    )


def _npm_licence(found: dict[str, Any]) -> str:
    """``license`` as a string, or the object and list forms of old packages, joined by OR."""
    value = found.get("license", found.get("licence", found.get("licenses")))
    entries = value if isinstance(value, list) else [value]
    names = [_text(each.get("type")) if isinstance(each, dict) else _text(each) for each in entries]
    return " OR ".join(name for name in names if name)[:_MAX_TEXT]


def _npm_repository(value: Any) -> str:
    return _text(value.get("url")) if isinstance(value, dict) else _text(value)


def _core_metadata(path: str, data: bytes) -> Manifest:
    """Core metadata: e-mail headers up to the first blank line (PyPA "Core metadata")."""
    found = headers(data)

    def first(name: str) -> str:
        return _text(found.get(name, [""])[0])

    if not first("name"):
        return Manifest(path=path, ecosystem="pypi", raw={"problem": "unparsable"})
    classifiers = [_text(each) for each in found.get("classifier", [])]
    return Manifest(
        path=path,
        ecosystem="pypi",
        name=first("name"),
        version=first("version"),
        licence=first("license-expression") or first("license") or _classified(classifiers),
        repository=_pypi_repository(found),
        is_private=any(each.startswith("Private ::") for each in classifiers),
        classifiers=classifiers,
        raw={"author_email": first("author-email"), "home_page": first("home-page")},
    )


def headers(data: bytes) -> dict[str, list[str]]:
    """Core metadata as a mapping of lower-case header names to their values, in order."""
    head = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0].decode("utf-8", "replace")
    named: dict[str, list[str]] = {}
    values: list[str] = [""]
    for line in head.splitlines():
        if line[:1] in {" ", "\t"}:
            values[-1] += "\n" + line.strip()
            continue
        name, colon, value = line.partition(":")
        if colon:
            values = named.setdefault(name.strip().lower(), [])
            values.append(value.strip())
    return named


def _classified(classifiers: list[str]) -> str:
    """The licence that the classifiers name, in their words (``MIT License``)."""
    named = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License ::")]
    return " OR ".join(named)[:_MAX_TEXT]


def _pypi_repository(found: dict[str, list[str]]) -> str:
    for entry in found.get("project-url", []):
        label, _, address = entry.partition(",")
        if re.search("source|repository|code|github|gitlab", label, re.IGNORECASE):
            return _text(address)
    home = _text(found.get("home-page", [""])[0])
    return home if re.search(r"github|gitlab|bitbucket|codeberg", home) else ""


def _record(path: str, data: bytes) -> Manifest:
    """A wheel's RECORD: ``raw["record"]`` maps each named file to its size, -1 where not said."""
    named: dict[str, int] = {}
    for line in data.decode("utf-8", "replace").splitlines()[:_MAX_RECORD]:
        rest, _, size = line.rpartition(",")
        name = rest.rpartition(",")[0].strip('"').replace('""', '"')
        if name:
            named[name] = int(size) if size.isascii() and size.isdigit() else -1
    return Manifest(path=path, ecosystem="pypi", raw={"record": named})


_READERS = {"npm": _package_json, "pypi": _core_metadata, "record": _record}
