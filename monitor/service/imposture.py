"""What is told of strangers' packages becomes incidents, and ends when the packages do."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from packageurl import PackageURL

from monitor import incidents
from monitor.errors import NotFoundError
from monitor.incidents import impostors
from monitor.incidents.kinds import CONFUSION
from monitor.model import Artifact, Release
from monitor.service.ignoring import without_ignored
from monitor.service.logs import logger
from monitor.watchers import WATCHERS
from monitor.watchers.npm.packuments import SECURITY_HOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import Finding, Incident, IncidentChange, Ownership, TargetReport
    from monitor.service.parts import Parts

_log = logger()
_INTERNAL = "internal-package"
"""The kind of what the judge says of one, and part of the marker's rule for its name."""


class About(Struct, frozen=True, kw_only=True):
    """The stranger's release that is told of."""

    ecosystem: str
    name: str
    version: str
    publisher: str = ""
    published_at: datetime | None = None


async def tell(
    finding: Finding, about: About, organisation: str, owner: Ownership, parts: Parts
) -> list[IncidentChange]:
    """Open or move the incident; ``owner`` is what is on record of the package, ours or nobody's.

    Ignores of the operator hold as they do for artifacts. Twice is harmless.
    """
    artifact = _artifact(about)
    release = Release(
        ecosystem=about.ecosystem,
        name=about.name,
        version=about.version,
        artifacts=[artifact],
        publisher=about.publisher,
    )
    now = parts.clock.now()
    ignores = await parts.store.ignores()
    report = impostors.report(finding, artifact)
    heard = without_ignored(report, artifact, organisation, ignores, now.date())

    def decide(known: Sequence[Incident]) -> Sequence[IncidentChange]:
        return impostors.observed(heard, artifact, organisation, known, now, release=release)

    made = await parts.store.observe(
        about.ecosystem, about.name, owner, decide, channels=parts.hearers
    )
    for change in made:
        if any(event.is_told for event in change.events):
            _log.warning(
                finding.message, step="resolve", reason=finding.kind, incidents=change.incident.id
            )
    if made:
        await parts.wake()
    return made


def without_blame(report: TargetReport, known: Sequence[Incident]) -> TargetReport:
    """The report without "this is an internal package" where strangers published it."""
    is_strangers = any(
        each.cause == CONFUSION and impostors.is_known_stranger(each) for each in known
    )
    if not is_strangers:
        return report
    kept = [
        each
        for each in report.findings
        if each.kind != _INTERNAL and not each.rule.startswith(f"owner-{_INTERNAL}-")
    ]
    return replace(report, findings=kept)


async def settle_gone(ecosystem: str, name: str, parts: Parts) -> None:
    """The registry serves the package no longer: what was told of it is resolved."""
    now = parts.clock.now()

    def change(standing: Incident) -> IncidentChange:
        return incidents.taken_down(standing, at=now)

    for incident in await parts.store.known_incidents(ecosystem, name):
        if not impostors.is_impostor(incident) or incident.is_present is False:
            continue
        await parts.store.change_incident(
            incident.id,
            change,
            actor="leakmon",
            action="verified",
            reason="gone",
            channels=parts.hearers,
        )
        await parts.wake()


async def still_there(ecosystem: str, name: str, parts: Parts) -> bool:
    """Whether a registry still serves a package, whatever version of it."""
    try:
        facts = await WATCHERS[ecosystem].ownership(parts.registries, parts.network, name)
    except NotFoundError:
        return False
    return facts.version != SECURITY_HOLDER


def _artifact(about: About) -> Artifact:
    namespace, _, last = about.name.rpartition("/")
    purl = PackageURL(about.ecosystem, namespace or None, last, about.version or None)
    return Artifact(
        ecosystem=about.ecosystem,
        name=about.name,
        version=about.version,
        filename="",
        purl=purl.to_string(),
        published_at=about.published_at,
    )
