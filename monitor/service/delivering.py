"""Deliver: one loop per channel, woken by what is settled; the outbox says what is due."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.alerts.delivery import Delivery
from monitor.errors import TransientError
from monitor.service.logs import logger
from monitor.service.troubles import Troubles

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from monitor.alerts import Channel
    from monitor.model import Digest, Outgoing
    from monitor.service.meters import Meters
    from monitor.service.parts import Parts
    from monitor.store import Store

PATIENCE = 1.0
LEASE_SECONDS = 120.0
WORKER = "local/deliver"
_AGAIN = timedelta(seconds=30)
_log = logger()


class CountedOutbox:
    """The store's outbox for one channel; what becomes of each message is counted."""

    def __init__(self, channel: str, store: Store, meters: Meters) -> None:
        self._channel = channel
        self._store = store
        self._meters = meters
        self._due: Outgoing | None = None

    async def outbox_due(self, channel: str, now: datetime, limit: int = 1) -> list[Outgoing]:
        """See ``alerts.delivery.Outbox``; all of these are."""
        found = await self._store.outbox_due(channel, now, limit)
        self._due = found[0] if found else None
        return found

    async def digest_due(self, channel: str, now: datetime) -> Digest | None:
        """See ``alerts.delivery.Outbox``."""
        self._due = None
        return await self._store.digest_due(channel, now)

    async def outbox_sending(self, outgoing: str, now: datetime) -> None:
        """From here on the message may have arrived."""
        await self._store.outbox_sending(outgoing, now)

    async def outbox_sent(self, outgoing: str, message: str, now: datetime) -> None:
        """It arrived."""
        await self._store.outbox_sent(outgoing, message, now)
        self._meters.deliveries.labels(self._channel, "sent").inc()
        due = self._due
        if due is None:
            return
        took = (now - due.created_at).total_seconds()
        self._meters.alerts.labels(self._channel).observe(took)
        _log.info(
            f"told of {due.event.kind}",
            step="deliver",
            channel=self._channel,
            incident=due.incident.id,
            seconds=round(took, 3),
        )

    async def outbox_failed(
        self, outgoing: str, reason: str, due_at: datetime, *, is_uncertain: bool
    ) -> None:
        """It did not arrive, or nobody knows."""
        self._count(reason)
        await self._store.outbox_failed(outgoing, reason, due_at, is_uncertain=is_uncertain)

    async def outbox_abandon(self, outgoing: str, reason: str) -> None:
        """It never will arrive as it is."""
        self._count(reason)
        await self._store.outbox_abandon(outgoing, reason)

    def _count(self, reason: str) -> None:
        self._meters.deliveries.labels(self._channel, "failed").inc()
        self._meters.errors.labels("deliver", reason).inc()


class Deliveries:
    """The configured channels."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._busy: set[str] = set()
        self._troubles = Troubles(parts.channels, parts.clock.now)
        self._by_name = {each.name: self._delivery(each) for each in parts.channels}

    @property
    def names(self) -> list[str]:
        """The channels, by name."""
        return list(self._by_name)

    async def loop(self, channel: str, stopping: asyncio.Event) -> None:
        """Deliver whenever something is due; a channel that needs a rest has it."""
        while not stopping.is_set():
            if self._parts.intake.is_open:
                await self._try(channel)
            await self._troubles.tell()
            await self._parts.rest(PATIENCE)

    async def _try(self, channel: str) -> None:
        try:
            await self.pass_once(channel)
        except TransientError as error:  # the database's; a channel's own are the delivery's
            self._parts.intake.saw(error)
            self._parts.meters.errors.labels("deliver", error.reason).inc()

    async def pass_once(self, channel: str) -> None:
        """One pass over what is due."""
        passed = await self._by_name[channel].deliver()
        if passed.again_at is None:
            self._busy.discard(channel)
        else:
            self._busy.add(channel)
        await self._finish_jobs()

    async def _finish_jobs(self) -> None:
        """End the jobs of what has been sent: the outbox, not they, is what the loops go by."""
        queue = self._parts.queue
        while (job := await queue.take(WORKER, ["deliver"], LEASE_SECONDS)) is not None:
            if str(job.payload["channel"]) in self._busy:
                await queue.retry(job, self._parts.clock.now() + _AGAIN, "undelivered")
            else:
                await queue.done(job)

    def _delivery(self, channel: Channel) -> Delivery:
        parts = self._parts
        return Delivery(
            channel,
            CountedOutbox(channel.name, parts.store, parts.meters),
            now=parts.clock.now,
            tell=self._troubles.note,
            jitter=parts.clock.random,
        )
