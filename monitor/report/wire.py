"""A report as plain JSON objects: the contract ``leakmon/scan/1``, key by key.

Optional keys are absent when there is nothing to say. The JSON Schema of it is in ``schema``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.model import Finding, ScanReport, Severity
from monitor.report.fold import Shown, hidden_counts, shown
from monitor.report.text import escape_json, without_surrogates
from monitor.suppress import extent

if TYPE_CHECKING:
    from monitor.report import RenderOptions
    from monitor.suppress import Hidden

SCHEMA = "leakmon/scan/1"
_max_depth = 32
_max_exact_integer = 2**53
_max_decimal_bits = 4096


def report_object(report: ScanReport, options: RenderOptions) -> dict[str, Any]:
    """The whole report."""
    told = shown(report, options)
    targets = []
    for one in told:
        target = target_object(one)
        target["findings"] = [raw(finding_object(finding)) for finding in one.findings]
        if one.hidden:
            target["hidden"] = [raw(hidden_object(hidden)) for hidden in one.hidden]
        targets.append(target)
    return {
        "schema": SCHEMA,
        "tool": tool_object(report),
        "targets": targets,
        "summary": summary_object(report, told, options),
    }


def tool_object(report: ScanReport) -> dict[str, Any]:
    """Who says so, with which rules."""
    return {"name": "leakmon", "version": report.version, "rules_digest": report.rules_digest}


def target_object(one: Shown) -> dict[str, Any]:
    """One target without its findings."""
    target = one.target
    names = {"purl": target.purl, "filename": target.filename, "sha256": target.sha256}
    proof = msgspec.to_builtins(target.provenance) if target.provenance is not None else None
    return {
        "target": target.target,
        **{key: value for key, value in names.items() if value is not None},
        "bytes": target.bytes,
        "members": target.members,
        "inspected_bytes": target.inspected_bytes,
        "status": target.status.value,
        **({"provenance": plain(proof)} if proof is not None else {}),
        "skipped": [
            {"path": s.path, "reason": s.reason} | ({"detail": s.detail} if s.detail else {})
            for s in target.skipped
        ],
        "posture": {
            "value": target.posture.value.value,
            "evidence": list(target.posture.evidence),
        },
        "verdict": {
            "severity": target.verdict.severity.value,
            "summary": target.verdict.summary,
            "reasons": list(target.verdict.reasons),
        },
    }


def finding_object(finding: Finding) -> dict[str, Any]:
    """One finding; its secret's value only if the finding still has it."""
    told: dict[str, Any] = {
        "rule": finding.rule,
        "detector": finding.detector,
        "kind": finding.kind,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "message": finding.message,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "byte_offset": finding.byte_offset,
        "decoded": list(finding.decoded),
        "references": list(finding.references),
        "fingerprint": finding.fingerprint,
    }
    if finding.secret is not None:
        told["secret"] = msgspec.to_builtins(finding.secret)
    if finding.evidence:
        told["evidence"] = plain(finding.evidence)
    if finding.advice is not None:
        told["advice"] = finding.advice
    return told


def hidden_object(hidden: Hidden) -> dict[str, Any]:
    """A suppressed finding: which one, by what and why, and what a later baseline needs of it."""
    evidence = extent.kept(hidden.finding.evidence)
    return {
        "rule": hidden.finding.rule,
        "severity": hidden.finding.severity.value,
        "path": hidden.finding.path,
        "fingerprint": hidden.finding.fingerprint,
        "by": hidden.by,
        "explanation": hidden.explanation,
        **({"evidence": plain(evidence)} if evidence else {}),
    }


def summary_object(report: ScanReport, told: list[Shown], options: RenderOptions) -> dict[str, Any]:
    """Counts over all targets; ``hidden`` and ``notes`` only where there is something to tell."""
    counts = {severity.value: 0 for severity in Severity if severity is not Severity.NONE}
    for one in told:
        for finding in one.findings:
            counts[finding.severity.value] = counts.get(finding.severity.value, 0) + 1
    summary: dict[str, Any] = {
        "severities": counts,
        "seconds": round(report.seconds, 3),
        "bytes": sum(target.bytes for target in report.targets),
    }
    hidden = hidden_counts(told)
    if hidden:
        summary["hidden"] = hidden
    if options.notes:
        summary["notes"] = list(options.notes)
    return summary


def encoded(value: Any, *, indent: int = 0) -> str:
    """JSON text that every parser takes and no terminal obeys; on one line without ``indent``."""
    text = raw(value)
    laid_out = msgspec.json.format(bytes(text), indent=indent) if indent else bytes(text)
    return escape_json(laid_out.decode())


def raw(value: Any) -> msgspec.Raw:
    """The value as JSON at once, to stand inside another: far smaller than its objects are."""
    try:
        return msgspec.Raw(msgspec.json.encode(value))
    except UnicodeEncodeError:  # a lone surrogate somewhere: rare, and slow to look for
        return msgspec.Raw(msgspec.json.encode(plain(value)))


def plain(value: Any, depth: int = 0) -> Any:
    """A stranger's value as what JSON can hold everywhere.

    Lone surrogates are spelt out, what is no number is null, integers beyond 2**53 become text,
    keys are text, and what lies deeper than 32 levels or is of another kind is told by ``str``.
    """
    if isinstance(value, (int, float)):
        return _number(value)
    if value is None or isinstance(value, msgspec.Raw):
        return value
    if depth < _max_depth and isinstance(value, dict):
        return {without_surrogates(str(key)): plain(item, depth + 1) for key, item in value.items()}
    if depth < _max_depth and isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value]
    return without_surrogates(str(value))


def _number(value: float) -> float | str | None:
    """Booleans and safe integers as they are, others as ``plain`` says."""
    if isinstance(value, int):
        if abs(value) <= _max_exact_integer:
            return value
        # Python refuses to write out thousands of decimal digits
        return str(value) if value.bit_length() <= _max_decimal_bits else hex(value)
    return value if math.isfinite(value) else None
