"""One severity, one plain sentence and the reasons: what a responder reads first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from monitor.model import NESTED, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import Finding, Inspection, Posture

_WEIGHT = {
    "private-code": 0,
    "secrets": 1,
    "source-maps": 2,
    "carriers": 3,
    "markers": 4,
    "drift": 5,
    "packaging": 6,
}
_CONTENT_RULES = {"source-map-first-party-content", "source-map-inline"}
_MAX_REASONS = 12
_MAX_PATH = 200


def conclude(findings: Sequence[Finding], inspection: Inspection, posture: Posture) -> Verdict:
    """The verdict over findings whose severities are final, worst first."""
    if not findings:
        return Verdict(Severity.NONE, _nothing(inspection), [])
    groups = _groups(findings)
    front = _front(inspection)
    worst = groups[0][0]
    summary = _told(groups[0], front)
    others = Counter(each.severity for each in findings)[worst.severity] - len(groups[0])
    if others:
        summary += f", and {others:,} more {worst.severity.value} finding{'s' * (others > 1)}"
    summary += "."
    if inspection.skipped and worst.rule != "not-fully-inspected":
        summary += f" Not fully inspected: {_missed(inspection)}."
    reasons = [
        f"{group[0].severity.value}: {_told(group, front)}." for group in groups[:_MAX_REASONS]
    ]
    if len(groups) > _MAX_REASONS:
        reasons.append(f"and {len(groups) - _MAX_REASONS:,} more kinds of findings.")
    reasons.append(f"posture {posture.value.value}: {'; '.join(posture.evidence)}")
    return Verdict(worst.severity, summary, reasons)


def order(finding: Finding) -> tuple[int, int, int, str, int]:
    """Sorts findings worst first, then surest, then by what weighs most, then by place."""
    return (
        -finding.severity.rank,
        -finding.confidence.rank,
        _WEIGHT.get(finding.detector, len(_WEIGHT)),
        finding.path,
        finding.byte_offset,
    )


def _groups(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings of one rule and severity together, in the order of the worst of each."""
    groups: dict[tuple[str, Severity], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.rule, finding.severity), []).append(finding)
    return list(groups.values())


def _told(group: Sequence[Finding], front: str) -> str:
    """One group in half a sentence."""
    first = max(group, key=_first_party_files) if group[0].rule in _CONTENT_RULES else group[0]
    place = f"`{_shown(first.path.removeprefix(front))}`" if first.path else "the package"
    more = f" and {len(group) - 1:,} more place{'s' * (len(group) > 2)}" * (len(group) > 1)  # noqa: PLR2004 - the plural
    if first.rule in _CONTENT_RULES:
        files = sum(_first_party_files(each) for each in group)
        inline = "inline source map of " if first.rule == "source-map-inline" else ""
        return f"{files:,} first-party source file{'s' * (files != 1)} in {inline}{place}{more}"
    if first.secret is not None:
        return f"{_sentence(first.message)} ({first.secret.redacted}) in {place}{more}"
    return (
        f"{_sentence(first.message)} in {place}{more}" if first.path else _sentence(first.message)
    )


def _first_party_files(finding: Finding) -> int:
    return int(finding.evidence.get("first_party_files", 0))


def _sentence(message: str) -> str:
    """The first sentence of a message without its full stop."""
    return message.partition(". ")[0].rstrip(". \n")


def _front(inspection: Inspection) -> str:
    """What all paths begin with: the artifact's own name, which the report shows beside them."""
    members = inspection.members
    fronts = {each.path.partition(NESTED)[0] for each in (members[:1] + members[-1:])}
    return f"{fronts.pop()}{NESTED}" if len(fronts) == 1 and len(members) > 1 else ""


def _shown(path: str) -> str:
    """A path for a sentence: the file that holds an inline map, and no more than fits."""
    inner = path.partition(f"{NESTED}(inline")[0]
    return inner if len(inner) <= _MAX_PATH else f"{inner[:80]}…{inner[-100:]}"


def _missed(inspection: Inspection) -> str:
    reasons = Counter(each.reason for each in inspection.skipped)
    told = ", ".join(reason for reason, _ in reasons.most_common(3))
    count = len(inspection.skipped)
    return f"{count:,} member{'s' * (count != 1)} ({told})"


def _nothing(inspection: Inspection) -> str:
    members = len(inspection.members)
    size = _bytes(inspection.inspected_bytes)
    told = f"Nothing found in {members:,} member{'s' * (members != 1)} ({size})."
    if inspection.skipped:
        told += f" Not fully inspected: {_missed(inspection)}."
    return told


def _bytes(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
