"""The canary: a known leak takes the whole way on a schedule. Silence about it is the alert.

It belongs to no organisation and to an ecosystem of its own: when it is recognised nobody is told,
when it is not, an incident of its own kind is opened in every channel.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from monitor import canary, incidents
from monitor.alerts.slack import message
from monitor.model import (
    Artifact,
    Incident,
    IncidentChange,
    IncidentEvent,
    IncidentState,
    Ownership,
    Release,
    Severity,
)
from monitor.service.logs import logger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.model import TargetReport
    from monitor.service.parts import Parts
    from monitor.store import Settled, Stored

ECOSYSTEM = "leakmon"
NAME = "canary"
CAUSE = "canary"
PATIENCE = timedelta(minutes=10)
"""By then a canary is settled, or something is in its way."""

_REMEMBERED = 10
OWNER = Ownership(organisation="", reason="leakmon's own canary")
_log = logger()


async def release(parts: Parts) -> None:
    """Announce one more canary: from here on it is an artifact like any other.

    If one before is not settled by now, nothing that is published would be, and that is told.
    """
    now = parts.clock.now()
    for each in await parts.store.files(ECOSYSTEM, NAME, newest=_REMEMBERED):
        if each.state != "settled" and now - each.first_seen_at > PATIENCE:
            await silent(each.version, f"not inspected ({each.reason or each.state})", parts)
            break
    version = now.strftime("%Y%m%d.%H%M%S")
    artifact = _artifact(version, now)
    made = Release(
        ecosystem=ECOSYSTEM, name=NAME, version=version, artifacts=[artifact], published_at=now
    )
    await parts.store.announce(made, OWNER)
    await parts.wake()


def _artifact(version: str, now: datetime) -> Artifact:
    packed = canary.package()
    return Artifact(
        ecosystem=ECOSYSTEM,
        name=NAME,
        version=version,
        filename=canary.FILENAME,
        purl=f"pkg:generic/leakmon-canary@{version}",
        size=len(packed),
        digests={"sha256": hashlib.sha256(packed).hexdigest()},
        published_at=now,
    )


def decide(
    report: TargetReport, artifact: Artifact, known: Sequence[Incident], now: datetime
) -> list[IncidentChange]:
    """Nothing if an alert would have come of it; else, or when it sings again, the news of that."""
    problem = _problem(report, artifact, now)
    name = incidents.incident_id(ECOSYSTEM, NAME, CAUSE)
    standing = next((each for each in known if each.id == name), None)
    is_open = standing is not None and standing.state is not IncidentState.RESOLVED
    if problem and not is_open:
        return [_silent(name, standing, problem, artifact, now)]
    if not problem and is_open and standing is not None:
        reason = "the canary is recognised again"
        return [incidents.acted(standing, "resolved", at=now, actor="leakmon", reason=reason)]
    return []


async def stumbled(stored: Stored, reason: str, parts: Parts) -> None:
    """A canary could not be fetched or scanned, for the second time: no alert comes of it."""
    await silent(stored.artifact.version, f"not inspected ({reason})", parts)


async def silent(version: str, problem: str, parts: Parts) -> None:
    """Tell that no alert would come of a leak; once, until the canary sings again."""
    now = parts.clock.now()
    name = incidents.incident_id(ECOSYSTEM, NAME, CAUSE)
    artifact = _artifact(version, now)

    def decide(known: Sequence[Incident]) -> list[IncidentChange]:
        standing = next((each for each in known if each.id == name), None)
        if standing is not None and standing.state is not IncidentState.RESOLVED:
            return []
        return [_silent(name, standing, problem, artifact, now)]

    told_of = await parts.store.observe(ECOSYSTEM, NAME, OWNER, decide, channels=parts.hearers)
    if told_of:
        _tell(problem, parts)
        await parts.wake()


def told(settled: Settled, parts: Parts) -> None:
    """Note how it went."""
    if any(change.incident.state is IncidentState.OPEN for change in settled.changes):
        _tell("not recognised", parts)
        return
    parts.meters.canary.set(parts.clock.now().timestamp())
    where = ", ".join(each.name for each in parts.channels) or "no channel: none is configured"
    _log.info(
        f"the canary, a known leak, was recognised: a real one would be told to {where}",
        step="canary",
    )


def _tell(problem: str, parts: Parts) -> None:
    parts.meters.errors.labels("canary", "canary-silent").inc()
    _log.error(
        f"the canary, a known leak, would have raised no alert: {problem}",
        step="canary",
        reason="canary-silent",
    )


def _problem(report: TargetReport, artifact: Artifact, now: datetime) -> str:
    """Why no alert would have come of it, or nothing."""
    silent = canary.EXPECTED_DETECTORS - {finding.detector for finding in report.findings}
    if silent:
        return f"not recognised by {', '.join(sorted(silent))}"
    made = incidents.changes(report, artifact, "", [], now)
    loud = [each.incident for each in made if any(event.is_told for event in each.events)]
    if not any(each.severity is Severity.CRITICAL for each in loud):
        return "no critical incident came of it"
    if not all(message.message(each, now) for each in loud):
        return "no message came of its incidents"
    return ""


def _silent(
    name: str, standing: Incident | None, problem: str, artifact: Artifact, now: datetime
) -> IncidentChange:
    incident = Incident(
        id=name,
        organisation="",
        ecosystem=ECOSYSTEM,
        package=NAME,
        cause=CAUSE,
        title=f"leakmon does not see its own canary: {problem}",
        severity=Severity.CRITICAL,
        opened_at=now,
        first_seen_at=now,
        versions=[artifact.version],
        artifacts=[artifact.purl],
        reason=problem,
    )
    if standing is not None:
        incident = replace(incident, opened_at=standing.opened_at, alerted_at=standing.alerted_at)
    kind = "opened" if standing is None else "reopened"
    event = IncidentEvent(
        id=incidents.event_id(name, kind, artifact.version),
        incident_id=name,
        kind=kind,
        at=now,
        detail={"reason": problem, "version": artifact.version, "purl": artifact.purl},
    )
    return IncidentChange(incident=incident, events=[event])
