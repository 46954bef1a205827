"""Turns the rules' matches in a member into findings that a responder can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitor.detectors import fingerprints
from monitor.detectors.context import NOTHING_KNOWN, Context, is_documentation, is_fixture
from monitor.detectors.secrets.places import Places
from monitor.detectors.secrets.redaction import redacted
from monitor.model import Confidence, Finding, Secret, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.archive import Member
    from monitor.detectors.secrets.places import Place
    from monitor.rules import Match

DETECTOR = "secrets"
MAX_MARK = 160
MAX_FINDINGS = 1000
"""Findings told for one member (window); one more says how many were left out."""

_DOUBTED = "the token's own checksum does not fit: made up or cut off"
_NO_KEY = "its bytes do not make a key: made up or cut off"
_DETECTORS = {"marker": "markers", "canary": "markers", "carrier": "carriers"}
_ORGANISATION = "organisation="


def inspect(
    member: Member, matches: Sequence[Match], context: Context = NOTHING_KNOWN
) -> Sequence[Finding]:
    """One finding for each distinct value that a rule found in the member, in order of place."""
    if not matches:
        return ()
    first: dict[tuple[str, bytes], Match] = {}
    counts: dict[tuple[str, bytes], int] = {}
    for match in sorted(matches, key=_start):
        key = (match.rule.id, match.secret)
        first.setdefault(key, match)
        counts[key] = counts.get(key, 0) + 1
    kept = dict(list(first.items())[:MAX_FINDINGS])
    places = Places(member.data, member.offset)
    found = [
        _finding(member, match, places.of(match), counts[key], context)
        for key, match in kept.items()
    ]
    if len(first) > len(kept):
        found.append(_capped(member, len(first) - len(kept)))
    return found


def _start(match: Match) -> int:
    return match.secret_start


def _finding(member: Member, match: Match, place: Place, count: int, context: Context) -> Finding:
    rule = match.rule
    about = rule.metadata
    evidence, checksum = _evidence(member, match, count, context.now)
    severity, confidence = rule.severity, about.confidence
    if checksum == "invalid":
        evidence["doubt"] = _NO_KEY if about.kind == "private-key" else _DOUBTED
        severity, confidence = min(severity, Severity.LOW), Confidence.LOW
    elif checksum == "valid":
        confidence = Confidence.HIGH
    if evidence.get("encrypted"):
        evidence["doubt"] = "a passphrase protects it"
        severity = min(severity, Severity.MEDIUM)
    if evidence.get("expired"):
        evidence["doubt"] = "it has expired"
        severity = min(severity, Severity.LOW)
    elif about.generic and is_documentation(member.path):
        evidence["doubt"] = "a general pattern, in documentation or examples"
        severity = min(severity, Severity.LOW)
    value = match.secret
    identity = fingerprints.of_secret(value)
    return Finding(
        rule=rule.id,
        detector=_DETECTORS.get(about.kind, DETECTOR),
        kind=about.kind,
        severity=severity,
        confidence=confidence,
        message=rule.message,
        path=member.path,
        fingerprint=fingerprints.of_finding(rule.id, identity),
        line=place.line,
        column=place.column,
        end_line=place.end_line,
        end_column=place.end_column,
        byte_offset=member.offset + match.secret_start,
        decoded=list(match.decoded),
        secret=Secret(
            redacted=redacted(value, is_key=about.kind == "private-key"),
            fingerprint=identity,
            checksum=checksum,
            value=value.decode("utf-8", "replace") if context.has_secrets else None,
        ),
        evidence=evidence,
        references=list(about.references),
        advice=about.revoke or None,
    )


def _evidence(
    member: Member, match: Match, count: int, now: int
) -> tuple[dict[str, Any], str | None]:
    """What is known of the value, and what its checksum says (``valid``, ``invalid``, None)."""
    about = match.rule.metadata
    evidence: dict[str, Any] = {}
    checksum = None
    if about.checksum:
        from monitor.rules import checksums

        checked = checksums.check(about.checksum, match.secret)
        evidence |= checked.evidence
        checksum = checked.word
    expires = evidence.get("jwt_exp")
    if now and isinstance(expires, int):
        evidence["expired"] = expires < now
    if count > 1:
        evidence["occurrences"] = count
    if is_fixture(member.path):
        evidence["fixture"] = True
    if about.provider != "generic":
        evidence["provider"] = about.provider
    for tag in about.tags:
        if tag.startswith(_ORGANISATION):
            # The operator's own word for what is theirs: no secret, and useless when redacted.
            evidence["organisation"] = tag.removeprefix(_ORGANISATION)
            evidence["text"] = match.secret[:MAX_MARK].decode("utf-8", "replace")
    return evidence, checksum


def _capped(member: Member, more: int) -> Finding:
    rule = "secrets-over-findings"
    return Finding(
        rule=rule,
        detector=DETECTOR,
        kind="not-inspected",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        message=f"{more:,} further values in this file are not listed.",
        path=member.path,
        fingerprint=fingerprints.of_finding(rule, fingerprints.stable_path(member.path)),
        evidence={"left_out": more},
        advice="Judge the file by the values listed; scan it by itself for the rest.",
    )
