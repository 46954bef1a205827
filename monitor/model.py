"""The nouns of leakmon, as plain frozen records.

Nothing here knows how a thing is found, fetched, stored or shown. Sizes are bytes, times are aware
UTC datetimes, paths inside an artifact join nested members with ``!/``
(``acme-0.9.0.tgz!/package/cli.js.map!/src/client.ts``).
"""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from msgspec import Struct, field

NESTED = "!/"
"""Joins a member's name to the path of the container that holds it."""


class _Ordered(enum.Enum):
    """An enumeration whose members compare by the order in which they are written."""

    @property
    def rank(self) -> int:
        return _RANKS[self]

    def __lt__(self, other: _Ordered) -> bool:
        return self.rank < other.rank

    def __le__(self, other: _Ordered) -> bool:
        return self.rank <= other.rank

    def __gt__(self, other: _Ordered) -> bool:
        return self.rank > other.rank

    def __ge__(self, other: _Ordered) -> bool:
        return self.rank >= other.rank


class Severity(_Ordered):
    """How bad a finding or a verdict is, least first."""

    NONE = "none"
    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    def moved(self, levels: int) -> Severity:
        """This severity some levels up (or down, if negative), held between INFO and CRITICAL."""
        scale = list(Severity)
        return scale[max(1, min(len(scale) - 1, self.rank + levels))]


class Confidence(_Ordered):
    """How sure a detector is that a finding is what it says, least first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class PostureValue(enum.Enum):
    """What the owner means to show the public of a package."""

    OPEN = "open"
    SOURCE_AVAILABLE = "source-available"
    PROPRIETARY = "proprietary"
    INTERNAL_ONLY = "internal-only"
    UNKNOWN = "unknown"


class Status(enum.Enum):
    """How much of a target was inspected."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


_RANKS: dict[_Ordered, int] = {
    member: rank for kind in (Severity, Confidence) for rank, member in enumerate(kind)
}


class Secret(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may be told of a secret value.

    ``fingerprint`` identifies the value without giving it away; ``checksum`` is ``valid`` or
    ``invalid`` where the token carries one that can be checked offline, else None. ``value`` is
    filled only on the operator's explicit wish (``--show-secrets``).
    """

    redacted: str
    fingerprint: str
    checksum: str | None = None
    value: str | None = None


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One thing in one place that somebody should know of.

    ``line`` and ``column`` count from 1, columns in bytes; ``byte_offset`` from 0 within the member
    at ``path``. ``decoded`` names the decoders between the outer bytes and the match, outermost
    first. ``fingerprint`` is the same for the same thing in another version or on another line.
    Detectors give the severity under a proprietary owner; the judge moves it.
    """

    rule: str
    detector: str
    kind: str
    severity: Severity
    confidence: Confidence
    message: str
    path: str
    fingerprint: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    byte_offset: int = 0
    decoded: list[str] = field(default_factory=list)
    secret: Secret | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    advice: str | None = None


class Skipped(Struct, frozen=True):
    """A member (or a part of one) that was not inspected, and the reason code."""

    path: str
    reason: str


class Hazard(Struct, frozen=True):
    """A property of a container that no honest packer produces (traversal, bomb, duplicate ...)."""

    path: str
    kind: str
    detail: str


class MemberRecord(Struct, frozen=True, array_like=True):
    """One inspected member, for the detectors that look at an artifact as a whole."""

    path: str
    size: int
    container: str = ""
    mtime: int = 0
    owner: str = ""


class SourceMapRecord(Struct, frozen=True, kw_only=True):
    """What one source map says and carries, without its contents.

    ``origin`` tells how it was met: ``file``, ``inline`` (a data URI) or ``embedded``.
    ``sources`` holds ``(name, bytes, lines, is_first_party, has_content)`` per source.
    ``remote`` are the addresses that it or its comment points to; they are never fetched.
    """

    path: str
    origin: str
    sources: list[tuple[str, int, int, bool, bool]]
    source_root: str = ""
    file: str = ""
    remote: list[str] = field(default_factory=list)
    has_ignore_list: bool = False
    problem: str | None = None


class SourceMapReference(Struct, frozen=True, kw_only=True):
    """A ``sourceMappingURL`` that is not a data URI, and where it stands."""

    path: str
    url: str
    line: int = 0
    column: int = 0
    byte_offset: int = 0


class Manifest(Struct, frozen=True, kw_only=True):
    """What a package says of itself, from ``package.json``, ``METADATA`` or ``PKG-INFO``."""

    path: str
    ecosystem: str
    name: str = ""
    version: str = ""
    licence: str = ""
    repository: str = ""
    is_private: bool = False
    publish_registry: str = ""
    classifiers: list[str] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)


