"""Semgrep's results -> findings: places read from the bytes, values redacted, twins folded."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from monitor.detectors import fingerprints
from monitor.detectors.context import is_fixture
from monitor.detectors.secrets.redaction import redacted
from monitor.model import Finding, Secret
from monitor.rules.paths import is_chosen
from monitor.rules.placeholders import is_placeholder
from monitor.semgrep.rules import SECRET, StructuralRule
from monitor.semgrep.values import secret_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.semgrep.command import Result
    from monitor.semgrep.stage import Held

DETECTOR = "semgrep"
MAX_FINDINGS = 200
"""Told of one rule in one file; the count of the others stands in the last one's evidence."""
MAX_PLACES = 20
"""Told of the same match in copies of a file; the last one says how many there are."""


class Spot(Struct, frozen=True):
    """Where a match stands: lines and byte columns from 1, the end behind its last byte."""

    line: int
    column: int
    end_line: int
    end_column: int
    offset: int


class Match(Struct):
    """One match in some bytes, wherever they lie. ``subject`` is what tells it from others."""

    rule: StructuralRule
    spot: Spot
    subject: str
    secret: bytes | None
    occurrences: int = 1


def matches(
    content: bytes, results: Iterable[Result], rules: Sequence[StructuralRule]
) -> list[Match]:
    """What the results say of one staged file: each value (or text) once for each rule."""
    lines = _line_starts(content)
    first: dict[tuple[str, str], Match] = {}
    for result in sorted(results, key=lambda each: (each.start.offset, each.end.offset)):
        match = _match(content, lines, result, rules[result.number])
        if match is None:
            continue
        known = first.setdefault((match.rule.id, match.subject), match)
        if known is not match:
            known.occurrences += 1
    return list(first.values())


def told(matches: Iterable[Match], held: Held, *, has_secrets: bool) -> list[Finding]:
    """The findings for one subject that holds these bytes at one or more places."""
    counts: dict[str, int] = {}
    found = []
    for match in matches:
        rule = match.rule
        counts[rule.id] = counts.get(rule.id, 0) + 1
        if counts[rule.id] > MAX_FINDINGS:
            continue
        places = sorted(p for p in held.paths if is_chosen(p, rule.include, rule.exclude))
        found += [_finding(match, path, has_secrets=has_secrets) for path in places[:MAX_PLACES]]
        if places and len(places) + held.more > MAX_PLACES:
            found[-1].evidence["copies"] = len(places) + held.more
    for rule_id, count in counts.items():
        if count > MAX_FINDINGS:
            last = [each for each in found if each.rule == rule_id][-1:]
            for each in last:
                each.evidence["left_out"] = count - MAX_FINDINGS
    return found


def _match(
    content: bytes, lines: Sequence[int], result: Result, rule: StructuralRule
) -> Match | None:
    start, end = result.start.offset, min(result.end.offset, len(content))
    if not rule.names_secret:
        subject = " ".join(content[start:end].decode("utf-8", "replace").split())
        return Match(rule, _spot(lines, start, end), subject, None)
    if result.extra.message in {"", SECRET}:
        return None  # the empty string binds nothing
    value = secret_of(result.extra.message).encode("utf-8", "surrogateescape")
    if not value or (rule.placeholders and is_placeholder(value)):
        return None
    at = _found(content, value, start, end)
    if at >= 0:
        start, end = at, at + len(value)
    return Match(rule, _spot(lines, start, end), fingerprints.of_secret(value), value)


def _found(content: bytes, value: bytes, start: int, end: int) -> int:
    """Where the value stands: in the match, else where its variable was set. -1: as escapes."""
    at = content.find(value, start, end)
    if at < 0:
        at = content.rfind(value, 0, start)
    return at if at >= 0 else content.find(value, end)


def _line_starts(content: bytes) -> list[int]:
    starts = [0]
    at = content.find(b"\n")
    while at >= 0:
        starts.append(at + 1)
        at = content.find(b"\n", at + 1)
    return starts


def _spot(lines: Sequence[int], start: int, end: int) -> Spot:
    line, end_line = bisect_right(lines, start), bisect_right(lines, end)
    return Spot(line, start - lines[line - 1] + 1, end_line, end - lines[end_line - 1] + 1, start)


def _finding(match: Match, path: str, *, has_secrets: bool) -> Finding:
    rule, spot = match.rule, match.spot
    secret = None
    subject = [fingerprints.stable_path(path), match.subject]
    if match.secret is not None:
        subject = [match.subject]
        secret = Secret(
            redacted=redacted(match.secret),
            fingerprint=match.subject,
            value=match.secret.decode("utf-8", "replace") if has_secrets else None,
        )
    return Finding(
        rule=rule.id,
        detector=DETECTOR,
        kind=rule.kind,
        severity=rule.severity,
        confidence=rule.confidence,
        message=rule.message,
        path=path,
        fingerprint=fingerprints.of_finding(rule.id, *subject),
        line=spot.line,
        column=spot.column,
        end_line=spot.end_line,
        end_column=spot.end_column,
        byte_offset=spot.offset,
        secret=secret,
        evidence=_evidence(match, path),
        references=list(rule.references),
        advice=rule.advice or None,
    )


def _evidence(match: Match, path: str) -> dict[str, Any]:
    evidence: dict[str, Any] = {}
    if match.occurrences > 1:
        evidence["occurrences"] = match.occurrences
    if is_fixture(path):
        evidence["fixture"] = True
    if match.rule.provider != "generic":
        evidence["provider"] = match.rule.provider
    return evidence
