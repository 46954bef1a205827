"""What is told of an inspected target, after the judgement."""

from __future__ import annotations

from msgspec import Struct, field

from monitor.model.findings import Finding, Skipped
from monitor.model.provenance import Provenance
from monitor.model.scales import PostureValue, Severity, Status


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
    """Everything that is told of one inspected target.

    ``provenance`` is what became of the attestations that its registry announces, None for none.
    """

    target: str
    status: Status
    bytes: int = 0
    members: int = 0
    inspected_bytes: int = 0
    purl: str | None = None
    filename: str | None = None
    sha256: str | None = None
    provenance: Provenance | None = None
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
