"""Digests: what a channel holds back, gathered and told in one message, once.

A digest takes the same way as an alert (``outbox``): due, sending, sent or failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.model import Digest, Outgoing
from monitor.store.core import changed
from monitor.store.nouns import event_of, incident_of
from monitor.store.settling import Settling
from monitor.store.tables import EventRow, IncidentRow, PackageRow
from monitor.store.tables_work import DigestRow, OutgoingRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

DIGEST_PREFIX = "digest:"
MAX_ENTRIES = 500
"""Events in one digest; what is beyond waits for a further one of the same moment."""

PENDING = ("waiting", "sending")


class Digests(Settling):
    """Alerts that wait for company."""

    async def digests_close(self, until: datetime) -> int:
        """Make a digest of what each channel has held since before ``until``; how many were made.

        The same moment twice makes nothing new.
        """
        held = sa.select(OutgoingRow.channel).where(
            OutgoingRow.state == "held",
            OutgoingRow.digest_id.is_(None),
            OutgoingRow.created_at < until,
        )
        made = 0
        async with self.database.writing() as session:
            for channel in sorted(set((await session.execute(held)).scalars())):
                made += await self._close(session, channel, until)
        return made

    async def digest_due(self, channel: str, now: datetime) -> Digest | None:
        """The channel's oldest digest that is due."""
        query = (
            sa.select(DigestRow)
            .where(DigestRow.channel == channel, DigestRow.state.in_(PENDING))
            .where(DigestRow.due_at <= now)
            .order_by(DigestRow.created_at, DigestRow.id)
        )
        async with self.database.reading() as session:
            row = (await session.execute(query.limit(1))).scalar()
            if row is None:
                return None
            return Digest(
                id=row.id,
                channel=channel,
                entries=await self._entries(session, row.id),
                attempts=row.attempts,
                is_uncertain=row.state == "sending",
                created_at=row.created_at,
            )

    async def turn_digest(self, digest: str, values: dict[str, Any]) -> int:
        """Change a digest that is on its way; its entries are ``sent`` with it."""
        pending = sa.update(DigestRow).where(DigestRow.id == digest, DigestRow.state.in_(PENDING))
        entries = sa.update(OutgoingRow).where(OutgoingRow.digest_id == digest)
        async with self.database.writing() as session:
            touched = changed(await session.execute(pending.values(values)))
            if touched and values.get("state") == "sent":
                # Without a message of their own: what follows begins a thread.
                told = {"state": "sent", "sent_at": values["sent_at"], "message_id": None}
                await session.execute(entries.values(told))
            return touched

    async def _close(self, session: AsyncSession, channel: str, until: datetime) -> int:
        waiting = (
            sa.select(OutgoingRow.number)
            .where(OutgoingRow.channel == channel, OutgoingRow.state == "held")
            .where(OutgoingRow.digest_id.is_(None), OutgoingRow.created_at < until)
            .order_by(OutgoingRow.number)
        )
        numbers = list((await session.execute(waiting)).scalars())
        made = 0
        for start in range(0, len(numbers), MAX_ENTRIES):
            batch = numbers[start : start + MAX_ENTRIES]
            name = f"{DIGEST_PREFIX}{channel}:{until.isoformat()}:{batch[0]}"
            session.add(
                DigestRow(
                    id=name, channel=channel, state="waiting", attempts=0, reason="",
                    created_at=self.clock(), due_at=self.clock(),
                )
            )  # fmt: skip
            await session.flush()
            taking = sa.update(OutgoingRow).where(OutgoingRow.number.in_(batch))
            await session.execute(taking.values(digest_id=name))
            made += 1
        return made

    async def _entries(self, session: AsyncSession, digest: str) -> list[Outgoing]:
        query = (
            sa.select(OutgoingRow, EventRow, IncidentRow, PackageRow)
            .join(EventRow, EventRow.id == OutgoingRow.event_id)
            .join(IncidentRow, IncidentRow.id == OutgoingRow.incident_id)
            .join(PackageRow, PackageRow.id == IncidentRow.package_id)
            .where(OutgoingRow.digest_id == digest)
            .order_by(OutgoingRow.number)
        )
        return [
            Outgoing(
                id=row.id,
                channel=row.channel,
                event=event_of(event),
                incident=incident_of(incident, package),
                created_at=row.created_at,
            )
            for row, event, incident, package in (await session.execute(query)).all()
        ]
