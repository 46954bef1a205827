"""Leading: of all ``leakmon watch`` on one PostgreSQL one polls and delivers, others stand by.

The leader has a lease in the database and prolongs it. Who loses it stops at once, and whatever it
still writes fails by the lease's token (``store.leases``), so that two leaders never tell people
of the same event: a message is marked as being sent, in a transaction that only the leader can
make, before it is sent. One that was marked by a leader which is gone is looked for in the channel.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from monitor.errors import LeakmonError
from monitor.service.logs import logger
from monitor.service.supervision import cancelled, pause
from monitor.store.leases import Leases

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from monitor.service.parts import Parts

    Term = Callable[[Parts], Awaitable[None]]

NAME = "watch"
LEASE_SECONDS = 30.0
RENEW_SECONDS = 5.0
MARGIN_SECONDS = 5.0
"""So much before its end a lease that could not be prolonged counts as lost."""

_log = logger()


class Leadership:
    """One process's part in the choice of the leader."""

    def __init__(self, parts: Parts, holder: str) -> None:
        self._parts = parts
        self._leases = Leases(parts.store.database)
        self._holder = holder
        self._named = ""
        self.is_leading = False

    async def loop(self, term: Term, stopping: asyncio.Event) -> None:
        """Lead whenever nobody else does, until told to stop. An error of ``term`` ends it.

        ``term`` does the leader's work with the parts that it is given, until told to stop.
        """
        while not stopping.is_set():
            token = await self._take()
            if token is None:
                await pause(RENEW_SECONDS, stopping)
                continue
            _log.info("leading: polls and delivers", step="lead")
            await self._lead(token, term, stopping)

    async def once(self, term: Term) -> str:
        """Lead for one piece of work; the name of the one who leads instead, or nothing."""
        token = await self._take()
        if token is None:
            return self._named
        await self._lead(token, term, asyncio.Event())
        return ""

    async def _take(self) -> int | None:
        try:
            token = await self._leases.take(NAME, self._holder, LEASE_SECONDS)
            held = None if token is not None else await self._leases.held(NAME)
        except LeakmonError as error:
            self._failed(error)
            return None
        name = held.holder if held is not None else ""
        if name and name != self._named:
            _log.info(f"standing by: {name} leads", step="lead")
        self._named = name
        return token

    async def _lead(self, token: int, term: Term, stopping: asyncio.Event) -> None:
        led = self._parts.guarded(self._leases.guard(NAME, token))
        self.is_leading = True
        work = asyncio.create_task(_done(term(led)), name="term")
        try:
            await self._keep(token, work)
            if work.done():
                await work
            elif not stopping.is_set():
                _log.warning("not leading any more", step="lead", reason="not-leader")
        finally:
            self.is_leading = False
            await cancelled([work])
            await self._release(token)

    async def _keep(self, token: int, work: asyncio.Task[None]) -> None:
        """Prolong the lease until the work is done or the lease is lost."""
        clock = self._parts.clock
        good_until = clock.monotonic() + LEASE_SECONDS - MARGIN_SECONDS
        while not work.done() and clock.monotonic() < good_until:
            asked_at = clock.monotonic()
            try:
                async with asyncio.timeout(max(0.1, good_until - asked_at)):
                    if not await self._leases.renew(NAME, token, LEASE_SECONDS):
                        return
                good_until = asked_at + LEASE_SECONDS - MARGIN_SECONDS
            except (LeakmonError, TimeoutError) as error:
                self._failed(error)
            await asyncio.wait({work}, timeout=RENEW_SECONDS)

    async def _release(self, token: int) -> None:
        try:
            async with asyncio.timeout(RENEW_SECONDS):
                await self._leases.release(NAME, token)
        except (LeakmonError, TimeoutError) as error:
            self._failed(error)  # it runs out by itself

    def _failed(self, error: Exception) -> None:
        reason = getattr(error, "reason", "timeout")
        self._parts.meters.errors.labels("lead", reason).inc()


async def _done(work: Awaitable[None]) -> None:
    await work
