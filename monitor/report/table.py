"""The report for a person at a terminal: verdict first, then where, what, and what to do.

Findings are grouped by severity, worst first. One secret in many places is told once; a rule that
fires in very many ways is told a few times and then counted. What is folded away is said, and the
other formats hold all of it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from monitor.model import Confidence, Finding, ScanReport, Secret, Severity, Skipped, Status
from monitor.model.wording import count
from monitor.report.fold import (
    Group,
    Shown,
    folded,
    further_evidence,
    hidden_counts,
    severities,
    shown,
    where,
)
from monitor.report.page import Page
from monitor.report.text import clean, prose, seconds, size
from monitor.report.words import (
    HIDDEN_BY,
    SKIP_REASONS,
    figure,
    further_reasons,
    label,
    proof,
    summary_sentence,
    verdict_mark,
)

if TYPE_CHECKING:
    from monitor.report import RenderOptions

_BADGES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold black on bright_red",
    Severity.MEDIUM: "bold black on yellow",
    Severity.LOW: "bold black on bright_blue",
    Severity.INFO: "bold black on white",
    Severity.NONE: "bold black on green",
}
_HUES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "bright_red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "bright_blue",
    Severity.INFO: "bright_black",
    Severity.NONE: "green",
}
_max_groups_per_rule = 5
_max_minor_groups_per_rule = 3
_max_reasons = 8
_max_skipped_paths = 3
_max_evidence_items = 5


def render(report: ScanReport, options: RenderOptions) -> str:
    """The report as lines of text, coloured only if the options say so."""
    page = Page(width=options.width, colour=options.colour, encoding=options.encoding)
    told = shown(report, options)
    named = Counter(one.target.target for one in told)
    for one in told:
        is_shared = named[one.target.target] > 1
        _target(page, one, options, is_only=len(told) == 1, is_shared=is_shared)
    if len(told) > 1:
        _overview(page, told)
    _footer(page, report, told, options)
    return page.text()


def _target(
    page: Page, one: Shown, options: RenderOptions, *, is_only: bool, is_shared: bool
) -> None:
    """One target; ``is_shared``: several have its name, as the files of a release do."""
    mark, _ = verdict_mark(one.target)
    is_idle = mark == "FAILED" or (mark == "CLEAR" and not is_only)
    file = clean(one.target.filename or "") if is_shared else ""
    _verdict(page, one, file, is_brief=is_idle and not one.findings)
    groups = folded(one.findings)
    counts = severities(one.findings)
    for severity in counts:
        page.blank()
        label = f"{severity.value.upper()} · {count(counts[severity], 'finding')}"
        page.rule(label, _HUES[severity])
        _groups(page, [g for g in groups if g.first.severity is severity], options)
    if one.target.skipped or one.target.status is not Status.COMPLETE:
        _skipped(page, one)
    page.blank()


def _verdict(page: Page, one: Shown, file: str, *, is_brief: bool) -> None:
    target, verdict = one.target, one.target.verdict
    mark, tone = verdict_mark(target)
    name = clean(target.target)
    page.line((f" {mark} ", _BADGES[tone]), " ", (name, "bold"), f"  {file}".rstrip())
    page.blank()
    page.prose(prose(verdict.summary) or summary_sentence(one), "bold", indent=2)
    if is_brief:
        return
    page.blank()
    evidence = ", ".join(prose(item) for item in target.posture.evidence)
    posture = target.posture.value.value
    page.prose(f"{posture}: {evidence}" if evidence else posture, indent=2, lead="posture   ")
    lead = "because   "
    reasons = further_reasons(verdict)
    for reason in reasons[:_max_reasons]:
        page.prose(prose(reason), indent=2, lead=lead)
        lead = " " * len(lead)
    if len(reasons) > _max_reasons:
        page.line(f"and {count(len(reasons) - _max_reasons, 'more reason')}", indent=12)
    _identity(page, one)


def _identity(page: Page, one: Shown) -> None:
    target = one.target
    seen = f"{count(target.members, 'member')}, {size(target.bytes)}"
    if target.inspected_bytes and target.inspected_bytes != target.bytes:
        seen += f", {size(target.inspected_bytes)} inspected"
    page.line(("contents  ", ""), seen, indent=2)
    if target.filename and clean(target.filename) not in clean(target.target):
        page.line("file      ", clean(target.filename), indent=2)
    if target.purl and target.purl != target.target:
        page.line("purl      ", clean(target.purl), indent=2)
    if target.provenance is not None:
        page.prose(proof(target.provenance), indent=2, lead="built     ")
    if target.sha256:
        page.line("sha256    ", (clean(target.sha256), "dim"), indent=2)


def _groups(page: Page, groups: list[Group], options: RenderOptions) -> None:
    told: Counter[str] = Counter()
    left: dict[str, list[Group]] = {}
    for group in groups:
        rule, is_minor = group.first.rule, group.first.severity <= Severity.LOW
        told[rule] += 1
        if told[rule] <= (_max_minor_groups_per_rule if is_minor else _max_groups_per_rule):
            _group(page, group, options)
        else:
            left.setdefault(rule, []).append(group)
    for rule, rest in left.items():
        places = sum(len(group.places) for group in rest)
        page.blank()
        page.prose(
            f"and {count(len(rest), 'more finding')} of rule {clean(rule)}, "
            f"in {count(places, 'place')}; --format json lists them all",
            indent=4,
        )


def _group(page: Page, group: Group, options: RenderOptions) -> None:
    finding = group.first
    page.blank()
    unsure = finding.confidence < Confidence.HIGH
    doubt = f" ({finding.confidence.value} confidence)" if unsure else ""
    title = prose(group.message) + doubt
    page.prose(title, "bold", indent=2, lead="■ ", mark=_HUES[finding.severity])
    if finding.secret is not None:
        _secret(page, finding.secret)
    for place in group.places[: options.max_places]:
        if not place.path:
            continue  # of the package as a whole
        page.line((clean(where(place)), "cyan"), (_aside(place), "dim"), indent=4)
    more = len(group.places) - options.max_places
    if more > 0:
        page.line((f"and {count(more, 'more place')}", "dim"), indent=4)
    _evidence(page, further_evidence(finding))
    if finding.advice:
        page.prose(prose(finding.advice), indent=4, lead="→ ")
    for reference in finding.references:
        page.line((clean(reference), "dim underline"), indent=6)
    page.line((f"{clean(finding.rule)} · {clean(finding.fingerprint)}", "dim"), indent=4)


def _aside(place: Finding) -> str:
    """What the path does not tell of a place: the byte where there are no lines, the decoders."""
    asides = []
    if place.line <= 0 and place.byte_offset > 0:
        asides.append(f"byte {place.byte_offset:,}")
    if place.decoded:
        asides.append(f"inside {', '.join(map(clean, place.decoded))}")
    return f"  ({', '.join(asides)})" if asides else ""


def _secret(page: Page, secret: Secret) -> None:
    """The redacted value and the fingerprint by which an ignore beside it names it."""
    checksum = f"checksum {clean(secret.checksum)}, " if secret.checksum else ""
    value = secret.redacted if secret.value is None else secret.value
    about = f"  ({checksum}value {clean(secret.fingerprint)})"
    page.line((clean(value), "bold magenta"), (about, "dim"), indent=4)


def _evidence(page: Page, evidence: dict[str, Any]) -> None:
    """Single values on one line, lists below it; both bounded."""
    singles = [
        f"{label(key)} {figure(value)}"
        for key, value in evidence.items()
        if not isinstance(value, (list, tuple, dict)) and value not in (None, "")
    ]
    if singles:
        page.prose(" · ".join(singles[:_max_evidence_items]), "dim", indent=4)
    for key, value in evidence.items():
        if isinstance(value, (list, tuple)) and value:
            page.line((f"{label(key)}:", "dim"), indent=4)
            for item in value[:_max_evidence_items]:
                page.line((figure(item), "dim"), indent=6)
            if len(value) > _max_evidence_items:
                page.line((f"and {len(value) - _max_evidence_items:,} more", "dim"), indent=6)


def _skipped(page: Page, one: Shown) -> None:
    target = one.target
    by_reason: dict[str, list[Skipped]] = {}
    for skipped in target.skipped:
        by_reason.setdefault(skipped.reason, []).append(skipped)
    page.blank()
    label = {
        Status.COMPLETE: "SKIPPED",
        Status.PARTIAL: "NOT FULLY INSPECTED",
        Status.FAILED: "NOT INSPECTED",
    }[target.status]
    if target.skipped and target.status is not Status.FAILED:
        label += f" · {count(len(target.skipped), 'member')}"
    page.rule(label, _HUES[Severity.MEDIUM])
    for reason, members in by_reason.items():
        page.blank()
        words = SKIP_REASONS.get(reason, "")
        page.prose(
            f"{clean(reason)}: {words}" if words else clean(reason),
            indent=2,
            lead="■ ",
            mark="yellow",
        )
        causes = dict.fromkeys(each.detail for each in members if each.detail)
        for cause in list(causes)[:_max_skipped_paths]:
            page.prose(prose(cause), indent=4)
        for skipped in members[:_max_skipped_paths]:
            page.line((clean(skipped.path), "cyan"), indent=4)
        more = len(members) - _max_skipped_paths
        if more > 0:
            page.line((f"and {count(more, 'more place')}", "dim"), indent=4)


def _overview(page: Page, told: list[Shown]) -> None:
    page.rule(f"ALL · {count(len(told), 'target')}", "bold")
    page.blank()
    for one in sorted(told, key=lambda o: -o.target.verdict.severity.rank):
        mark, tone = verdict_mark(one.target)
        status = one.target.status
        is_told = status is Status.COMPLETE or mark == status.value.upper()
        state = "" if is_told else "  (not fully inspected)"
        name = clean(one.target.filename or one.target.target)
        page.line((f"{mark:<9}", _HUES[tone]), name, (state, "yellow"), indent=2)
    page.blank()


def _footer(page: Page, report: ScanReport, told: list[Shown], options: RenderOptions) -> None:
    for note in options.notes:
        page.prose(prose(note), "yellow")
    for by, number in hidden_counts(told).items():
        page.prose(HIDDEN_BY[by](number), "yellow")
    members = sum(one.target.members for one in told)
    volume = sum(one.target.bytes for one in told)
    parts = [
        f"leakmon {clean(report.version)}",
        count(len(told), "target"),
        count(members, "member"),
        size(volume),
        seconds(report.seconds),
        f"rules {clean(report.rules_digest[:8])}",
    ]
    page.prose(" · ".join(parts), "dim")
    if any(one.findings for one in told):
        page.prose(
            "To accept a finding, put its fingerprint and a reason into leakmon-ignore.toml; "
            "to accept all, keep a JSON report and pass it with --baseline.",
            "dim",
        )
