"""What belongs together: the findings of one report, by the mistake that they tell of."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.incidents.kinds import IMPOSTORS
from monitor.model import Confidence, Finding, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.model import TargetReport

NOT_INSPECTED = "not-inspected"
VANISHED = "vanished"
MORE_SECRETS = "secrets:more"
MAX_SECRETS = 10
"""Secrets of one artifact that get an incident each; all further ones share one."""

_WHOLE_DETECTOR = frozenset({"markers", "private-code", "advisories"})


class Cause(Struct, frozen=True):
    """One cause and the findings which show it, worst first."""

    name: str
    findings: list[Finding]

    @property
    def severity(self) -> Severity:
        """That of its worst finding."""
        return max(each.severity for each in self.findings)


def causes(report: TargetReport, min_severity: Severity = Severity.MEDIUM) -> list[Cause]:
    """The causes of a report, in the order of their worst findings.

    Findings below ``min_severity`` concern nobody. One secret is one cause wherever it stands; a
    file whose secrets are known is told with them, not beside them. All maps of a package are one
    mistake of its build. What could not be opened at all is a cause too: never a silent pass.
    """
    if report.status is Status.FAILED:
        gone = next((each for each in report.findings if each.kind == VANISHED), None)
        unseen = gone or _unseen(report)
        return [Cause(unseen.kind, [unseen])] if unseen.severity >= min_severity else []
    told = [each for each in report.findings if each.severity >= min_severity]
    secrets = _apart(each for each in told if _is_secret(each))
    covered = {each.path for each in told if _is_secret(each)}
    groups: dict[str, list[Finding]] = {}
    for finding in told:
        if finding.detector == "carriers" and finding.path in covered:
            continue
        name = _name(finding)
        groups.setdefault(secrets.get(name, name), []).append(finding)
    found = [Cause(name, sorted(group, key=_order)) for name, group in groups.items()]
    return sorted(found, key=lambda cause: (_order(cause.findings[0]), cause.name))


def _unseen(report: TargetReport) -> Finding:
    """What stands for a report on something that could not be inspected."""
    reasons = dict.fromkeys(each.reason for each in report.skipped)
    return Finding(
        rule=NOT_INSPECTED,
        detector="packaging",
        kind=NOT_INSPECTED,
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        message=f"It could not be inspected ({', '.join(reasons) or 'no reason is known'}).",
        path="",
        fingerprint="",
    )


def _name(finding: Finding) -> str:
    if finding.kind == NOT_INSPECTED or finding.kind in IMPOSTORS:
        return str(finding.evidence.get("cause") or finding.kind)
    if _is_secret(finding):
        assert finding.secret is not None
        return f"secret:{finding.secret.fingerprint}"
    if finding.detector == "private-code":
        # Whose repository went out is what it is about, whatever file it went out in.
        repository = str(finding.evidence.get("repository") or "")
        digest = hashlib.sha256(repository.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        return f"private-code:{digest}" if repository else finding.detector
    if finding.detector in _WHOLE_DETECTOR:
        return finding.detector
    if finding.detector == "source-maps":
        return "source-maps" if finding.kind == "source" else f"source-maps:{finding.kind}"
    return f"{finding.detector}:{finding.rule}"


def _is_secret(finding: Finding) -> bool:
    return finding.secret is not None and finding.detector not in _WHOLE_DETECTOR


def _apart(findings: Iterable[Finding]) -> dict[str, str]:
    """Each secret's cause, folded into one beyond the worst ``MAX_SECRETS``."""
    worst: dict[str, tuple[int, str]] = {}
    for finding in findings:
        name = _name(finding)
        rank = (-finding.severity.rank, name)
        worst[name] = min(rank, worst.get(name, rank))
    ranked = sorted(worst, key=lambda name: worst[name])
    return {name: name if n < MAX_SECRETS else MORE_SECRETS for n, name in enumerate(ranked)}


def _order(finding: Finding) -> tuple[int, int, str, int, str]:
    return (
        -finding.severity.rank,
        -finding.confidence.rank,
        finding.path,
        finding.byte_offset,
        finding.rule,
    )
