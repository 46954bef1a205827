"""The finding that a drift is told with."""

from __future__ import annotations

from monitor.detectors.fingerprints import of_finding
from monitor.model import Confidence, Finding, Severity

DETECTOR = "drift"
_ADVICE = "Compare it with the version before: something ships that did not."


def finding(
    rule: str,
    severity: Severity,
    message: str,
    *,
    signal: str,
    kind: str,
    advice: str = _ADVICE,
    **evidence: object,
) -> Finding:
    """One drift of a whole artifact; ``signal`` is its name in the facts on real leaks."""
    return Finding(
        rule=rule,
        detector=DETECTOR,
        kind=kind,
        severity=severity,
        confidence=Confidence.MEDIUM,
        message=message,
        path="",
        fingerprint=of_finding(rule),
        evidence={"signal": signal} | evidence,
        advice=advice,
    )
