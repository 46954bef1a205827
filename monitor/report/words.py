"""What codes mean, in plain words, for the reports that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import Severity, Status
from monitor.model.wording import count
from monitor.report.text import clean, prose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.model import TargetReport, Verdict
    from monitor.model.provenance import Provenance
    from monitor.report.fold import Shown

_SPEAKING = frozenset({"path", "name", "url", "host", "file"})
_max_items = 12
_max_depth = 4
_max_bits = 256

SKIP_REASONS: Mapping[str, str] = {
    "advisory-unread": "an advisory applies, but its text could not be had",
    "bad-header": "a header that makes no sense; what follows it could not be found",
    "checksum-mismatch": "the bytes do not match their own checksum",
    "crashed": "the inspecting process ended abnormally",
    "denied": "credentials are missing or were refused",
    "device": "a device file, which holds no bytes",
    "digest-mismatch": "the bytes are not those that the registry announced",
    "empty": "there is nothing in it to inspect",
    "encrypted": "needs a password or key that is not known",
    "limit": "larger, slower or deeper than the configured limits allow",
    "internal-name": "an internal name, which is told to nobody",
    "killed": "the inspecting process was killed: out of memory or CPU time",
    "lfs-pointer": "its content lies in Git LFS",
    "link": "a link, which holds no bytes of its own",
    "malformed": "broken in itself; what could be told of it was read",
    "malformed-dependency": "no name and version that its registry could know",
    "memory": "would need more memory than is allowed",
    "not-an-archive": "named like an archive, but nothing came out of it",
    "not-audited": "could not be held against the known advisories",
    "not-found": "there is no such thing, or no longer",
    "not-from-registry": "from an address or folder: no advisory can name it",
    "over-bytes": "more bytes than the limit",
    "over-dependencies": "more dependencies than the limit",
    "over-depth": "nested deeper than the limit",
    "over-members": "more members than the limit",
    "over-ratio": "unpacks to far more than its size: a possible bomb",
    "over-matches": "one rule matched more often than is kept",
    "over-time": "took longer than the limit",
    "over-work": "one rule cost more work than is allowed",
    "semgrep-crashed": "Semgrep ended abnormally on it",
    "semgrep-failed": "Semgrep gave no answer",
    "semgrep-over-size": "too large for the structural rules",
    "semgrep-over-time": "took Semgrep longer than the limit",
    "semgrep-partly-parsed": "Semgrep could not parse all of it",
    "semgrep-syntax": "Semgrep could not parse it",
    "submodule": "another repository; scan it by itself",
    "trailing-bytes": "bytes follow where it should end",
    "transient": "a passing fault; try again",
    "truncated": "ends before it should",
    "unknown-host": "the name of its registry has no address",
    "unparsable": "the package's own description of itself cannot be read",
    "unsupported-archive": "an archive of a kind that is not opened",
    "unsupported-compression": "packed by a method that is not supported",
    "version-control": "the folder's own history, no part of what ships",
}
"""Explains the commoner ``skipped[].reason`` codes; one that is missing stands for itself."""

HIDDEN_BY: Mapping[str, Callable[[int], str]] = {
    "baseline": lambda n: f"{count(n, 'known finding')} hidden by the baseline",
    "ignore": lambda n: f"{count(n, 'finding')} hidden by the ignore file",
    "inline": lambda n: f"{count(n, 'finding')} hidden by ignores beside the secret",
    "min-severity": lambda n: f"{count(n, 'finding')} below --min-severity not shown",
}
"""Tells how many findings a report leaves out, by what hides them."""


def verdict_mark(target: TargetReport) -> tuple[str, Severity]:
    """A verdict in one word and the severity whose colour it wears.

    CLEAR is said only of what was inspected in full: otherwise it is PARTIAL or FAILED.
    """
    severity = target.verdict.severity
    if severity is not Severity.NONE:
        return severity.value.upper(), severity
    if target.status is not Status.COMPLETE:
        return target.status.value.upper(), Severity.MEDIUM
    return "CLEAR", severity


def further_reasons(verdict: Verdict) -> list[str]:
    """The reasons that say more than the summary above them and the posture's own line do."""
    summary = verdict.summary.rstrip(".")
    return [
        reason
        for reason in verdict.reasons
        if not reason.startswith("posture ") and (not summary or summary not in reason)
    ]


def summary_sentence(one: Shown) -> str:
    """One plain sentence on a target whose verdict brings none."""
    if one.target.status is Status.FAILED:
        return "This target could not be inspected."
    findings = count(len(one.findings), "finding") if one.findings else "Nothing found"
    if one.target.status is Status.PARTIAL:
        return f"{findings}, but not everything could be inspected."
    return f"{findings}."


def proof(provenance: Provenance) -> str:
    """Who built it, or why that is not proven, on one line."""
    builder = provenance.builder
    if builder is None:
        return prose(f"{provenance.state}: {provenance.detail or provenance.reason}")
    by = f"{builder.kind} {builder.repository}" if builder.repository else builder.issuer
    owner = f", owner id {builder.owner_id}" if builder.owner_id else ""
    workflow = f", {builder.workflow}" if builder.workflow else ""
    at = f" at {builder.commit[:12]}" if builder.commit else ""
    return prose(f"{provenance.state}: built by {by}{owner}{workflow}{at}")


def label(key: object) -> str:
    """A key of some evidence as words."""
    return prose(str(key)).replace("_", " ")


def figure(value: object, depth: int = 0) -> str:
    """A value of some evidence on one line: ``src/a.ts, bytes 1,352, lines 47`` for a record."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if value.bit_length() <= _max_bits else hex(value)
    if isinstance(value, float):
        return f"{value:,.2f}".removesuffix(".00")
    if depth < _max_depth and isinstance(value, (list, tuple)):
        return ", ".join(figure(item, depth + 1) for item in value[:_max_items])
    if depth < _max_depth and isinstance(value, dict):
        told = []
        for key, item in list(value.items())[:_max_items]:
            text = figure(item, depth + 1)
            told.append(text if key in _SPEAKING else f"{label(key)} {text}")
        return ", ".join(told)
    return clean(str(value))
