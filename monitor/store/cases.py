"""Incidents: what settle and the operator's commands write of them, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from monitor.errors import UsageError
from monitor.model import (
    Finding,
    Incident,
    IncidentChange,
    IncidentEvent,
    Severity,
)
from monitor.store.artifacts import whole
from monitor.store.core import absent
from monitor.store.keys import deliver_job
from monitor.store.nouns import ELSEWHERE, event_of, incident_of
from monitor.store.packages import Packages
from monitor.store.records import IncidentFilter
from monitor.store.repositories import Repositories
from monitor.store.tables import (
    ArtifactRow,
    EventRow,
    FindingRow,
    IncidentArtifactRow,
    IncidentRow,
    PackageRow,
)
from monitor.store.tables_work import AuditRow, OutgoingRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from monitor.model import Job, Ownership
    from monitor.store.records import Stored

Change = Callable[[Incident], IncidentChange]

Hold = Callable[[Incident, IncidentEvent, Sequence[str]], Mapping[str, bool]]
"""Who hears of an event: channel -> whether it is held for that channel's digest.

The last argument names the channels that were told of the incident before.
"""
Hearers = Sequence[str] | Hold
"""The channels that hear of everything at once, or who chooses."""


class Cases(Packages, Repositories):
    """Incidents and their events."""

    async def incidents(self, wanted: IncidentFilter | None = None) -> list[Incident]:
        """Incidents, latest first."""
        query = _narrowed(_cases(), wanted or IncidentFilter())
        async with self.database.reading() as session:
            return [incident_of(*row) for row in await session.execute(query)]

    async def known_incidents(self, ecosystem: str, package: str) -> list[Incident]:
        """All incidents of one package, oldest first."""
        query = _cases().where(PackageRow.ecosystem == ecosystem, PackageRow.name == package)
        async with self.database.reading() as session:
            rows = await session.execute(query.order_by(IncidentRow.opened_at))
            return [incident_of(*row) for row in rows]

    async def incident(self, incident_id: str) -> Incident:
        """One incident, by its id or the beginning of it, if that is no other's.

        Raises NotFoundError, or UsageError where several begin so.
        """
        async with self.database.reading() as session:
            return incident_of(*await self._case(session, incident_id))

    async def incident_events(self, incident_id: str) -> list[IncidentEvent]:
        """What happened to an incident, oldest first."""
        query = sa.select(EventRow).where(EventRow.incident_id == incident_id)
        async with self.database.reading() as session:
            rows = (await session.execute(query.order_by(EventRow.number))).scalars()
            return [event_of(row) for row in rows]

    async def incident_findings(self, incident_id: str, limit: int = 1000) -> list[Finding]:
        """The findings of the latest artifact that the incident was seen in, sealed."""
        latest = sa.select(sa.func.max(IncidentArtifactRow.artifact_id)).where(
            IncidentArtifactRow.incident_id == incident_id
        )
        return await self._findings(FindingRow.artifact_id == latest.scalar_subquery(), limit)

    async def incident_evidence(self, incident_id: str) -> Stored | None:
        """The latest artifact of an incident whose bytes are kept."""
        query = (
            whole()
            .join(IncidentArtifactRow, IncidentArtifactRow.artifact_id == ArtifactRow.id)
            .where(IncidentArtifactRow.incident_id == incident_id)
        )
        return await self._latest_kept(query)

    async def findings(self, artifact_id: int, limit: int = 100_000) -> list[Finding]:
        """The findings of an artifact's last scan, sealed, in the order of the report."""
        return await self._findings(FindingRow.artifact_id == artifact_id, limit)

    async def change_incident(
        self,
        incident_id: str,
        change: Change,
        *,
        actor: str,
        action: str,
        reason: str = "",
        channels: Hearers = (),
    ) -> Incident:
        """Change one incident: ``change`` is called inside the transaction with how it stands.

        Events, outgoing alerts and the audit log's entry are written with it. ``change`` may raise
        any of our errors; then nothing was done.
        """
        now = self.clock()
        async with self.database.writing() as session:
            row, package = await self._case(session, incident_id, is_locked=True)
            made = change(incident_of(row, package))
            if made.incident.id != row.id:
                raise ValueError("a change keeps the incident's id")
            session.add(
                AuditRow(
                    at=now, actor=actor, action=action, subject=row.id, reason=reason, detail={}
                )
            )
            await self._record(session, package.id, [made], channels)
            return made.incident

    async def observe(
        self,
        ecosystem: str,
        name: str,
        ownership: Ownership,
        decide: Callable[[Sequence[Incident]], Sequence[IncidentChange]],
        *,
        channels: Hearers = (),
    ) -> list[IncidentChange]:
        """What is to be told of a package without an artifact: ``decide`` as for ``settle``."""
        now = self.clock()
        async with self.database.writing() as session:
            package_id = await self._package(session, ecosystem, name, ownership, now)
            changes = list(decide(await self._known(session, package_id)))
            await self._record(session, package_id, changes, channels)
            return changes

    async def _findings(self, condition: Any, limit: int) -> list[Finding]:
        query = sa.select(FindingRow.document).where(condition).order_by(FindingRow.id)
        async with self.database.reading() as session:
            documents = (await session.execute(query.limit(limit))).scalars()
            return [msgspec.convert(document, Finding) for document in documents]

    async def _case(
        self, session: AsyncSession, incident_id: str, *, is_locked: bool = False
    ) -> tuple[IncidentRow, PackageRow]:
        query = _cases().where(IncidentRow.id.startswith(incident_id, autoescape=True)).limit(3)
        if is_locked:
            query = self.database.locked(query)
        rows = [(row[0], row[1]) for row in await session.execute(query)]
        exact = [pair for pair in rows if pair[0].id == incident_id]
        if exact or len(rows) == 1:
            return (exact or rows)[0]
        if rows:
            raise UsageError(f"{incident_id}: several incidents begin so: give more of the id")
        return absent(f"incident {incident_id}")

    async def _known(self, session: AsyncSession, package_id: int) -> list[Incident]:
        query = _cases().where(IncidentRow.package_id == package_id)
        rows = await session.execute(query.order_by(IncidentRow.opened_at))
        return [incident_of(*row) for row in rows]

    async def _record(
        self,
        session: AsyncSession,
        package_id: int,
        changes: Sequence[IncidentChange],
        channels: Hearers,
        artifact_id: int | None = None,
    ) -> list[str]:
        """Write incidents, events, outgoing alerts and their jobs; the ids of the new alerts."""
        jobs: list[Job] = []
        for change in changes:
            values = _values(change.incident) | {"package_id": package_id}
            made = self.database.insert(IncidentRow).values(values)
            await session.execute(
                made.on_conflict_do_update(index_elements=[IncidentRow.id], set_=values)
            )
            if artifact_id is not None:
                seen = self.database.insert(IncidentArtifactRow).values(
                    incident_id=change.incident.id, artifact_id=artifact_id
                )
                await session.execute(seen.on_conflict_do_nothing())
            for event in change.events:
                jobs += await self._event(session, change.incident, event, channels)
        await self._enqueue(session, jobs)
        return [job.payload["outgoing"] for job in jobs]

    async def _event(
        self, session: AsyncSession, incident: Incident, event: IncidentEvent, channels: Hearers
    ) -> list[Job]:
        made = self.database.insert(EventRow).values(msgspec.structs.asdict(event))
        fresh = await session.execute(made.on_conflict_do_nothing().returning(EventRow.id))
        if not fresh.first() or not event.is_told:
            return []
        if callable(channels):
            hearing = channels(incident, event, await self._told_before(session, incident.id))
        else:
            hearing = dict.fromkeys(channels, False)
        now = self.clock()
        jobs = []
        for channel, is_held in hearing.items():
            outgoing_id = f"{event.id}:{channel}"
            session.add(_outgoing(outgoing_id, event, channel, now, is_held=is_held))
            if not is_held:
                jobs.append(deliver_job(outgoing_id, channel, now))
        await session.flush()
        return jobs

    async def _told_before(self, session: AsyncSession, incident_id: str) -> list[str]:
        """The channels that have a message of the incident's own, or will."""
        query = (
            sa.select(OutgoingRow.channel)
            .where(OutgoingRow.incident_id == incident_id, OutgoingRow.digest_id.is_(None))
            .where(OutgoingRow.state != "held")
        )
        return sorted(set((await session.execute(query)).scalars()))


