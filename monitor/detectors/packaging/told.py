"""The one shape of a packaging finding."""

from __future__ import annotations

from typing import Any

from monitor.detectors import fingerprints
from monitor.model import Confidence, Finding, Severity


def finding(
    rule: str,
    kind: str,
    severity: Severity,
    message: str,
    path: str,
    *,
    subject: str,
    evidence: dict[str, Any],
    advice: str,
) -> Finding:
    """A packaging finding; ``subject`` is what stays the same in the next version."""
    return Finding(
        rule=rule,
        detector="packaging",
        kind=kind,
        severity=severity,
        confidence=Confidence.HIGH,
        message=message,
        path=path,
        fingerprint=fingerprints.of_finding(rule, subject),
        evidence=evidence,
        advice=advice,
    )
