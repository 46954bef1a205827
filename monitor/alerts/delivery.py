"""From the outbox to one channel: at least once from our side, once as people see it.

``sending`` is noted before the call and ``sent`` after it. Whatever ends in between (a crash, a
lost answer) leaves the event *uncertain*: the channel is searched for it before it is sent again.
The oldest goes first and nothing overtakes, so that a thread has its first message before the
second; only a message which the channel refuses for itself is set aside, visibly, for good.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from monitor.alerts.errors import (
    BusyError,
    MisconfiguredError,
    RejectedError,
    UnansweredError,
    UnreachableError,
)
from monitor.model import Digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.alerts import Channel
    from monitor.errors import LeakmonError
    from monitor.model import Outgoing

BACK_OFF = tuple(timedelta(seconds=each) for each in (2, 5, 15, 60, 300, 600))
"""How long a channel rests after its first, second ... failure in a row; the last one stays."""

MAX_WAIT = timedelta(hours=1)
MISCONFIGURED_WAIT = timedelta(seconds=60)


class Outbox(Protocol):
    """What delivery needs of the store; each method is one transaction (``monitor.store``)."""

    async def outbox_due(self, channel: str, now: datetime, limit: int = 1) -> list[Outgoing]:
        """What the channel has not taken and is due, oldest first."""

    async def digest_due(self, channel: str, now: datetime) -> Digest | None:
        """The oldest digest that the channel has not taken and is due; asked when no alert is."""

    async def outbox_sending(self, outgoing: str, now: datetime) -> None:
        """From here on the message may have arrived."""

    async def outbox_sent(self, outgoing: str, message: str, now: datetime) -> None:
        """The message arrived under this id."""

    async def outbox_failed(
        self, outgoing: str, reason: str, due_at: datetime, *, is_uncertain: bool
    ) -> None:
        """It did not arrive, or (``is_uncertain``) nobody knows; it is due again at ``due_at``."""

    async def outbox_abandon(self, outgoing: str, reason: str) -> None:
        """It never will arrive as it is: set aside, visibly."""


class Trouble(Struct, frozen=True, kw_only=True):
    """What the operator should know of a channel: told once when it begins and once when it ends.

    ``message`` is one line; it is empty when the trouble is over.
    """

    channel: str
    reason: str
    message: str
    is_operators: bool = False


class Passed(Struct, frozen=True, kw_only=True):
    """One pass over what was due. ``again_at``: nothing can be done before; None: all is sent."""

    sent: int = 0
    found: int = 0
    again_at: datetime | None = None
    reason: str = ""


class Delivery:
    """Delivers to one channel. Two passes never run at once; a second waits for the first."""

    def __init__(
        self,
        channel: Channel,
        outbox: Outbox,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        tell: Callable[[Trouble], None] = lambda _trouble: None,
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``jitter`` gives 0 to 1: up to a quarter more is waited, so that not all come at once."""
        self.channel = channel
        self.trouble: Trouble | None = None
        self._outbox = outbox
        self._now = now
        self._tell = tell
        self._jitter = jitter
        self._turn = asyncio.Lock()
        self._failures = 0
        self._again_at: datetime | None = None

    async def deliver(self, limit: int = 100) -> Passed:
        """Send what is due, oldest first, until nothing is left or the channel needs a rest."""
        async with self._turn:
            sent = found = 0
            for _ in range(limit):
                if self._is_resting():
                    break
                due = await self._due()
                if due is None:
                    return Passed(sent=sent, found=found)
                was_found = await self._deliver(due)
                found += was_found is True
                sent += was_found is False
            reason = self.trouble.reason if self.trouble else ""
            again_at = self._again_at or self._now()
            return Passed(sent=sent, found=found, again_at=again_at, reason=reason)

    async def _due(self) -> Outgoing | Digest | None:
        alerts = await self._outbox.outbox_due(self.channel.name, self._now(), 1)
        if alerts:
            return alerts[0]
        return await self._outbox.digest_due(self.channel.name, self._now())

    def retry(self) -> None:
        """End the channel's rest: the operator says that it works again."""
        self._again_at = None

    def _is_resting(self) -> bool:
        return self._again_at is not None and self._now() < self._again_at

    async def _deliver(self, outgoing: Outgoing | Digest) -> bool | None:
        """Whether the message was there already; None if it is not there now."""
        is_uncertain = outgoing.is_uncertain
        try:
            message = await self.channel.find(outgoing) if is_uncertain else None
            was_found = message is not None
            if message is None:
                is_uncertain = False  # it was looked for
                await self._outbox.outbox_sending(outgoing.id, self._now())
                message = await self._sent(outgoing)
        except RejectedError as error:
            await self._outbox.outbox_abandon(outgoing.id, error.reason)
            self._note(error, f"{_about(outgoing)}: {error}", is_operators=True)
            return None
        except (BusyError, UnreachableError, UnansweredError, MisconfiguredError) as error:
            is_uncertain = is_uncertain or isinstance(error, UnansweredError)
            self._rest(error)
            # It stays due: the channel rests as a whole, so that nothing younger overtakes.
            await self._outbox.outbox_failed(
                outgoing.id, error.reason, self._now(), is_uncertain=is_uncertain
            )
            return None
        await self._outbox.outbox_sent(outgoing.id, message, self._now())
        self._recovered()
        return was_found

    async def _sent(self, outgoing: Outgoing | Digest) -> str:
        if isinstance(outgoing, Digest):
            return await self.channel.digest(outgoing)
        return await self.channel.send(outgoing)

    def _rest(self, error: LeakmonError) -> None:
        """Leave the channel alone for a while; tell the operator when that begins."""
        wait = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        if isinstance(error, BusyError):
            wait = min(timedelta(seconds=max(error.retry_after, 1)), MAX_WAIT)
        else:
            self._failures += 1
            self._note(error, str(error), is_operators=isinstance(error, MisconfiguredError))
        if isinstance(error, MisconfiguredError):
            wait = MISCONFIGURED_WAIT
        self._again_at = self._now() + wait * (1 + self._jitter() / 4)

    def _note(self, error: LeakmonError, message: str, *, is_operators: bool) -> None:
        trouble = Trouble(
            channel=self.channel.name,
            reason=error.reason,
            message=message,
            is_operators=is_operators,
        )
        if self.trouble is None or self.trouble.reason != trouble.reason:
            self._tell(trouble)
        self.trouble = trouble

    def _recovered(self) -> None:
        self._failures = 0
        self._again_at = None
        if self.trouble is not None:
            self._tell(Trouble(channel=self.channel.name, reason=self.trouble.reason, message=""))
        self.trouble = None


def _about(outgoing: Outgoing | Digest) -> str:
    return outgoing.id if isinstance(outgoing, Digest) else outgoing.incident.id
