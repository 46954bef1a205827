"""SARIF 2.1.0: one run, a rule for each rule that fired, a result for each place.

Source: OASIS "Static Analysis Results Interchange Format 2.1.0". Beyond it, GitHub's code scanning
reads ``security-severity`` of a rule and ``primaryLocationLineHash`` of a result. There is never a
snippet of the scanned file: it would hold the secret. Columns are ours, counted in bytes; on a
line of ASCII that is what SARIF means by a column.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from monitor.model import NESTED, Finding, ScanReport, Severity, Status
from monitor.report import wire
from monitor.report.fold import Shown, hidden_counts, shown
from monitor.report.text import prose
from monitor.report.words import HIDDEN_BY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.model import Skipped
    from monitor.report import RenderOptions

SCHEMA_URI = "https://json.schemastore.org/sarif-2.1.0.json"
_uri_safe = "/!@+,=~-._()"
_levels = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
    Severity.NONE: "none",
}
_scores = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.5",
    Severity.INFO: "0.5",
    Severity.NONE: "0.0",
}


def render(report: ScanReport, options: RenderOptions) -> str:
    """The report as one SARIF log."""
    told = shown(report, options)
    rules = _rules(told)
    order = {rule["id"]: number for number, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "leakmon",
                "version": report.version,
                "rules": rules,
                "properties": {"rulesDigest": report.rules_digest},
            }
        },
        "automationDetails": {"id": "leakmon/scan/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(told, options)],
        "artifacts": _artifacts(told),
        "results": [wire.raw(result) for one in told for result in _results(one, order)],
    }
    log = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}
    return wire.encoded(log, indent=1) + "\n"


def uri(path: str) -> str:
    """A path inside an artifact as a relative URI reference; ``!/`` stays readable."""
    encoded = quote(path.encode("utf-8", "surrogatepass"), safe=_uri_safe)
    dots = {"..": "%2E%2E", ".": "%2E"}
    encoded = "/".join(dots.get(part, part) for part in encoded.split("/"))
    # two slashes at the front would make the first folder a host
    return re.sub("^//+", lambda slashes: "/" + "%2F" * (len(slashes[0]) - 1), encoded) or "%20"


def message(text: str) -> str:
    """Plain text in which nothing reads as a SARIF link (3.11.6) or placeholder (3.11.5)."""
    text = re.sub(r"\{(\d+)\}", r"{{\1}}", prose(text))
    return re.sub(r"([\[\]\\])", r"\\\1", text) if "](" in text else text


def _rules(told: list[Shown]) -> list[dict[str, Any]]:
    by_rule: dict[str, list[Finding]] = {}
    for one in told:
        for finding in [*one.findings, *(hidden.finding for hidden in one.hidden)]:
            by_rule.setdefault(wire.plain(finding.rule), []).append(finding)
    return [_rule(name, findings) for name, findings in by_rule.items()]


def _rule(name: str, findings: list[Finding]) -> dict[str, Any]:
    """A rule's descriptor; its words are the findings' where they all say the same."""
    worst = max(finding.severity for finding in findings)
    first = findings[0]
    is_same = all(finding.message == first.message for finding in findings)
    title = message(first.message if is_same else name.replace("-", " "))
    advice = prose(first.advice or "Look at what the finding names and decide whether it may ship.")
    rule: dict[str, Any] = {
        "id": name,
        "shortDescription": {"text": title or name},
        "fullDescription": {"text": title or name},
        "defaultConfiguration": {"level": _levels[worst]},
        "help": {"text": _help(advice, first), "markdown": _markdown_help(advice, first)},
        "properties": {
            "security-severity": _scores[worst],
            "precision": {"high": "very-high", "medium": "high", "low": "medium"}[
                max(finding.confidence for finding in findings).value
            ],
            "tags": sorted({"security", first.detector, first.kind} - {""}),
        },
    }
    links = [reference for reference in first.references if _is_link(reference)]
    if links:
        rule["helpUri"] = _address(links[0])
    return rule


def _help(advice: str, finding: Finding) -> str:
    return "\n".join([message(advice), *(message(reference) for reference in finding.references)])


def _markdown_help(advice: str, finding: Finding) -> str:
    lines = [_markdown(advice), ""]
    for reference in finding.references:
        told = f"<{_address(reference)}>" if _is_link(reference) else _markdown(reference)
        lines.append(f"- {told}")
    return "\n".join(lines).strip()


def _markdown(text: str) -> str:
    """The text with everything that Markdown or HTML would read escaped."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>&~-])", r"\\\1", prose(text))


def _address(reference: str) -> str:
    """A web address with everything percent-encoded that a URI may not hold."""
    return quote(reference.encode("utf-8", "surrogatepass"), safe="/:?#@!$&+,;=%~-._")


