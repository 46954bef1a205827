"""From weighed advisories to findings: one for each advisory on each package of an artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitor.advisories.weighing import Reach, ranges
from monitor.detectors.fingerprints import of_finding
from monitor.http.settings import is_web
from monitor.model import NESTED, Confidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.advisories.weighing import Weighed

DETECTOR = "advisories"
KIND = "advisory"
_PAGE = "https://osv.dev/vulnerability/"
_MAX_PLACES = 20
_MAX_REFERENCES = 8
_MAX_SUMMARY = 160

_FIX = {
    "bundled": "Update the copy inside the package to {fixed}, and publish a new version.",
    "declared": "Let the range begin at {fixed}, and publish a new version.",
    "locked": "Update the lock file to {fixed}.",
    "pinned": "Update the pin to {fixed}.",
    "self": "Publish {fixed} or later, and yank or deprecate this version.",
    "shrinkwrap": "Update the shrinkwrap to {fixed}, and publish a new version.",
}
_NO_FIX = "No fixed version is known: replace the package, or show that its fault is not reached."


def findings(weighed: Iterable[Weighed]) -> list[Finding]:
    """The same advisory on the same package is told once, at its worst place."""
    groups: dict[tuple[str, str, str], list[Weighed]] = {}
    for each in weighed:
        groups.setdefault((each.id, each.wanted.ecosystem, each.wanted.name), []).append(each)
    return [_finding(sorted(group, key=_worst_first)) for group in groups.values()]


def _worst_first(each: Weighed) -> tuple[int, str]:
    return (-each.severity.rank, each.dependency.path)


def _finding(group: Sequence[Weighed]) -> Finding:
    worst = group[0]
    wanted = worst.wanted
    is_certain = worst.reach is not Reach.LOWEST
    return Finding(
        rule=worst.id,
        detector=DETECTOR,
        kind=KIND,
        severity=worst.severity,
        confidence=Confidence.HIGH if is_certain else Confidence.MEDIUM,
        message=_message(worst),
        path=worst.dependency.path,
        fingerprint=of_finding(worst.id, wanted.ecosystem, wanted.name),
        evidence=_evidence(group),
        references=_references(worst),
        advice=_advice(worst),
    )


def _message(each: Weighed) -> str:
    wanted, how = each.wanted, each.dependency.how
    shown = each.dependency.wanted or "(any version)"
    if each.reach is Reach.EXACT:
        where = {"self": "this package itself", "pinned": "pinned", "declared": "required"}.get(
            how, how
        )
        what = f"{wanted.name} {wanted.lowest[0].version} ({where}) has"
    elif each.reach is Reach.WHOLE:
        what = f"{wanted.name} {shown}: every version that this admits has"
    else:
        what = f"{wanted.name} {shown} also admits versions with"
    others = [name for name in each.names if name.startswith("CVE-") and name != each.id]
    told = ", ".join([each.id, *others])
    fixed = f"fixed in {', '.join(each.fixed)}" if each.fixed else "no fixed version is known"
    summary = next((record.summary for record in each.records if record.summary), "")
    summary = " ".join(summary.split())[:_MAX_SUMMARY].rstrip(". ")
    return f"{what} a known vulnerability, {told}{summary and f': {summary}'} ({fixed})."


def _evidence(group: Sequence[Weighed]) -> dict[str, Any]:
    worst = group[0]
    wanted, dependency = worst.wanted, worst.dependency
    listed = {
        "versions": sorted({q.version for each in group for q in each.wanted.lowest})
        if worst.reach is Reach.EXACT
        else [],
        "aliases": [name for name in worst.names if name != worst.id],
        "fixed": list(worst.fixed),
        "affected": list(dict.fromkeys(r for each in worst.records for r in ranges(each, wanted))),
        "dependency_path": _way(dependency.path) if dependency.how == "bundled" else [],
        "places": list(dict.fromkeys(each.dependency.path for each in group))[:_MAX_PLACES],
    }
    evidence: dict[str, Any] = {
        "package": wanted.name,
        "ecosystem": wanted.ecosystem,
        "how": dependency.how,
        "reach": worst.reach.value,
    }
    evidence |= {name: values for name, values in listed.items() if values}
    if wanted.text:
        evidence["range"] = dependency.wanted
    if dependency.condition:
        evidence["condition"] = dependency.condition
    if dependency.is_optional:
        evidence["optional"] = True
    if not any(record.rating() is not None for record in worst.records):
        evidence["severity"] = "not rated"
    return evidence


def _way(path: str) -> list[str]:
    """The packages from the outermost ``node_modules`` to the one at hand."""
    inner = path.rpartition(NESTED)[2].rpartition("/")[0]
    return [part.strip("/") for part in inner.split("node_modules/")[1:]]


def _references(each: Weighed) -> list[str]:
    page = f"{_PAGE}{each.records[0].id if each.records else each.id}"
    found = [one.url for record in each.records for one in record.references if is_web(one.url)]
    return list(dict.fromkeys([page, *found]))[:_MAX_REFERENCES]


def _advice(each: Weighed) -> str:
    if not each.fixed:
        return _NO_FIX
    return _FIX[each.dependency.how].format(fixed=" or ".join(each.fixed))
