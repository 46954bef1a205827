"""What strangers publish beside us, as causes of incidents: imitated names, internal names, copies.

Each is told once a package: further versions change nothing unless they make it worse. It is
settled when the registry no longer serves the package, and told again if it comes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from monitor.detectors.fingerprints import of_finding
from monitor.incidents.actions import verified
from monitor.incidents.changing import changes
from monitor.incidents.identity import incident_id
from monitor.incidents.kinds import CONFUSION, COPY, IMPOSTORS, LOOKALIKE
from monitor.model import (
    Confidence,
    Finding,
    IncidentState,
    Posture,
    PostureValue,
    Severity,
    Status,
    TargetReport,
    Verdict,
)
from monitor.model.wording import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from monitor.model import Artifact, Incident, IncidentChange, Release

_DETECTOR = "packaging"
_MOST_PEOPLE = 5
_LABELS = {"npm": "npm", "pypi": "PyPI"}


class Impostor(Struct, frozen=True, kw_only=True):
    """A stranger's package. ``people`` published or own it, ``claims`` are repositories it names.

    ``runs_at_install`` says that installing it runs code of its publisher.
    """

    ecosystem: str
    name: str
    version: str
    people: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    runs_at_install: bool = False


def lookalike(found: Impostor, imitated: str, owner: str, how: str) -> Finding:
    """MEDIUM; HIGH if it runs code when it is installed."""
    told = (
        f"`{_shown(found.name)}` on {_LABELS[found.ecosystem]} can be taken for {imitated} of "
        f"{owner} by {how}{_by(found)}{_installing(found)}."
    )
    return _finding(
        LOOKALIKE,
        found,
        Severity.HIGH if found.runs_at_install else Severity.MEDIUM,
        told,
        {"imitates": imitated, "how": how, "organisation": owner},
    )


def confusion(found: Impostor, internal: str, owner: str, *, is_known_stranger: bool) -> Finding:
    """HIGH; CRITICAL if it runs code when it is installed: builds take it within minutes.

    ``is_known_stranger``: that none of its people is the owner's can be told.
    """
    glob = "" if internal == found.name else f" ({internal})"
    whom = "" if is_known_stranger else ", which may be a stranger"
    told = (
        f"The internal name `{_shown(found.name)}`{glob} of {owner} is on "
        f"{_LABELS[found.ecosystem]}{_by(found)}{whom}{_installing(found)}: builds that ask the "
        "public registry install it."
    )
    return _finding(
        CONFUSION,
        found,
        Severity.CRITICAL if found.runs_at_install else Severity.HIGH,
        told,
        {"internal": internal, "organisation": owner, "is_known_stranger": is_known_stranger},
    )


def copy(found: Impostor, *, of_incident: str, of_package: str, files: int, total: int) -> Finding:
    """CRITICAL: ``files`` of the ``total`` files of an incident, published by somebody else."""
    told = (
        f"Copy of {of_package} ({of_incident}): `{_shown(found.name)}@{_shown(found.version)}` on "
        f"{_LABELS[found.ecosystem]} has {files:,} of the {count(total, 'source file')} that "
        f"leaked{_by(found)}."
    )
    return _finding(
        COPY,
        found,
        Severity.CRITICAL,
        told,
        {
            "cause": f"{COPY}:{of_incident}",
            "incident": of_incident,
            "package": of_package,
            "share": round(files / max(1, total), 3),
            "files": files,
            "total": total,
        },
    )


def report(finding: Finding, artifact: Artifact) -> TargetReport:
    """What stands in the place of an inspection."""
    return TargetReport(
        target=artifact.purl,
        purl=artifact.purl,
        filename=artifact.filename,
        status=Status.COMPLETE,
        posture=Posture(PostureValue.UNKNOWN, ["a stranger's package"]),
        verdict=Verdict(finding.severity, finding.message, [finding.message]),
        findings=[finding],
    )


def observed(
    told: TargetReport,
    artifact: Artifact,
    organisation: str,
    known: Sequence[Incident],
    now: datetime,
    *,
    release: Release,
) -> list[IncidentChange]:
    """What the report on a stranger's package changes: news, worse than before, or back again."""
    if not told.findings:
        return []  # the operator does not want to hear of it
    finding = told.findings[0]
    cause = str(finding.evidence.get("cause") or finding.kind)
    name = incident_id(artifact.ecosystem, artifact.name, cause)
    before = next((each for each in known if each.id == name), None)
    if before is not None and finding.severity <= before.severity:
        is_back = before.state is IncidentState.RESOLVED and before.is_present is False
        return [verified(before, is_present=True, at=now)] if is_back else []
    made = changes(told, artifact, organisation, known, now, release=release)
    return [_once(each, finding) for each in made if each.incident.id == name]


