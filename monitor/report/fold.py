"""What of a report is shown, in which order, and what is told once for many places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from monitor.model import Finding, ScanReport, Secret, Severity, TargetReport
from monitor.suppress import Hidden

if TYPE_CHECKING:
    from monitor.report import RenderOptions


_OF_ONE_BUILD = "source-maps"


class Group(Struct):
    """The same thing in one or more places: ``first`` speaks for all, ``places`` holds each."""

    first: Finding
    places: list[Finding]

    @property
    def message(self) -> str:
        """What is said of all places: the first one's message, of several maps their sum."""
        told = self.first.message
        if len(self.places) == 1 or self.first.detector != _OF_ONE_BUILD:
            return told
        maps = sum(each.evidence.get("places", 1) for each in self.places)
        files = sum(each.evidence.get("first_party_files", 0) for each in self.places)
        held = f", {files:,} first-party source files in all" if files else ""
        return f"{maps:,} source maps of this package{held}. Of the first: {told}"


class Shown(Struct):
    """One target as it is told.

    ``findings`` are worst first; ``below`` counts those that ``min_severity`` left out; ``hidden``
    are the suppressed ones.
    """

    target: TargetReport
    findings: list[Finding]
    below: int
    hidden: list[Hidden]


def shown(report: ScanReport, options: RenderOptions) -> list[Shown]:
    """Every target of the report, its findings chosen, ordered and rid of secret values."""
    told: list[Shown] = []
    for number, target in enumerate(report.targets):
        chosen = [f for f in target.findings if f.severity >= options.min_severity]
        taken = options.hidden[number] if number < len(options.hidden) else ()
        told.append(
            Shown(
                target=target,
                findings=_ordered([guarded(f, options.show_secrets) for f in chosen]),
                below=len(target.findings) - len(chosen),
                hidden=[_guarded_hidden(h, options.show_secrets) for h in taken],
            )
        )
    return told


def guarded(finding: Finding, show_secrets: bool) -> Finding:  # noqa: FBT001 - the option as it is
    """The finding without its secret's value, also where a message or evidence quotes the value."""
    secret = finding.secret
    if show_secrets or secret is None or secret.value is None:
        return finding
    bare = replace(secret, value=None)
    if not secret.value:
        return replace(finding, secret=bare)
    return replace(
        finding,
        secret=bare,
        message=_without(finding.message, secret),
        path=_without(finding.path, secret),
        advice=_without(finding.advice, secret),
        evidence=_without(finding.evidence, secret),
        references=_without(finding.references, secret),
    )


def folded(findings: list[Finding]) -> list[Group]:
    """Findings of one rule that are one secret, or say the same, together; order is kept.

    The maps of a package are one mistake of its build: those of one rule are together too.
    """
    groups: dict[tuple[object, ...], Group] = {}
    for finding in findings:
        told = finding.secret.fingerprint if finding.secret else finding.message
        if finding.detector == _OF_ONE_BUILD:
            told = finding.detector
        key = (finding.severity, finding.rule, finding.secret is None, told)
        group = groups.get(key)
        if group is None:
            groups[key] = Group(finding, [finding])
        else:
            group.places.append(finding)
    return list(groups.values())


def where(finding: Finding) -> str:
    """``path:line:column``, as far as there are lines; not yet made safe to print."""
    if finding.line > 0 and finding.column > 0:
        return f"{finding.path}:{finding.line}:{finding.column}"
    if finding.line > 0:
        return f"{finding.path}:{finding.line}"
    return finding.path


def further_evidence(finding: Finding) -> dict[str, Any]:
    """The evidence without what the lines above it say: the one path, or that it is one."""
    if finding.evidence.get("paths") != [finding.path]:
        return finding.evidence
    repeated = {"paths", "count"} if finding.evidence.get("count") == 1 else {"paths"}
    return {key: value for key, value in finding.evidence.items() if key not in repeated}


def severities(findings: list[Finding]) -> dict[Severity, int]:
    """How many findings there are of each severity, worst first, without the empty ones."""
    counts = dict.fromkeys(sorted(Severity, reverse=True), 0)
    for finding in findings:
        counts[finding.severity] += 1
    return {severity: number for severity, number in counts.items() if number}


def hidden_counts(told: list[Shown]) -> dict[str, int]:
    """How many findings are not shown, by what hides them; empty if all are."""
    counts: dict[str, int] = {}
    for one in told:
        for hidden in one.hidden:
            counts[hidden.by] = counts.get(hidden.by, 0) + 1
        if one.below:
            counts["min-severity"] = counts.get("min-severity", 0) + one.below
    return counts


def _ordered(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda f: (-f.severity.rank, -f.confidence.rank))


def _guarded_hidden(hidden: Hidden, show_secrets: bool) -> Hidden:  # noqa: FBT001 - as above
    return replace(hidden, finding=guarded(hidden.finding, show_secrets))


def _without(value: Any, secret: Secret) -> Any:
    """The value with every quotation of the secret redacted, at any depth."""
    if isinstance(value, str):
        return value.replace(secret.value or "", secret.redacted)
    if isinstance(value, dict):
        return {_without(k, secret): _without(v, secret) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without(item, secret) for item in value]
    return value
