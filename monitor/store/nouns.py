"""From rows to records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import (
    Artifact,
    Incident,
    IncidentEvent,
    IncidentState,
    Ownership,
    Release,
    Severity,
)
from monitor.store.records import Past, Stored

if TYPE_CHECKING:
    from monitor.store.tables import (
        ArtifactRow,
        EventRow,
        IncidentRow,
        PackageRow,
        ReleaseRow,
    )

ELSEWHERE = ("package", "ecosystem", "severity", "state")
"""The fields of an incident that do not stand in its row as they are."""


def incident_of(row: IncidentRow, package: PackageRow) -> Incident:
    """The noun that two rows stand for."""
    values = {
        name: getattr(row, name) for name in Incident.__struct_fields__ if name not in ELSEWHERE
    }
    return Incident(
        ecosystem=package.ecosystem,
        package=package.name,
        severity=Severity(row.severity),
        state=IncidentState(row.state),
        **values,
    )


def event_of(row: EventRow) -> IncidentEvent:
    """The noun that a row stands for."""
    return IncidentEvent(**{name: getattr(row, name) for name in IncidentEvent.__struct_fields__})


def stored_of(row: ArtifactRow, release: ReleaseRow, package: PackageRow, owner: str) -> Stored:
    """The record that four rows stand for."""
    artifact = Artifact(
        ecosystem=package.ecosystem,
        name=package.name,
        version=release.version,
        filename=row.filename,
        purl=row.purl,
        url=row.url,
        size=row.announced_size,
        digests=row.digests,
        published_at=row.published_at,
    )
    return Stored(
        artifact_id=row.id,
        artifact=artifact,
        ownership=Ownership(organisation=owner, reason=package.reason),
        state=row.state,
        reason=row.reason,
        evidence_key=row.evidence_key,
        sha256=row.sha256,
        size=row.size,
        rules_digest=row.rules_digest,
        first_seen_at=row.first_seen_at,
        settled_at=row.settled_at,
        withdrawal=row.withdrawal,
    )


def release_of(release: ReleaseRow, package: PackageRow) -> Release:
    """The noun that two rows stand for, without its files."""
    return Release(
        ecosystem=package.ecosystem,
        name=package.name,
        version=release.version,
        artifacts=[],
        licence=release.licence,
        repository=release.repository,
        maintainers=release.maintainers,
        publisher=release.publisher,
        published_at=release.published_at,
    )


def past_of(row: ArtifactRow, version: str) -> Past:
    """The record that a row stands for."""
    return Past(
        artifact_id=row.id,
        version=version,
        filename=row.filename,
        purl=row.purl,
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
        sha256=row.sha256,
        size=row.size,
        status=row.status,
        severity=row.severity,
        members=row.members,
        members_digest=row.members_digest,
        profile=row.profile or {},
        withdrawal=row.withdrawal,
    )
