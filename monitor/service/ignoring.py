"""The operator's ignores (``leakmon incidents ignore``) applied to a sealed report. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from monitor.model import Artifact, Finding, TargetReport
    from monitor.store import IgnoreRecord


def without_ignored(
    report: TargetReport,
    artifact: Artifact,
    organisation: str,
    ignores: Sequence[IgnoreRecord],
    today: date,
) -> TargetReport:
    """The report as incidents are made of it; what is stored of the artifact stays whole."""
    holding = [each for each in ignores if _concerns(each, artifact, organisation, today)]
    if not holding:
        return report
    kept = [
        finding for finding in report.findings if not any(_hides(each, finding) for each in holding)
    ]
    return replace(report, findings=kept)


def _concerns(ignore: IgnoreRecord, own: Artifact, organisation: str, today: date) -> bool:
    if ignore.expires is not None and ignore.expires < today:
        return False
    scope = (
        (ignore.organisation, organisation),
        (ignore.ecosystem, own.ecosystem),
        (ignore.package, own.name),
    )
    return all(not wanted or wanted == found for wanted, found in scope)


def _hides(ignore: IgnoreRecord, finding: Finding) -> bool:
    if ignore.fingerprint:
        known = {finding.fingerprint, finding.secret.fingerprint if finding.secret else ""}
        return ignore.fingerprint in known
    if not ignore.rule and not ignore.path:
        return False
    is_rule = not ignore.rule or ignore.rule == finding.rule
    return is_rule and (not ignore.path or fnmatchcase(finding.path, ignore.path))
