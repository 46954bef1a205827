"""The outbox: each event for each channel, oldest first, until the channel has taken it.

Two steps lie around the call to a channel: ``outbox_sending`` before, ``outbox_sent`` or
``outbox_failed`` after. Whoever dies between them leaves the alert uncertain: it may have arrived,
and the channel is asked for its id before it is sent again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.model import Outgoing
from monitor.store.core import changed
from monitor.store.nouns import event_of, incident_of
from monitor.store.settling import Settling
from monitor.store.tables import EventRow, IncidentRow, PackageRow
from monitor.store.tables_work import OutgoingRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

PENDING = ("waiting", "sending")


class Outbox(Settling):
    """Alerts on their way."""

    async def outbox_due(self, channel: str) -> Outgoing | None:
        """The oldest alert that the channel has not taken, if it is due.

        While it has to wait (a retry), so do all behind it: the channel hears things in order.
        """
        query = (
            sa.select(OutgoingRow, EventRow, IncidentRow, PackageRow)
            .join(EventRow, EventRow.id == OutgoingRow.event_id)
            .join(IncidentRow, IncidentRow.id == OutgoingRow.incident_id)
            .join(PackageRow, PackageRow.id == IncidentRow.package_id)
            .where(OutgoingRow.channel == channel, OutgoingRow.state.in_(PENDING))
            .order_by(OutgoingRow.number)
            .limit(1)
        )
        async with self.database.reading() as session:
            found = (await session.execute(query)).first()
            if found is None or found[0].due_at > self.clock():
                return None
            row, event, incident, package = found
            return Outgoing(
                id=row.id,
                channel=channel,
                event=event_of(event),
                incident=incident_of(incident, package),
                thread=await self._thread(session, row.incident_id, channel),
                attempts=row.attempts,
                is_uncertain=row.state == "sending",
                created_at=row.created_at,
            )

    async def outbox_sending(self, outgoing_id: str, *, lease_seconds: float = 0) -> bool:
        """Note that it is about to be sent; False if it was dealt with meanwhile.

        For ``lease_seconds`` it is not due for anybody else. Counts an attempt.
        """
        now = self.clock()
        values = {
            "state": "sending",
            "sending_at": now,
            "attempts": OutgoingRow.attempts + 1,
            "due_at": now + timedelta(seconds=lease_seconds),
        }
        return await self._turn_to(outgoing_id, values)

    async def outbox_sent(self, outgoing_id: str, message_id: str) -> bool:
        """The channel took it as ``message_id``. The incident's first is when people were told."""
        now = self.clock()
        values = {"state": "sent", "sent_at": now, "message_id": message_id, "reason": ""}
        of_alert = sa.select(OutgoingRow.incident_id).where(OutgoingRow.id == outgoing_id)
        telling = (
            sa.update(IncidentRow)
            .where(IncidentRow.id == of_alert.scalar_subquery(), IncidentRow.alerted_at.is_(None))
            .values(alerted_at=now)
        )
        async with self.database.writing() as session:
            is_ours = changed(await session.execute(_pending(outgoing_id).values(values))) == 1
            if is_ours:
                await session.execute(telling)
            return is_ours

    async def outbox_failed(
        self,
        outgoing_id: str,
        reason: str,
        retry_at: datetime | None,
        *,
        is_uncertain: bool = False,
    ) -> bool:
        """It was not taken: due again at ``retry_at``, or None: set aside, visible, for good.

        ``is_uncertain``: no answer came, so it may have been taken.
        """
        if retry_at is None:
            return await self._turn_to(outgoing_id, {"state": "failed", "reason": reason})
        state = "sending" if is_uncertain else "waiting"
        values = {"state": state, "reason": reason, "due_at": retry_at}
        return await self._turn_to(outgoing_id, values)

    async def outbox_revive(self, channel: str) -> int:
        """Make everything of a channel due now, also what was set aside (a new token is there)."""
        reviving = (
            sa.update(OutgoingRow)
            .where(OutgoingRow.channel == channel, OutgoingRow.state != "sent")
            .values(
                due_at=self.clock(),
                state=sa.case((OutgoingRow.state == "failed", "waiting"), else_=OutgoingRow.state),
            )
        )
        async with self.database.writing() as session:
            return changed(await session.execute(reviving))

    async def outbox_next_at(self, channel: str) -> datetime | None:
        """When the channel's oldest pending alert is due; None if nothing is pending."""
        query = (
            sa.select(OutgoingRow.due_at)
            .where(OutgoingRow.channel == channel, OutgoingRow.state.in_(PENDING))
            .order_by(OutgoingRow.number)
        )
        async with self.database.reading() as session:
            return (await session.execute(query.limit(1))).scalar()

    async def _turn_to(self, outgoing_id: str, values: dict[str, Any]) -> bool:
        async with self.database.writing() as session:
            return changed(await session.execute(_pending(outgoing_id).values(values))) == 1

    async def _thread(self, session: AsyncSession, incident_id: str, channel: str) -> str | None:
        first = (
            sa.select(OutgoingRow.message_id)
            .where(
                OutgoingRow.incident_id == incident_id,
                OutgoingRow.channel == channel,
                OutgoingRow.state == "sent",
            )
            .order_by(OutgoingRow.number)
        )
        return (await session.execute(first.limit(1))).scalar()


def _pending(outgoing_id: str) -> sa.Update:
    return sa.update(OutgoingRow).where(
        OutgoingRow.id == outgoing_id, OutgoingRow.state.in_(PENDING)
    )
