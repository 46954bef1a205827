"""What of one artifact an incident remembers: enough for an alert, nothing that leaks.

An observation is a JSON object: ``purl``, ``version``, ``filename``, ``sha256``, ``digests``,
``size`` and ``usual_size`` (bytes, null where unknown), ``publisher``, ``published_at`` and
``seen_at`` (ISO 8601), ``severity``, ``confidence``, ``title``, ``reason``, ``is_partial``,
``posture`` (``value``, ``evidence``), ``places`` (at most twenty), ``places_total``, ``figures``
(``files``, ``bytes``, ``lines`` of first-party source), ``advice``.
"""

from __future__ import annotations

from datetime import UTC
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

from monitor.model import NESTED, Status
from monitor.model.wording import count

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.incidents.causes import Cause
    from monitor.model import Artifact, Finding, Release, TargetReport


class Earlier(Protocol):
    """An artifact that was inspected before (the store's ``Past``, or ``model.Artifact``)."""

    @property
    def version(self) -> str:
        """The release that it belongs to."""

    @property
    def filename(self) -> str:
        """Its own name."""

    @property
    def size(self) -> int | None:
        """Bytes, None where unknown."""

    @property
    def published_at(self) -> datetime | None:
        """The registry's time, None where unknown."""


MAX_PLACES = 20
_COMMIT_KEYS = ("commit", "ref", "authored_at", "is_in_head", "is_force_pushed_away")
_MAX_ADVICE = 4
_MAX_TEXT = 600
_MAX_PATH = 1000
_MAX_EVIDENCE = 8
_RECENT = 10


def observation(
    cause: Cause,
    report: TargetReport,
    artifact: Artifact,
    now: datetime,
    *,
    release: Release | None = None,
    history: Sequence[Earlier] = (),
) -> dict[str, Any]:
    """What the report tells of one cause in one artifact (keys: the module's docstring)."""
    findings = cause.findings
    return {
        "purl": artifact.purl,
        "version": artifact.version,
        "filename": artifact.filename,
        "sha256": report.sha256 or artifact.digests.get("sha256", ""),
        "digests": dict(sorted(artifact.digests.items())),
        "size": artifact.size if artifact.size is not None else (report.bytes or None),
        "usual_size": _usual(artifact, history),
        "publisher": _cut(release.publisher) if release is not None else "",
        "published_at": iso(artifact.published_at),
        "seen_at": iso(now),
        "severity": cause.severity.value,
        "confidence": max(each.confidence for each in findings).value,
        "title": _title(findings),
        "reason": _reason(findings),
        "is_partial": report.status is not Status.COMPLETE,
        "posture": {
            "value": report.posture.value.value,
            "evidence": [_cut(each) for each in report.posture.evidence[:_MAX_EVIDENCE]],
        },
        "places": [_place(each) for each in findings[:MAX_PLACES]],
        "places_total": len(findings),
        "figures": _figures(findings),
        "advice": list(dict.fromkeys(_cut(f.advice) for f in findings if f.advice))[:_MAX_ADVICE],
    }


def inner(path: str) -> str:
    """A path below the artifact's own name."""
    return path.partition(NESTED)[2] or path


def _place(finding: Finding) -> dict[str, Any]:
    told: dict[str, Any] = {
        "path": _cut(_quiet(finding, inner(finding.path)), _MAX_PATH),
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": _cut(_quiet(finding, finding.message)),
    }
    if finding.line:
        told |= {"line": finding.line, "column": finding.column}
    for key in _COMMIT_KEYS:
        if key in finding.evidence:
            told[key] = finding.evidence[key]
    if finding.decoded:
        told["decoded"] = finding.decoded[:4]
    if finding.secret is not None:
        told["redacted"] = _cut(finding.secret.redacted, 80)
        told["fingerprint"] = finding.secret.fingerprint
        told["checksum"] = finding.secret.checksum or ""
    return told