def _is_link(reference: str) -> bool:
    return reference.lower().startswith(("https://", "http://"))


def _results(one: Shown, order: dict[str, int]) -> Iterator[dict[str, Any]]:
    """A result for each finding; ``order`` gives a rule's place among the rules."""
    for finding in one.findings:
        yield _result(finding, order)
    for hidden in one.hidden:
        kind = "inSource" if hidden.by == "inline" else "external"
        told = {"kind": kind, "status": "accepted", "justification": prose(hidden.explanation)}
        yield {**_result(hidden.finding, order), "suppressions": [told]}


def _result(finding: Finding, order: dict[str, int]) -> dict[str, Any]:
    redacted = f" ({finding.secret.redacted})" if finding.secret else ""
    properties = wire.finding_object(finding)
    for key in ("rule", "message", "path", "line", "column", "end_line", "end_column"):
        del properties[key]
    prints = {
        "leakmonFinding/v1": finding.fingerprint,
        "primaryLocationLineHash": f"{finding.fingerprint}:1",
    }
    if finding.secret is not None:
        prints["leakmonSecret/v1"] = finding.secret.fingerprint
    name = wire.plain(finding.rule)
    return {
        "ruleId": name,
        "ruleIndex": order[name],
        "kind": "fail" if finding.severity > Severity.NONE else "informational",
        "level": _levels[finding.severity],
        "message": {"text": message(finding.message + redacted) or "No message"},
        "locations": [_location(finding)],
        "partialFingerprints": prints,
        "properties": properties,
    }


def _location(finding: Finding) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(finding.path)}}
    region = _region(finding)
    if region:
        physical["region"] = region
    return {
        "physicalLocation": physical,
        "logicalLocations": [
            {
                "name": finding.path.rpartition(NESTED)[2],
                "fullyQualifiedName": finding.path,
                "kind": "resource",
            }
        ],
    }


def _region(finding: Finding) -> dict[str, int]:
    """By line and column if the member has lines, else by byte (3.30)."""
    if finding.line <= 0:
        return {"byteOffset": finding.byte_offset} if finding.byte_offset > 0 else {}
    region = {"startLine": finding.line}
    if finding.column > 0:
        region["startColumn"] = finding.column
    if finding.end_line >= finding.line:
        region["endLine"] = finding.end_line
        is_ordered = finding.end_line > finding.line or finding.end_column >= finding.column
        if finding.column > 0 and finding.end_column > 0 and is_ordered:
            region["endColumn"] = finding.end_column
    return region


def _artifacts(told: list[Shown]) -> list[dict[str, Any]]:
    """One for each target; the same one asked for twice stands once, as the schema demands."""
    artifacts: list[dict[str, Any]] = []
    for one in told:
        artifact = _artifact(one)
        if artifact not in artifacts:
            artifacts.append(artifact)
    return artifacts


def _artifact(one: Shown) -> dict[str, Any]:
    target = one.target
    artifact: dict[str, Any] = {
        "location": {"uri": uri(target.filename or target.target)},
        "length": target.bytes,
        "roles": ["analysisTarget"],
        "properties": {
            key: value
            for key, value in wire.target_object(one).items()
            if key not in {"skipped", "bytes", "sha256"}
        },
    }
    if target.sha256:
        artifact["hashes"] = {"sha-256": target.sha256}
    return artifact


def _invocation(told: list[Shown], options: RenderOptions) -> dict[str, Any]:
    """Whether all targets could be inspected, and a notification for each thing that was not."""
    notes = [*options.notes, *(HIDDEN_BY[by](n) for by, n in hidden_counts(told).items())]
    skipped = [_notification(one, skip) for one in told for skip in one.target.skipped]
    bare = [
        {
            "level": "error",
            "message": {"text": message(f"{one.target.target} could not be inspected")},
        }
        for one in told
        if one.target.status is Status.FAILED and not one.target.skipped
    ]
    invocation: dict[str, Any] = {
        "executionSuccessful": all(one.target.status is not Status.FAILED for one in told),
        "toolExecutionNotifications": skipped + bare,
        "toolConfigurationNotifications": [
            {"level": "note", "message": {"text": message(note)}} for note in notes
        ],
    }
    if options.generated_at is not None:
        invocation["endTimeUtc"] = options.generated_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return invocation


def _notification(one: Shown, skip: Skipped) -> dict[str, Any]:
    cause = f" ({skip.detail})" if skip.detail else ""
    return {
        "level": "error" if one.target.status is Status.FAILED else "warning",
        "descriptor": {"id": skip.reason},
        "message": {"text": message(f"Not inspected ({skip.reason}): {skip.path}{cause}")},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(skip.path)}}}],
    }
