"""The schema: what is known of packages, of their artifacts and of what was found in them.

Enumerations stand as their words. Every text may come from a stranger. ``tables_work`` holds the
rest: feeds, jobs, outgoing alerts and the operator's own records.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from monitor.store.columns import Row


class OrganisationRow(Row):
    """An organisation that was ever configured and had a package."""

    __tablename__ = "organisations"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    first_seen_at: Mapped[datetime]


class PackageRow(Row):
    """A package, whose it is and why the perimeter says so."""

    __tablename__ = "packages"
    __table_args__ = (UniqueConstraint("ecosystem", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    ecosystem: Mapped[str]
    name: Mapped[str]
    reason: Mapped[str]
    first_seen_at: Mapped[datetime]


class DistTagRow(Row):
    """Where a package's tag (npm's ``latest``, ``next`` ...) points, and since when we know it."""

    __tablename__ = "dist_tags"

    package_id: Mapped[int] = mapped_column(
        ForeignKey("packages.id", ondelete="CASCADE"), primary_key=True
    )
    tag: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    moved_at: Mapped[datetime]


class PackageEventRow(Row):
    """What happened to a package beside its releases; the same twice is one (``subject``)."""

    __tablename__ = "package_events"
    __table_args__ = (UniqueConstraint("package_id", "kind", "subject"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    package_id: Mapped[int] = mapped_column(ForeignKey("packages.id", ondelete="CASCADE"))
    kind: Mapped[str]
    subject: Mapped[str]
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]]


class ReleaseRow(Row):
    """One version. ``withdrawal`` is the registry's last word: yanked, removed, ... or none."""

    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("package_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    package_id: Mapped[int] = mapped_column(ForeignKey("packages.id"))
    version: Mapped[str]
    licence: Mapped[str]
    repository: Mapped[str]
    publisher: Mapped[str]
    maintainers: Mapped[list[Any]]
    published_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime] = mapped_column(index=True)
    withdrawal: Mapped[str] = mapped_column(default="")
    withdrawn_at: Mapped[datetime | None]


class ArtifactRow(Row):
    """One file of a release and how far the work on it is.

    ``state``: announced, fetched, settled or failed (with ``reason``). ``identity`` is the digest
    of ecosystem, name, version, filename and announced digest. The columns from ``status`` on are
    the result of the scan with the rules of ``rules_digest``; ``members_digest`` and ``profile``
    are what the next version is compared with.
    """

    __tablename__ = "artifacts"

    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id"), index=True)
    identity: Mapped[str] = mapped_column(unique=True)
    filename: Mapped[str]
    purl: Mapped[str]
    url: Mapped[str]
    digests: Mapped[dict[str, Any]]
    announced_size: Mapped[int | None] = mapped_column(BigInteger)
    published_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    withdrawal: Mapped[str] = mapped_column(default="")
    withdrawn_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(index=True, default="announced")
    reason: Mapped[str] = mapped_column(default="")
    evidence_key: Mapped[str | None] = mapped_column(index=True)
    is_evidence_going: Mapped[bool] = mapped_column(default=False)
    sha256: Mapped[str] = mapped_column(default="")
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    fetched_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None] = mapped_column(index=True)
    rules_digest: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="")
    severity: Mapped[str] = mapped_column(default="")
    summary: Mapped[str] = mapped_column(default="")
    reasons: Mapped[list[Any] | None]
    posture: Mapped[str] = mapped_column(default="")
    skipped: Mapped[list[Any] | None]
    members: Mapped[int] = mapped_column(BigInteger, default=0)
    members_digest: Mapped[str] = mapped_column(default="")
    profile: Mapped[dict[str, Any] | None]


class FindingRow(Row):
    """One finding of the last scan of an artifact: ``document`` is all of it, sealed."""

    __tablename__ = "findings"

    id: Mapped[int] = mapped_column(primary_key=True)
    artifact_id: Mapped[int] = mapped_column(
        ForeignKey("artifacts.id", ondelete="CASCADE"), index=True
    )
    fingerprint: Mapped[str] = mapped_column(index=True)
    secret_fingerprint: Mapped[str | None] = mapped_column(index=True)
    rule: Mapped[str]
    severity: Mapped[str]
    path: Mapped[str]
    document: Mapped[dict[str, Any]]


class IncidentRow(Row):
    """One cause in one package; the columns are those of ``model.Incident``."""

    __tablename__ = "incidents"
    __table_args__ = (Index(None, "state", "opened_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    package_id: Mapped[int] = mapped_column(ForeignKey("packages.id"), index=True)
    organisation: Mapped[str]
    cause: Mapped[str]
    title: Mapped[str]
    severity: Mapped[str]
    state: Mapped[str]
    opened_at: Mapped[datetime]
    first_seen_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    alerted_at: Mapped[datetime | None]
    last_verified_at: Mapped[datetime | None]
    is_present: Mapped[bool | None]
    first_bad_version: Mapped[str]
    last_clean_version: Mapped[str]
    versions: Mapped[list[Any]]
    artifacts: Mapped[list[Any]]
    snoozed_until: Mapped[datetime | None]
    note: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[dict[str, Any]]


class IncidentArtifactRow(Row):
    """Which artifacts an incident was seen in: their evidence outlives the common retention."""

    __tablename__ = "incident_artifacts"

    incident_id: Mapped[str] = mapped_column(
        ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True
    )
    artifact_id: Mapped[int] = mapped_column(
        ForeignKey("artifacts.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class EventRow(Row):
    """What happened to an incident, in the order of ``number``."""

    __tablename__ = "incident_events"

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    incident_id: Mapped[str] = mapped_column(
        ForeignKey("incidents.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    is_told: Mapped[bool]
    detail: Mapped[dict[str, Any]]