def _quiet(finding: Finding, text: str) -> str:
    """The text without the secret's value, should it quote it."""
    secret = finding.secret
    if secret is None or not secret.value:
        return text
    return text.replace(secret.value, secret.redacted)


def _title(findings: Sequence[Finding]) -> str:
    first = findings[0]
    told = _sentence(_quiet(first, first.message))
    distinct = {each.secret.fingerprint for each in findings if each.secret is not None}
    if len(distinct) > 1:
        return f"{len(distinct):,} further secrets"
    if first.secret is not None:
        return _cut(f"{told} ({first.secret.redacted})", 200)
    return _cut(told, 200)


def _reason(findings: Sequence[Finding]) -> str:
    """One plain sentence: what is exposed, and in how many places."""
    first = findings[0]
    figures = _figures(findings)
    paths = list(dict.fromkeys(inner(each.path) for each in findings))
    more = f" and {len(paths) - 1:,} more place{'s' * (len(paths) != 2)}" * (len(paths) > 1)  # noqa: PLR2004 - the plural
    shown = _cut(_quiet(first, paths[0]), 200).replace("`", "'")
    place = f" in `{shown}`{more}{_commit(first)}" if shown else ""
    if figures["files"]:
        files = f"{figures['files']:,} first-party source file{'s' * (figures['files'] != 1)}"
        lines = f" ({count(figures['lines'], 'line')})" if figures["lines"] else ""
        return f"{files}{lines}{place}"
    told = _title(findings)
    if first.secret is not None:
        redacted = first.secret.redacted.replace("`", "'")
        told = told.removesuffix(f" ({first.secret.redacted})")
        told += f" `{redacted}`" if len(told) < len(_title(findings)) else ""
    return f"{told}{place}"


def _commit(finding: Finding) -> str:
    """Of which commit a finding is, if it is of one, and what leads to that commit."""
    told = finding.evidence
    if "commit" not in told:
        return ""
    words = [f"commit {str(told['commit'])[:12]}"]
    if told.get("ref"):
        words.append(f"on {_cut(str(told['ref']), 100)}".replace("`", "'"))
    if told.get("authored_at"):
        words.append(f"authored {str(told['authored_at'])[:10]}")
    if told.get("is_force_pushed_away"):
        words.append("force-pushed away: whoever has its id can still read it")
    elif told.get("is_in_head") is False:
        words.append("no longer in HEAD")
    return f" ({', '.join(words)})"


def _figures(findings: Sequence[Finding]) -> dict[str, int]:
    def total(key: str) -> int:
        values = [each.evidence.get(key, 0) for each in findings]
        return sum(value for value in values if isinstance(value, int))

    return {
        "files": total("first_party_files"),
        "bytes": total("first_party_bytes"),
        "lines": total("first_party_lines"),
    }


def _usual(artifact: Artifact, history: Sequence[Earlier]) -> int | None:
    """The median size of the last ten files of this sort before this version."""
    ending = artifact.filename.rpartition(".")[2]
    alike = [
        (str(iso(each.published_at) or ""), each.size)
        for each in history
        if each.size is not None
        and each.filename.rpartition(".")[2] == ending
        and _is_before(each, artifact)
    ]
    recent = [size for _, size in sorted(alike)[-_RECENT:]]
    return round(median(recent)) if recent else None


def _is_before(one: Earlier, other: Artifact) -> bool:
    if one.version == other.version:
        return False
    if one.published_at is None or other.published_at is None:
        return True
    return one.published_at < other.published_at


def _sentence(message: str) -> str:
    return " ".join(message.split()).partition(". ")[0].rstrip(". ")


def _cut(text: str, limit: int = _MAX_TEXT) -> str:
    if len(text) <= limit:
        return text
    head = limit * 2 // 5
    return f"{text[:head]}…{text[head + 1 - limit :]}"


def iso(moment: datetime | None) -> str | None:
    """A moment as text that sorts like it: UTC, ISO 8601."""
    return moment.astimezone(UTC).isoformat() if moment is not None else None
