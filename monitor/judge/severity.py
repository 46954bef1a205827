"""How posture moves the severities that detectors gave under a proprietary owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from monitor.model import PostureValue, Severity

if TYPE_CHECKING:
    from monitor.model import Finding

_SOURCE = frozenset({"agent-instructions", "ci", "identity", "marker", "source"})
"""What only tells how the software is made: of no concern where that is public anyway."""

_SHIPPED = frozenset({"agent-settings", "bytecode", "dump", "log", "stale"})
"""What should not ship even from an open project, but gives little away there."""

_LEVELS = {PostureValue.UNKNOWN: -1, PostureValue.SOURCE_AVAILABLE: -2}


def moved(finding: Finding, posture: PostureValue) -> Finding:
    """The finding with its severity under this posture; the reason stands in its evidence.

    Secrets keep theirs under every posture. What was not inspected never falls below MEDIUM.
    """
    severity = _severity(finding, posture)
    if severity is finding.severity:
        return finding
    evidence = finding.evidence | {"base_severity": finding.severity.value}
    return msgspec.structs.replace(finding, severity=severity, evidence=evidence)


def _severity(finding: Finding, posture: PostureValue) -> Severity:
    given = finding.severity
    if finding.kind == "public-key":
        return Severity.INFO
    if finding.kind == "not-inspected":
        return max(given, Severity.MEDIUM)
    if finding.kind == "private-key" and finding.evidence.get("fixture"):
        return min(given, Severity.LOW if posture is PostureValue.OPEN else Severity.HIGH)
    if given <= Severity.INFO or finding.kind not in _SOURCE | _SHIPPED:
        return given
    if posture is PostureValue.OPEN:
        return Severity.INFO if finding.kind in _SOURCE else min(given, Severity.LOW)
    return given.moved(_LEVELS.get(posture, 0))
