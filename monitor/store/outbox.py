"""The outbox: each event for each channel, oldest first, until the channel has taken it.

Two steps lie around the call to a channel: ``outbox_sending`` before, ``outbox_sent`` or
``outbox_failed`` after (what ``alerts.delivery`` asks for). Whoever dies between them leaves the
alert uncertain: it may have arrived, and the channel is asked before it is sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.model import Outgoing
from monitor.store.core import changed
from monitor.store.digests import DIGEST_PREFIX, PENDING, Digests
from monitor.store.nouns import event_of, incident_of
from monitor.store.records import SetAside
from monitor.store.tables import EventRow, IncidentRow, PackageRow
from monitor.store.tables_work import DigestRow, OutgoingRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession


class Outbox(Digests):
    """Alerts on their way."""

    async def outbox_due(self, channel: str, now: datetime, limit: int = 1) -> list[Outgoing]:
        """What the channel has not taken and is due, oldest first (digests: ``digest_due``)."""
        query = (
            sa.select(OutgoingRow, EventRow, IncidentRow, PackageRow)
            .join(EventRow, EventRow.id == OutgoingRow.event_id)
            .join(IncidentRow, IncidentRow.id == OutgoingRow.incident_id)
            .join(PackageRow, PackageRow.id == IncidentRow.package_id)
            .where(OutgoingRow.channel == channel, OutgoingRow.state.in_(PENDING))
            .where(OutgoingRow.due_at <= now)
            .order_by(OutgoingRow.number)
            .limit(limit)
        )
        async with self.database.reading() as session:
            return [
                Outgoing(
                    id=row.id,
                    channel=channel,
                    event=event_of(event),
                    incident=incident_of(incident, package),
                    thread=await self._thread(session, row.incident_id, channel),
                    attempts=row.attempts,
                    is_uncertain=row.state == "sending",
                    created_at=row.created_at,
                )
                for row, event, incident, package in (await session.execute(query)).all()
            ]

    async def outbox_sending(self, outgoing: str, now: datetime) -> None:
        """From here on the message may have arrived. Counts an attempt."""
        attempts = (
            DigestRow.attempts if outgoing.startswith(DIGEST_PREFIX) else OutgoingRow.attempts
        )
        values = {"state": "sending", "sending_at": now, "attempts": attempts + 1}
        await self._turn_to(outgoing, values)

    async def outbox_sent(self, outgoing: str, message: str, now: datetime) -> None:
        """It arrived under this id. An incident's first is when people were told."""
        values = {"state": "sent", "sent_at": now, "message_id": message, "reason": ""}
        if outgoing.startswith(DIGEST_PREFIX):
            await self.turn_digest(outgoing, values)
            return
        of_alert = sa.select(OutgoingRow.incident_id).where(OutgoingRow.id == outgoing)
        telling = (
            sa.update(IncidentRow)
            .where(IncidentRow.id == of_alert.scalar_subquery(), IncidentRow.alerted_at.is_(None))
            .values(alerted_at=now)
        )
        async with self.database.writing() as session:
            if changed(await session.execute(_pending(outgoing).values(values))):
                await session.execute(telling)

    async def outbox_failed(
        self, outgoing: str, reason: str, due_at: datetime, *, is_uncertain: bool
    ) -> None:
        """It did not arrive, or (``is_uncertain``) nobody knows; it is due again at ``due_at``."""
        state = "sending" if is_uncertain else "waiting"
        await self._turn_to(outgoing, {"state": state, "reason": reason, "due_at": due_at})

    async def outbox_abandon(self, outgoing: str, reason: str) -> None:
        """Set it aside, visible, until ``outbox_revive``."""
        await self._turn_to(outgoing, {"state": "failed", "reason": reason})

    async def outbox_revive(self, channel: str) -> int:
        """Make everything of a channel due now, also what was set aside (a new token is there)."""
        reviving = (
            sa.update(OutgoingRow)
            .where(OutgoingRow.channel == channel, OutgoingRow.state.not_in(("sent", "held")))
            .values(
                due_at=self.clock(),
                state=sa.case((OutgoingRow.state == "failed", "waiting"), else_=OutgoingRow.state),
            )
        )
        digests = sa.update(DigestRow).where(
            DigestRow.channel == channel, DigestRow.state == "failed"
        )
        again = {"state": "waiting", "due_at": self.clock()}
        async with self.database.writing() as session:
            revived = changed(await session.execute(reviving))
            return revived + changed(await session.execute(digests.values(again)))

    async def outbox_set_aside(self, limit: int = 100) -> list[SetAside]:
        """The alerts that were abandoned, latest first."""
        query = (
            sa.select(OutgoingRow)
            .where(OutgoingRow.state == "failed")
            .order_by(OutgoingRow.number.desc())
            .limit(limit)
        )
        names = SetAside.__struct_fields__
        async with self.database.reading() as session:
            rows = (await session.execute(query)).scalars()
            return [SetAside(**{name: getattr(row, name) for name in names}) for row in rows]

    async def outbox_revive_one(self, outgoing: str) -> bool:
        """Make one abandoned alert due now; False if there is no such."""
        reviving = (
            sa.update(OutgoingRow)
            .where(OutgoingRow.id == outgoing, OutgoingRow.state == "failed")
            .values(due_at=self.clock(), state="waiting", reason="")
        )
        async with self.database.writing() as session:
            return changed(await session.execute(reviving)) == 1

    async def outbox_next_at(self, channel: str) -> datetime | None:
        """When the channel's next pending alert is due; None if nothing is pending."""
        query = sa.select(sa.func.min(OutgoingRow.due_at)).where(
            OutgoingRow.channel == channel, OutgoingRow.state.in_(PENDING)
        )
        async with self.database.reading() as session:
            return (await session.execute(query)).scalar()

    async def _turn_to(self, outgoing: str, values: dict[str, Any]) -> None:
        if outgoing.startswith(DIGEST_PREFIX):
            await self.turn_digest(outgoing, values)
            return
        async with self.database.writing() as session:
            await session.execute(_pending(outgoing).values(values))

    async def _thread(self, session: AsyncSession, incident_id: str, channel: str) -> str | None:
        first = (
            sa.select(OutgoingRow.message_id)
            .where(
                OutgoingRow.incident_id == incident_id,
                OutgoingRow.channel == channel,
                OutgoingRow.state == "sent",
                OutgoingRow.message_id.is_not(None),
            )
            .order_by(OutgoingRow.number)
        )
        return (await session.execute(first.limit(1))).scalar()


def _pending(outgoing: str) -> sa.Update:
    return sa.update(OutgoingRow).where(OutgoingRow.id == outgoing, OutgoingRow.state.in_(PENDING))
