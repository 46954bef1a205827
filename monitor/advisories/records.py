"""What passes between the parts: questions, answers, and an advisory in the OSV schema (1.x)."""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec import Struct, field

from monitor.advisories.severity import rated
from monitor.model import Dependency, Finding, Severity, Skipped


class Question(NamedTuple):
    """One version of one package, as an advisory database knows it."""

    ecosystem: str
    name: str
    version: str


class Hit(Struct, frozen=True):
    """That an advisory applies. ``modified`` is the advisory's, empty where it is not known.

    ``fixed`` is what pip-audit says; the advisory itself says more.
    """

    id: str
    aliases: list[str] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    modified: str = ""


class Package(Struct, frozen=True):
    """One artifact: the packages that it is, asks for, pins or carries."""

    dependencies: list[Dependency]


class Told(Struct):
    """What is told of one artifact: its advisories, and what could not be held against any."""

    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


class _Score(Struct):
    type: str = ""
    score: str = ""


class Event(Struct):
    """A version at which being affected begins or ends."""

    introduced: str = ""
    fixed: str = ""
    last_affected: str = ""
    limit: str = ""


class Range(Struct):
    """``type`` is ``SEMVER``, ``ECOSYSTEM`` or ``GIT``; the last one names commits."""

    type: str = ""
    events: list[Event] = field(default_factory=list)


class _Named(Struct):
    name: str = ""
    ecosystem: str = ""


class Affected(Struct):
    """One package that the advisory names."""

    package: _Named = field(default_factory=_Named)
    ranges: list[Range] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    severity: list[_Score] = field(default_factory=list)


class _Reference(Struct):
    url: str = ""


class Advisory(Struct):
    """The fields of the OSV schema that are told of."""

    id: str
    modified: str = ""
    withdrawn: str | None = None
    summary: str = ""
    aliases: list[str] = field(default_factory=list)
    severity: list[_Score] = field(default_factory=list)
    affected: list[Affected] = field(default_factory=list)
    references: list[_Reference] = field(default_factory=list)
    database_specific: dict[str, Any] = field(default_factory=dict)

    def rating(self) -> Severity | None:
        """How bad it says it is; a package that is malware could not be worse."""
        if self.id.startswith("MAL-"):
            return Severity.CRITICAL
        scores = [*self.severity, *(each for one in self.affected for each in one.severity)]
        return rated((each.score for each in scores), self.database_specific.get("severity"))
