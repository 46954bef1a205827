"""What the container itself tells: hazards, gaps, a wheel's RECORD, names, packers and owners."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from monitor.detectors.context import NOTHING_KNOWN, Context
from monitor.detectors.packaging import contents, origin
from monitor.detectors.packaging.told import finding
from monitor.model import Severity
from monitor.model.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.model import Finding, Hazard, Inspection

_MAX_SHOWN = 20
_HONEST = frozenset({"link", "long-name", "not-utf8", "sparse", "trailing"})
"""Hazards that honest packers leave too: links inside the package, names of another age."""


def conclude(inspection: Inspection, context: Context = NOTHING_KNOWN) -> Sequence[Finding]:
    """Findings over one artifact's containers and what they declare."""
    return [
        *_hazards(inspection.hazards),
        *_gaps(inspection),
        *contents.findings(inspection),
        *origin.findings(inspection, context),
    ]


def _hazards(hazards: Sequence[Hazard]) -> Iterator[Finding]:
    """S9: one finding for each kind of hazard."""
    by_kind: dict[str, list[Hazard]] = {}
    for hazard in hazards:
        by_kind.setdefault(hazard.kind, []).append(hazard)
    for kind, met in sorted(by_kind.items()):
        yield finding(
            f"archive-{kind}",
            "hazard",
            Severity.LOW if kind in _HONEST else Severity.MEDIUM,
            f"{count(len(met), 'archive member')} with the hazard {kind!r}; nothing was extracted.",
            met[0].path,
            subject=kind,
            evidence={
                "count": len(met),
                "paths": [each.path for each in met[:_MAX_SHOWN]],
                "detail": met[0].detail,
            },
            advice="Find out who built the artifact, and with what, before anybody unpacks it.",
        )


def _gaps(inspection: Inspection) -> Iterator[Finding]:
    """What was not inspected is never passed over in silence: at least MEDIUM."""
    told = {(each.path, each.problem) for each in inspection.source_maps if each.problem}
    skipped = [(each.path, each.reason) for each in inspection.skipped]
    missed = [each for each in skipped if each not in told]  # a map's gap is told of the map
    if not missed:
        return
    reasons = Counter(reason for _, reason in missed)
    named = ", ".join(f"{reason} ({often:,})" for reason, often in reasons.most_common(5))
    evidence: dict[str, Any] = {
        "reasons": dict(reasons),
        "paths": [path for path, _ in missed[:_MAX_SHOWN]],
    }
    yield finding(
        "not-fully-inspected",
        "not-inspected",
        Severity.MEDIUM,
        f"Not fully inspected: {count(len(missed), 'item')} could not be read in full: {named}.",
        missed[0][0],
        subject=",".join(sorted(reasons)),
        evidence=evidence,
        advice="Look at these by hand, or raise the limits and scan again.",
    )