def _outgoing(
    outgoing_id: str, event: IncidentEvent, channel: str, now: datetime, *, is_held: bool
) -> OutgoingRow:
    return OutgoingRow(
        id=outgoing_id,
        event_id=event.id,
        incident_id=event.incident_id,
        channel=channel,
        state="held" if is_held else "waiting",
        attempts=0,
        reason="",
        created_at=now,
        due_at=now,
    )


def _cases() -> sa.Select[IncidentRow, PackageRow]:
    return sa.select(IncidentRow, PackageRow).join(
        PackageRow, PackageRow.id == IncidentRow.package_id
    )


def _narrowed(
    query: sa.Select[IncidentRow, PackageRow], wanted: IncidentFilter
) -> sa.Select[IncidentRow, PackageRow]:
    if wanted.states:
        query = query.where(IncidentRow.state.in_([state.value for state in wanted.states]))
    if wanted.organisation:
        query = query.where(IncidentRow.organisation == wanted.organisation)
    if wanted.ecosystem:
        query = query.where(PackageRow.ecosystem == wanted.ecosystem)
    if wanted.package:
        query = query.where(PackageRow.name == wanted.package)
    if wanted.min_severity is not Severity.NONE:
        enough = [level.value for level in Severity if level >= wanted.min_severity]
        query = query.where(IncidentRow.severity.in_(enough))
    if wanted.since is not None:
        query = query.where(IncidentRow.opened_at >= wanted.since)
    return query.order_by(IncidentRow.opened_at.desc(), IncidentRow.id).limit(wanted.limit)


def _values(incident: Incident) -> dict[str, Any]:
    values = msgspec.structs.asdict(incident)
    for name in ELSEWHERE:
        del values[name]
    return values | {"severity": incident.severity.value, "state": incident.state.value}
