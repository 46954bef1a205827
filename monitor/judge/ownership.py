"""Findings that only the comparison with the operator's expectations can make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitor.detectors import fingerprints
from monitor.judge.licences import Family, contradicts, family
from monitor.model import Confidence, Finding, PostureValue, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.judge.evidence import Facts
    from monitor.model import Posture

_CLOSED = {PostureValue.PROPRIETARY, PostureValue.INTERNAL_ONLY}


def findings(facts: Facts, posture: Posture) -> Iterator[Finding]:
    """A licence that is not the owner's; an internal package that is, or could get, public."""
    yield from _licence(facts, posture)
    if posture.value is PostureValue.INTERNAL_ONLY and facts.name:
        yield from _internal(facts)


def _licence(facts: Facts, posture: Posture) -> Iterator[Finding]:
    own = facts.organisation
    if own is None or facts.manifest is None:
        return
    expected = own.licence
    is_wrong = bool(facts.licence) and contradicts(facts.licence, expected)
    if not is_wrong and not expected and own.posture in _CLOSED:
        is_wrong = family(facts.licence) in {Family.OPEN, Family.SOURCE_AVAILABLE}
    if not is_wrong:
        return
    wanted = expected or f"nothing that lets others read it ({posture.value.value})"
    yield _finding(
        "licence-mismatch",
        "licence",
        Severity.HIGH,
        f"The package declares {facts.licence[:80]!r} where {own.name} expects {wanted}.",
        facts,
        evidence={"declared": facts.licence[:200], "expected": expected or posture.value.value},
        advice="Whoever took this version may rely on the licence it names: ask counsel, then "
        "publish a corrected version.",
    )


def _internal(facts: Facts) -> Iterator[Finding]:
    meant_for = facts.internal_registry
    if facts.is_from_registry:
        yield _finding(
            "internal-package-published",
            "internal-package",
            Severity.CRITICAL,
            f"{facts.name} is meant for internal use only and is on a registry.",
            facts,
            evidence={"publish_registry": meant_for, "internal_name": facts.is_named_internal},
            advice="Keep the bytes, remove the version, and find out which pipeline published it.",
        )
    elif not meant_for and not facts.is_private:
        yield _finding(
            "internal-package-unguarded",
            "internal-package",
            Severity.HIGH,
            f"{facts.name} is meant for internal use only; nothing in it stops a public release.",
            facts,
            evidence={"internal_name": True},
            advice="Set `private` or `publishConfig.registry` (npm), or the classifier "
            "`Private :: Do Not Upload` (Python).",
        )


def _finding(
    rule: str,
    kind: str,
    severity: Severity,
    message: str,
    facts: Facts,
    *,
    evidence: dict[str, Any],
    advice: str,
) -> Finding:
    return Finding(
        rule=rule,
        detector="packaging",
        kind=kind,
        severity=severity,
        confidence=Confidence.HIGH,
        message=message,
        path=facts.manifest.path if facts.manifest else "",
        fingerprint=fingerprints.of_finding(rule, facts.name),
        evidence=evidence,
        advice=advice,
    )