def is_impostor(incident: Incident) -> bool:
    """Whether the incident is about a package of somebody else's."""
    return incident.cause.partition(":")[0] in IMPOSTORS


def is_known_stranger(incident: Incident) -> bool:
    """Whether it is sure that none of the owner's people published the package."""
    return bool(about(incident).get("is_known_stranger"))


def about(incident: Incident) -> Mapping[str, Any]:
    """What is remembered of the finding: ``imitates``, ``how``, ``people`` ..., by its kind."""
    found: Mapping[str, Any] = incident.detail.get("impostor", {})
    return found


def _once(change: IncidentChange, finding: Finding) -> IncidentChange:
    """A further version is on record; that it is worse is told, not that it is another one.

    ``detail["impostor"]`` keeps what the steps and the next look need.
    """
    observations = [
        _whole(each, change.incident) for each in change.incident.detail["observations"]
    ]
    detail = change.incident.detail | {
        "impostor": finding.evidence,
        "observations": observations,
    }
    incident = replace(change.incident, detail=detail)
    events = [
        replace(each, is_told=False) if each.kind == "version-added" else each
        for each in change.events
    ]
    return replace(change, incident=incident, events=events)


def _whole(seen: Mapping[str, Any], incident: Incident) -> dict[str, Any]:
    """An observation whose place is the package itself."""
    path = f"{incident.package}@{seen['version']}"
    places = [dict(each) | {"path": each.get("path") or path} for each in seen["places"]]
    return dict(seen) | {"places": places}


def _finding(
    kind: str,
    found: Impostor,
    severity: Severity,
    told: str,
    evidence: dict[str, Any],
) -> Finding:
    claims = [_shown(each) for each in found.claims[:_MOST_PEOPLE]]
    about = {
        "cause": kind,
        "people": [_shown(each) for each in found.people[:_MOST_PEOPLE]],
        "claims": claims,
        "runs_at_install": found.runs_at_install,
    }
    return Finding(
        rule=kind,
        detector=_DETECTOR,
        kind=kind,
        severity=severity,
        confidence=Confidence.HIGH,
        message=told,
        path="",
        fingerprint=of_finding(kind, found.ecosystem, found.name, str(evidence.get("cause", ""))),
        evidence=about | evidence,
        advice=f"It names {', '.join(claims)} as its repository, which anybody may do."
        if claims
        else None,
    )


def _by(found: Impostor) -> str:
    people = [_shown(each) for each in found.people]
    if not people:
        return ", published by somebody whom the registry does not name"
    more = f" and {len(people) - _MOST_PEOPLE} more" if len(people) > _MOST_PEOPLE else ""
    return f", published by {', '.join(people[:_MOST_PEOPLE])}{more}"


def _installing(found: Impostor) -> str:
    return "; installing it runs its code" if found.runs_at_install else ""


def _shown(text: str) -> str:
    """A stranger's word: one line, no markup."""
    made = "".join(each if each.isprintable() else "?" for each in text[:120])
    return made.replace("`", "'").replace(". ", ".")
