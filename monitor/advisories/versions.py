"""Which version of a dependency to ask about, and whether its range admits a version that is free.

A database answers for exact versions. For a range, its lowest version is asked about: if every
version that the range admits is affected, the lowest one is. Whether the range also admits a free
one is then told by the versions in which the advisory says that it is fixed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from monitor.advisories.records import Question
from monitor.registries import semver

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.specifiers import SpecifierSet

    from monitor.model import Dependency

EXACT = frozenset({"bundled", "locked", "self", "shrinkwrap"})
"""The ways to depend on a package that name one version."""

_NPM_NAME = re.compile(r"(?:@[\w.~!*'()-]+/)?[\w.~!*'()-]+", re.ASCII)
_NPM_TAG = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
_ELSEWHERE = re.compile(r"[:/]|^\.")
_MAX_NAME = 214  # npm's; PyPI sets none
_LOWER = frozenset({">=", "~=", "=="})


class NotAuditableError(ValueError):
    """No database can know this dependency; ``reason`` is the code that is told."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Wanted(Struct, frozen=True):
    """What to ask about for one dependency.

    ``lowest`` has one question for each alternative of its range, ``is_named`` tells for each
    whether the range itself names that version; where it does not, zero stands for the lowest.
    ``text`` is the range as it is to be read, empty where the version is exact.
    """

    lowest: tuple[Question, ...]
    is_named: tuple[bool, ...]
    text: str = ""

    @property
    def ecosystem(self) -> str:
        """The registry's kind."""
        return self.lowest[0].ecosystem

    @property
    def name(self) -> str:
        """The package's name, as its registry writes it."""
        return self.lowest[0].name

    def admits(self, versions: Iterable[str]) -> bool:
        """Whether the range takes any of these versions."""
        if not self.text:
            return False
        if self.ecosystem == "npm":
            return semver.max_satisfying(versions, self.text) is not None
        return _python_admits(self.text, versions)


def wanted(dependency: Dependency) -> Wanted:
    """The questions that a dependency raises. Raises NotAuditableError if there are none."""
    if dependency.wanted.startswith(("malformed:", "overlong:")):
        raise NotAuditableError("malformed-dependency")
    if dependency.ecosystem == "npm":
        return _npm(dependency)
    return _python(dependency)


def after(ecosystem: str, version: str) -> str:
    """The least version that comes after one which is the last affected."""
    if ecosystem != "npm":
        return f"{version}.post1"
    found = semver.parse(version)
    return version if found is None else f"{found.major}.{found.minor}.{found.patch + 1}"


def sort_key(ecosystem: str, version: str) -> tuple[int, Any]:
    """Puts versions in their order; what is none comes last."""
    if ecosystem == "npm":
        found = semver.parse(version)
        return (1, version) if found is None else (0, found)
    from packaging.version import InvalidVersion, Version

    try:
        return (0, Version(version))
    except InvalidVersion:
        return (1, version)


# npm


def _npm(dependency: Dependency) -> Wanted:
    name, text = dependency.name, dependency.wanted.strip()
    if text.startswith("npm:"):  # an alias: "npm:real-name@^1.0"
        name, _, text = text[4:].rpartition("@") if "@" in text[5:] else (text[4:], "", "")
    if len(name) > _MAX_NAME or not _NPM_NAME.fullmatch(name):
        raise NotAuditableError("malformed-dependency")
    if _ELSEWHERE.search(text):
        raise NotAuditableError("not-from-registry")
    if dependency.how in EXACT:
        version = semver.parse(text)
        if version is None:
            raise NotAuditableError("malformed-dependency")
        return Wanted((Question("npm", name, _npm_text(version)),), (True,))
    if _NPM_TAG.fullmatch(text) and not re.fullmatch(r"[xXv]|v?\d.*", text):
        text = ""  # a tag such as "latest" may point to any version
    try:
        bounds = [_npm_lowest(alternative) for alternative in semver.ranges(text)]
        is_exact = [{operator for operator, _ in each} for each in semver.ranges(text)] == [{"="}]
    except ValueError as error:
        raise NotAuditableError("malformed-dependency") from error
    questions = tuple(Question("npm", name, version) for version, _ in bounds)
    is_named = tuple(named for _, named in bounds)
    return Wanted(questions, is_named, "" if is_exact else text or "*")


def _npm_lowest(comparators: list[semver.Comparator]) -> tuple[str, bool]:
    named = [version for operator, version in comparators if operator in {">=", "="}]
    return (_npm_text(max(named)), True) if named else ("0.0.0", False)


def _npm_text(version: semver.Version) -> str:
    release = f"{version.major}.{version.minor}.{version.patch}"
    parts = [word if kind else str(number) for kind, number, word in version.rank[1]]
    return f"{release}-{'.'.join(parts)}" if parts else release


# Python


def _python(dependency: Dependency) -> Wanted:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.utils import InvalidName, canonicalize_name
    from packaging.version import InvalidVersion, Version

    text = dependency.wanted.strip()
    if len(dependency.name) > _MAX_NAME:
        raise NotAuditableError("malformed-dependency")
    if text.startswith("url:"):
        raise NotAuditableError("not-from-registry")
    try:
        name = canonicalize_name(dependency.name.strip(), validate=True)
        if dependency.how in EXACT:
            return Wanted((Question("pypi", name, _public(Version(text))),), (True,))
        specifiers = SpecifierSet(text)
        version, is_named, is_exact = _python_lowest(specifiers)
    except (InvalidName, InvalidSpecifier, InvalidVersion) as error:
        raise NotAuditableError("malformed-dependency") from error
    return Wanted(
        (Question("pypi", name, version),), (is_named,), "" if is_exact else text or ">=0"
    )


def _python_lowest(specifiers: SpecifierSet) -> tuple[str, bool, bool]:
    """The lowest version, whether a specifier names it, and whether it is the only one."""
    from packaging.version import Version

    exact = [each for each in specifiers if each.operator in {"==", "==="}]
    for each in exact:
        if not each.version.endswith(".*"):
            return _public(Version(each.version)), True, True
    named = [
        Version(each.version.removesuffix(".*")) for each in specifiers if each.operator in _LOWER
    ]
    lowest = max(named, default=None)
    if lowest is None or not specifiers.contains(lowest, prereleases=True):
        return "0", False, False
    return _public(lowest), True, False


def _public(version: object) -> str:
    """Without a local part, which only who built it knows (PEP 440)."""
    return str(version).partition("+")[0]


def _python_admits(text: str, versions: Iterable[str]) -> bool:
    """Exclusions (``!=``) do not count: where one fixed version is left out, later ones are not."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version

    kept = [str(each) for each in SpecifierSet(text) if each.operator != "!="]
    specifiers = SpecifierSet(",".join(kept))
    for each in versions:
        try:
            if specifiers.contains(Version(each), prereleases=True):
                return True
        except InvalidVersion:
            continue
    return False