class Inspection(Struct, kw_only=True):
    """What opening one artifact gave: the child process's answer, before any judgement.

    ``sha256`` is that of the artifact's file; of the last file where a folder is inspected.
    """

    bytes: int = 0
    sha256: str = ""
    inspected_bytes: int = 0
    members: list[MemberRecord] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    hazards: list[Hazard] = field(default_factory=list)
    manifests: list[Manifest] = field(default_factory=list)
    source_maps: list[SourceMapRecord] = field(default_factory=list)
    map_references: list[SourceMapReference] = field(default_factory=list)
    cpu_seconds: float = 0.0


class Artifact(Struct, frozen=True, kw_only=True):
    """One file of one release, as the registry announces it.

    ``digests`` maps an algorithm (``sha256``, ``sha512``, ``sha1``) to a lower-case hex digest.
    ``url`` is where the bytes are; it is empty for what is already on this machine.
    """

    ecosystem: str
    name: str
    version: str
    filename: str
    purl: str
    url: str = ""
    size: int | None = None
    digests: dict[str, str] = field(default_factory=dict)
    published_at: datetime | None = None


class Release(Struct, frozen=True, kw_only=True):
    """One version of one package with all its files and what its registry says of it."""

    ecosystem: str
    name: str
    version: str
    artifacts: list[Artifact]
    licence: str = ""
    repository: str = ""
    maintainers: list[str] = field(default_factory=list)
    publisher: str = ""
    published_at: datetime | None = None
    versions: list[str] = field(default_factory=list)


class NpmNames(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of npm belongs to an organisation: scopes (``@acme``), name globs, publishers."""

    scopes: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    maintainers: list[str] = field(default_factory=list)


class PypiNames(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of PyPI belongs to an organisation: name globs, PyPI organisations or users."""

    packages: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)


class Organisation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An owner of packages, as the operator describes them (``[[organisations]]``).

    ``posture`` is None where it is to be judged from evidence; ``licence`` is the SPDX expression
    which the operator expects on every package, empty for no expectation. Names and hosts are
    shell-style globs, compared in lower case.
    """

    name: str
    posture: PostureValue | None = None
    licence: str = ""
    npm: NpmNames = field(default_factory=NpmNames)
    pypi: PypiNames = field(default_factory=PypiNames)
    repositories: list[str] = field(default_factory=list)
    domains: list[str] = field(default_factory=list)
    internal_hosts: list[str] = field(default_factory=list)
    internal_names: list[str] = field(default_factory=list)
    code_names: list[str] = field(default_factory=list)


class Posture(Struct, frozen=True):
    """What the owner means to show, and what that was concluded from."""

    value: PostureValue = PostureValue.UNKNOWN
    evidence: list[str] = field(default_factory=list)


class Verdict(Struct, frozen=True):
    """The judgement of one target: its severity, one plain sentence and the reasons."""

    severity: Severity = Severity.NONE
    summary: str = ""
    reasons: list[str] = field(default_factory=list)


class TargetReport(Struct, kw_only=True):
    """Everything that is told of one inspected target."""

    target: str
    status: Status
    bytes: int = 0
    members: int = 0
    inspected_bytes: int = 0
    purl: str | None = None
    filename: str | None = None
    sha256: str | None = None
    skipped: list[Skipped] = field(default_factory=list)
    posture: Posture = field(default_factory=Posture)
    verdict: Verdict = field(default_factory=Verdict)
    findings: list[Finding] = field(default_factory=list)


class ScanReport(Struct, kw_only=True):
    """The result of one ``leakmon scan``: what every report format renders."""

    targets: list[TargetReport]
    rules_digest: str
    version: str
    seconds: float = 0.0
    cpu_seconds: float = 0.0
