"""The operator's own records, what is unfinished, what may go, and the counts of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from monitor.model import Notice, Ownership
from monitor.store.core import changed
from monitor.store.digests import PENDING
from monitor.store.keys import artifact_job, deliver_job, resolve_job
from monitor.store.records import AuditEntry, Retention
from monitor.store.suspects import Suspects
from monitor.store.tables import ArtifactRow, IncidentArtifactRow, IncidentRow
from monitor.store.tables_work import AuditRow, JobRow, NoticeRow, OutgoingRow

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from monitor.model import Job

UNFINISHED = ("announced", "fetched")
_BATCH = 1000
_STRANGE = JobRow.kind == "stranger"
_ALIVE = ("open", "acknowledged", "snoozed")


class Ledger(Suspects):
    """Audit log, reconciliation, retention."""

    async def audit(
        self,
        actor: str,
        action: str,
        subject: str,
        *,
        reason: str = "",
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Add one entry; durable when this returns."""
        async with self.database.writing() as session:
            session.add(
                AuditRow(
                    at=self.clock(),
                    actor=actor,
                    action=action,
                    subject=subject,
                    reason=reason,
                    detail=detail or {},
                )
            )

    async def audit_log(self, limit: int = 100, *, action: str = "") -> list[AuditEntry]:
        """The latest entries, latest first."""
        query = sa.select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if action:
            query = query.where(AuditRow.action == action)
        async with self.database.reading() as session:
            rows = (await session.execute(query)).scalars()
            names = AuditEntry.__struct_fields__
            return [AuditEntry(**{name: getattr(row, name) for name in names}) for row in rows]

    async def unfinished(self) -> list[Job]:
        """The job of each notice, artifact and alert whose work the tables say is not done.

        ``Queue.ensure`` takes them: what the queue still has stays as it is.
        """
        async with self.database.reading() as session:
            return [
                *await self._unresolved(session),
                *await self._unsettled(session),
                *await self._undelivered(session),
            ]

    async def evidence_expired(self, keep: Retention) -> list[str]:
        """The evidence that may go now, by key; it is marked, and named again until it is gone.

        It may go if every artifact with these bytes is settled or failed and old enough, and none
        of their incidents is open, acknowledged or snoozed.
        """
        now = self.clock()
        alive = sa.func.max(sa.case((IncidentRow.state.in_(_ALIVE), 1), else_=0))
        latest = sa.func.max(ArtifactRow.fetched_at)
        busy = sa.func.max(sa.case((ArtifactRow.state.in_(UNFINISHED), 1), else_=0))
        old = sa.or_(
            sa.and_(sa.func.count(IncidentRow.id) == 0, latest < now - keep.clean),
            latest < now - max(keep.closed, keep.clean),
        )
        query = (
            sa.select(ArtifactRow.evidence_key)
            .outerjoin(IncidentArtifactRow, IncidentArtifactRow.artifact_id == ArtifactRow.id)
            .outerjoin(IncidentRow, IncidentRow.id == IncidentArtifactRow.incident_id)
            .where(ArtifactRow.evidence_key.is_not(None))
            .group_by(ArtifactRow.evidence_key)
            .having(alive == 0, busy == 0, old)
            .limit(_BATCH)
        )
        async with self.database.writing() as session:
            keys = [key for key in (await session.execute(query)).scalars() if key is not None]
            marking = sa.update(ArtifactRow).where(ArtifactRow.evidence_key.in_(keys))
            await session.execute(marking.values(is_evidence_going=True))
            return keys

    async def evidence_removed(self, key: str) -> int:
        """The bytes are gone. An artifact that came by them meanwhile is fetched anew.

        Gives how many artifacts lost their evidence for good.
        """
        now = self.clock()
        gone = {"evidence_key": None, "is_evidence_going": False}
        marked = sa.update(ArtifactRow).where(
            ArtifactRow.evidence_key == key, ArtifactRow.is_evidence_going
        )
        late = sa.select(ArtifactRow).where(
            ArtifactRow.evidence_key == key, ~ArtifactRow.is_evidence_going
        )
        async with self.database.writing() as session:
            jobs = []
            for row in (await session.execute(late)).scalars():
                row.evidence_key, row.state = None, "announced"
                jobs.append(artifact_job(row.id, row.identity, now))
            removed = changed(await session.execute(marked.values(gone)))
            await self._enqueue(session, jobs)
            return removed

    async def evidence_keys(self) -> set[str]:
        """Every key that an artifact refers to; what else lies in the evidence store is litter."""
        query = sa.select(ArtifactRow.evidence_key).where(ArtifactRow.evidence_key.is_not(None))
        async with self.database.reading() as session:
            return {key for key in (await session.execute(query)).scalars() if key is not None}

    async def latest_evidence(self) -> str | None:
        """The key of what was put into the evidence last and is to stay."""
        query = (
            sa.select(ArtifactRow.evidence_key)
            .where(ArtifactRow.evidence_key.is_not(None), ~ArtifactRow.is_evidence_going)
            .order_by(ArtifactRow.fetched_at.desc())
            .limit(1)
        )
        async with self.database.reading() as session:
            return (await session.execute(query)).scalar()

    async def purge(self, keep: Retention) -> int:
        """Forget finished work, and what was set aside long ago. Gives how many rows went.

        A job that was given up takes its notice with it, else that would bring it back.
        """
        now = self.clock()
        jobs = [
            sa.and_(JobRow.state == "done", JobRow.finished_at < now - keep.finished),
            sa.and_(JobRow.state == "done", JobRow.finished_at < now - keep.strangers, _STRANGE),
            sa.and_(JobRow.state == "dead", JobRow.finished_at < now - keep.finished, _STRANGE),
            sa.and_(JobRow.state == "dead", JobRow.finished_at < now - keep.set_aside),
        ]
        notices = sa.or_(
            sa.and_(NoticeRow.outcome != "", NoticeRow.resolved_at < now - keep.finished),
            sa.and_(NoticeRow.outcome == "not-ours", NoticeRow.resolved_at < now - keep.strangers),
        )
        given_up = sa.select(JobRow.key).where(JobRow.state == "dead", sa.or_(*jobs))
        ending = sa.update(NoticeRow).where(NoticeRow.key.in_(given_up), NoticeRow.outcome == "")
        async with self.database.writing() as session:
            await session.execute(ending.values(outcome="set-aside", resolved_at=now))
            gone = changed(await session.execute(sa.delete(JobRow).where(sa.or_(*jobs))))
            return gone + changed(await session.execute(sa.delete(NoticeRow).where(notices)))

    async def _unresolved(self, session: AsyncSession) -> list[Job]:
        query = sa.select(NoticeRow).where(NoticeRow.outcome == "").order_by(NoticeRow.seen_at)
        return [
            resolve_job(
                row.key,
                msgspec.convert(row.notice, Notice),
                msgspec.convert(row.ownership, Ownership),
                row.seen_at,
                row.priority,
            )
            for row in (await session.execute(query)).scalars()
        ]

    async def _unsettled(self, session: AsyncSession) -> list[Job]:
        query = (
            sa.select(ArtifactRow.id, ArtifactRow.identity, ArtifactRow.first_seen_at)
            .where(ArtifactRow.state.in_(UNFINISHED))
            .order_by(ArtifactRow.id)
        )
        return [artifact_job(*row) for row in await session.execute(query)]

    async def _undelivered(self, session: AsyncSession) -> list[Job]:
        query = (
            sa.select(OutgoingRow.id, OutgoingRow.channel, OutgoingRow.due_at)
            .where(OutgoingRow.state.in_(PENDING))
            .order_by(OutgoingRow.number)
        )
        return [deliver_job(*row) for row in await session.execute(query)]
