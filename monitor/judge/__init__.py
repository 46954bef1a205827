"""Findings + posture -> a verdict with reasons. Pure: no clock, no network, no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.judge import ownership, posture, severity, verdict
from monitor.judge.evidence import Facts

if TYPE_CHECKING:
    from monitor.model import Finding, Inspection, Organisation, Posture, Release, Verdict

__all__ = ["judge"]


def judge(
    inspection: Inspection,
    *,
    target: str,
    organisation: Organisation | None = None,
    release: Release | None = None,
    is_history: bool = False,
) -> tuple[Posture, Verdict, list[Finding]]:
    """The posture, the verdict and the findings with their final severities, worst first.

    ``target`` is what was asked for (a package URL, a short form or a path); ``organisation`` is
    the operator's entry for the package's owner, ``release`` what its registry says of it.
    ``is_history``: the files are a repository's commits, not a package.
    """
    facts = Facts(inspection, target, organisation, release)
    concluded = posture.of_history() if is_history else posture.conclude(facts)
    found = [severity.moved(each, concluded.value) for each in inspection.findings]
    if not is_history:
        found += ownership.findings(facts, concluded)
    found.sort(key=verdict.order)
    return concluded, verdict.conclude(found, inspection, concluded), found
