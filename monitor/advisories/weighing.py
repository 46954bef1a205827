"""What the advisories on one dependency come to: which apply, how far, and how bad that is."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.advisories import versions
from monitor.advisories.records import Advisory
from monitor.advisories.versions import Wanted
from monitor.model import Dependency, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from monitor.advisories.records import Affected, Hit, Question

_PREFERRED = ("GHSA-", "CVE-", "MAL-", "PYSEC-")
_UNRATED = Severity.MEDIUM
_NOT_FOR_EVERYBODY = frozenset({"locked", "pinned"})
"""Ways that hold where the project itself is deployed, not for whoever installs the package."""


class Reach(enum.Enum):
    """How much of what a dependency admits is affected."""

    EXACT = "this version"
    WHOLE = "every version"
    LOWEST = "the lowest version"


class Weighed(Struct, frozen=True):
    """One advisory on one dependency. ``records`` are its texts under all its names."""

    id: str
    names: tuple[str, ...]
    fixed: tuple[str, ...]
    records: tuple[Advisory, ...]
    dependency: Dependency
    wanted: Wanted
    reach: Reach
    severity: Severity


def preferred(names: Iterable[str]) -> str:
    """The name that the most people know, so that it stays when another database adds its own."""

    def rank(name: str) -> tuple[int, str]:
        known = [number for number, each in enumerate(_PREFERRED) if name.startswith(each)]
        return (known[0] if known else len(_PREFERRED), name)

    return min(names, key=rank)


def weighed(
    dependency: Dependency,
    wanted: Wanted,
    answers: Mapping[Question, Sequence[Hit]],
    records: Mapping[str, Sequence[Advisory]],
) -> Iterator[Weighed]:
    """Every advisory that is to be told of a dependency.

    ``answers`` holds all questions of ``wanted``, ``records`` what was read for the id of each hit.
    """
    for hits in _same(hit for question in wanted.lowest for hit in answers[question]):
        ids = {hit.id for hit in hits}
        read = {record.id: record for each in sorted(ids) for record in records.get(each, ())}
        if read and all(record.withdrawn for record in read.values()):
            continue
        names = ids.union(*(hit.aliases for hit in hits), *(r.aliases for r in read.values()))
        affected = [each for record in read.values() for each in _of(record, wanted)]
        fixed = _ordered(wanted, [*_fixed(affected), *(v for hit in hits for v in hit.fixed)])
        is_hit = [any(hit.id in ids for hit in answers[question]) for question in wanted.lowest]
        reach = _reach(wanted, is_hit, [*fixed, *_afterwards(wanted, affected)], affected)
        if reach is not None:
            yield Weighed(
                id=preferred(names),
                names=tuple(sorted(names)),
                fixed=tuple(fixed),
                records=tuple(read.values()),
                dependency=dependency,
                wanted=wanted,
                reach=reach,
                severity=_severity(dependency, reach, read.values()),
            )


def ranges(record: Advisory, wanted: Wanted) -> list[str]:
    """The affected ranges of the wanted package, as ``>=1.0 <1.2.3``."""
    written = []
    for affected in _of(record, wanted):
        for each in affected.ranges:
            words = [
                mark + version
                for event in each.events
                for mark, version in (
                    (">=", event.introduced),
                    ("<", event.fixed),
                    ("<=", event.last_affected),
                )
                if version
            ]
            if words and each.type != "GIT":
                written.append(" ".join(words))
    return written


def _same(hits: Iterable[Hit]) -> list[list[Hit]]:
    """Hits that are one advisory under several names, together."""
    groups: list[tuple[set[str], list[Hit]]] = []
    for hit in hits:
        names = {hit.id, *hit.aliases}
        near = [group for group in groups if group[0] & names]
        for group in near:
            groups.remove(group)
        merged = [each for group in near for each in group[1]]
        groups.append((names.union(*(group[0] for group in near)), [*merged, hit]))
    return [found for _, found in groups]


def _of(record: Advisory, wanted: Wanted) -> Iterator[Affected]:
    ecosystem = {"npm": "npm", "pypi": "PyPI"}[wanted.ecosystem]
    for affected in record.affected:
        package = affected.package
        name = package.name
        if wanted.ecosystem == "pypi":
            from packaging.utils import canonicalize_name

            name = canonicalize_name(name)
        if package.ecosystem == ecosystem and name == wanted.name:
            yield affected


def _fixed(affected: Iterable[Affected]) -> list[str]:
    return [
        event.fixed
        for each in affected
        for one in each.ranges
        for event in one.events
        if event.fixed and one.type != "GIT"
    ]


def _afterwards(wanted: Wanted, affected: Iterable[Affected]) -> list[str]:
    return [
        versions.after(wanted.ecosystem, event.last_affected)
        for each in affected
        for one in each.ranges
        for event in one.events
        if event.last_affected and one.type != "GIT"
    ]


def _ordered(wanted: Wanted, found: Sequence[str]) -> list[str]:
    return sorted(set(found), key=lambda version: versions.sort_key(wanted.ecosystem, version))


def _reach(
    wanted: Wanted, is_hit: Sequence[bool], free: Sequence[str], affected: Sequence[Affected]
) -> Reach | None:
    if not wanted.text:
        return Reach.EXACT
    # An advisory that lists single versions and no range says nothing of those to come.
    is_listed = any(each.versions for each in affected) and not any(e.ranges for e in affected)
    if all(is_hit) and not is_listed and not wanted.admits(free):
        return Reach.WHOLE
    if any(hit and named for hit, named in zip(is_hit, wanted.is_named, strict=True)):
        return Reach.LOWEST
    return None


def _severity(dependency: Dependency, reach: Reach, records: Iterable[Advisory]) -> Severity:
    """The advisory's own, less where few or only those who ask for it are reached.

    A range that begins at an affected version but admits a fixed one is LOW at most: whoever
    installs the package today gets the fixed one.
    """
    ratings = [rating for record in records if (rating := record.rating()) is not None]
    severity = max(ratings, default=_UNRATED)
    if reach is Reach.LOWEST:
        severity = min(severity, Severity.LOW)
    levels = dependency.is_optional + (dependency.how in _NOT_FOR_EVERYBODY)
    return severity.moved(-levels) if levels else severity
