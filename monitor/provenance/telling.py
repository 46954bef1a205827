"""Provenance in words: the finding that it is worth, and its state for the next version's sake."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from monitor.model import Confidence, Finding, Severity
from monitor.model.provenance import ABSENT, INVALID, UNVERIFIABLE, VERIFIED

if TYPE_CHECKING:
    from monitor.model import Artifact
    from monitor.model.provenance import Provenance

DECLARED = "declared"
_UNSURE = frozenset({"malformed", "not-verified", "builders-differ", "statement", "predicate"})
"""What a form that is newer than the library would also give."""

_UNKNOWN = frozenset({"unknown-authority", "unknown-log"})
_UNREAD = frozenset({"not-installed", "not-found", "trusted-root", "old-form", "new-form"})
"""Announced, and nobody could read it."""

_ADVICE = (
    "Ask whoever publishes this package whether their build made these bytes; until then treat the "
    "publishing account or token as taken over."
)


def findings(provenance: Provenance | None, artifact: Artifact) -> list[Finding]:
    """What is to be told: an attestation that is wrong, or signed by somebody unknown.

    One that proves another name or other bytes is HIGH: what is published is not what was built.
    """
    if provenance is None:
        return []
    reason = provenance.reason
    if provenance.state == INVALID:
        severity = Severity.MEDIUM if reason in _UNSURE else Severity.HIGH
        message = f"Its provenance is announced and does not hold: {provenance.detail}."
        return [_finding("provenance-invalid", severity, message, reason, artifact)]
    if provenance.state == UNVERIFIABLE and reason in _UNKNOWN:
        message = f"Its provenance proves nothing: {provenance.detail}."
        return [_finding("provenance-unknown-signer", Severity.LOW, message, reason, artifact)]
    return []


def state(provenance: Provenance | None) -> str:
    """How a profile remembers it: ``verified``, ``declared``, ``invalid``, ``absent`` or nothing.

    A registry that did not answer tells nothing, so that an outage is no drift.
    """
    if provenance is None:
        return ""
    if provenance.state in {VERIFIED, INVALID, ABSENT}:
        return provenance.state
    is_announced = provenance.reason in _UNKNOWN | _UNREAD
    return DECLARED if is_announced else ""


def _finding(
    rule: str, severity: Severity, message: str, reason: str, artifact: Artifact
) -> Finding:
    return Finding(
        rule=rule,
        detector="packaging",
        kind="provenance",
        severity=severity,
        confidence=Confidence.HIGH if severity is Severity.HIGH else Confidence.MEDIUM,
        message=message.replace("..", "."),
        path=artifact.filename,
        fingerprint=hashlib.sha256(f"{rule}\0{reason}".encode()).hexdigest()[:32],
        evidence={"reason": reason},
        advice=_ADVICE,
    )
