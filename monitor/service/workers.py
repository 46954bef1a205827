"""Worker loops: take a job, do its step, end its lease. One bad job never stops the others."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from monitor.errors import LeakmonError, NotFoundError, UsageError
from monitor.jobs import BACK_OFF, LEASE_SECONDS, next_try
from monitor.service import inspecting, resolving
from monitor.service.intake import DISK_FULL
from monitor.service.logs import logger
from monitor.service.resolved import NotYet, Stale
from monitor.watchers.outages import asked_wait
from monitor.watchers.rechecks import after_miss, after_stale

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from monitor.model import Job
    from monitor.service.parts import Parts

PATIENCE = 1.0
"""Seconds after which an idle worker looks by itself: another process may have left work."""

LISTENING_PATIENCE = 5.0
"""The same where the database calls: for what became due, and for calls that went unheard."""

MAX_PATIENCE = 15.0
"""The same while the database does not answer."""

_log = logger()


class Worker:
    """One loop, with a name that a restart has again: its leases are given back then."""

    def __init__(self, name: str, kinds: Sequence[str], parts: Parts) -> None:
        self.name = name
        self.kinds = list(kinds)
        self._parts = parts
        self._patience = LISTENING_PATIENCE if parts.queue.is_shared else PATIENCE
        self._failures = 0
        self._is_owing = False
        self._steps: dict[str, Callable[[Job], Awaitable[None]]] = {
            "resolve": self._resolve,
            "stranger": self._resolve,
            "look": self._resolve,
            "recheck": self._recheck,
            "artifact": self._artifact,
        }

    async def loop(self, stopping: asyncio.Event) -> None:
        """Work until it is time to stop; what is in hand then is brought to its end."""
        while not stopping.is_set():
            if not self._parts.intake.is_open or not await self.once():
                await self._parts.rest(self._pause())

    async def once(self) -> bool:
        """Do the next job; False if none is due."""
        try:
            job = await self._take()
        except UsageError:
            raise
        except LeakmonError as error:
            self._failures += 1
            self._parts.intake.saw(error)
            self._parts.meters.errors.labels("take", error.reason).inc()
            return False
        self._failures = 0
        if job is None:
            return False
        beat = asyncio.create_task(self._heartbeat(job))
        try:
            await self._do(job)
        finally:
            beat.cancel()
            with suppress(asyncio.CancelledError):
                await beat
        return True

    async def _take(self) -> Job | None:
        """The next job. One whose end the database did not take comes again first."""
        if self._is_owing:
            await self._parts.queue.release(self.name)
            self._is_owing = False
        return await self._parts.queue.take(self.name, self.kinds, LEASE_SECONDS)

    def _pause(self) -> float:
        """Seconds to wait for work; more each time while the database does not answer."""
        if not self._failures:
            return self._patience
        return min(MAX_PATIENCE, PATIENCE * 2.0 ** min(self._failures - 1, 6))

    async def _do(self, job: Job) -> None:
        queue = self._parts.queue
        try:
            try:
                await self._steps[job.kind](job)
            except LeakmonError as error:
                if error.reason == inspecting.SANDBOX_LOST and type(error) is LeakmonError:
                    raise  # a new one is gone as well: no other job would fare better
                await self._failed(job, error)
            except Exception as error:  # noqa: BLE001 - one bad job never stops the others
                _log.exception("a bug", step=job.kind, job=job.key)
                bug = LeakmonError(str(error), reason=f"bug-{type(error).__name__}")
                await self._failed(job, bug)
            else:
                await queue.done(job)
                self._parts.intake.went_well()
        except LeakmonError as error:
            # The database itself does not take it: given back once it does, or the lease lapses.
            self._is_owing = True
            self._parts.intake.saw(error)
            self._parts.meters.errors.labels(job.kind, error.reason).inc()
            if error.reason == inspecting.SANDBOX_LOST:
                raise

    async def _failed(self, job: Job, error: LeakmonError) -> None:
        parts, reason = self._parts, error.reason
        parts.meters.errors.labels(job.kind, reason).inc()
        now = parts.clock.now()
        if reason == DISK_FULL:
            parts.intake.saw(error)
            await parts.queue.retry(job, now + BACK_OFF[0], reason, is_its_doing=False)
            return
        if job.kind == "artifact" and job.attempts:
            await inspecting.stumbled(int(job.payload["artifact"]), reason, parts)
        at = _next(job, error, now)
        if at is not None:
            self._say_again(job, error, round((at - now).total_seconds()))
            await parts.queue.retry(job, at, reason)
            return
        if job.kind == "artifact" and isinstance(error, NotFoundError):
            await inspecting.vanished(int(job.payload["artifact"]), parts)
            await parts.queue.done(job)
            return
        _log.error(f"set aside: {error}", step=job.kind, reason=reason, job=job.key)
        if job.kind == "artifact":
            await inspecting.give_up(int(job.payload["artifact"]), reason, parts)
        await parts.queue.dead(job, reason)

    def _say_again(self, job: Job, error: LeakmonError, wait: int) -> None:
        if job.kind == "stranger":
            return  # there are thousands, and they are nobody's concern yet
        write = _log.info if isinstance(error, NotYet) else _log.warning
        write(f"{error}; again in {wait} s", step=job.kind, reason=error.reason)

    async def _resolve(self, job: Job) -> None:
        await resolving.resolve_notice(job.payload, job.attempts, self._parts)

    async def _recheck(self, job: Job) -> None:
        await resolving.recheck(job.payload, job.attempts, self._parts)

    async def _artifact(self, job: Job) -> None:
        artifact = int(job.payload["artifact"])
        await inspecting.inspect_artifact(artifact, job.attempts, self._parts)

    async def _heartbeat(self, job: Job) -> None:
        """Keep the lease. Where it is lost somebody else has the job, which harms nothing."""
        while True:
            await self._parts.clock.sleep(LEASE_SECONDS / 4)
            try:
                is_kept = await self._parts.queue.heartbeat(job, LEASE_SECONDS)
            except LeakmonError:
                continue
            if not is_kept:
                _log.warning("lost its lease", step=job.kind, reason="lease-lost", job=job.key)
                return


def _next(job: Job, error: LeakmonError, now: datetime) -> datetime | None:
    """When to try again: as the error has it, and not before a registry wants to be asked."""
    tries = job.attempts + 1
    if isinstance(error, Stale):
        at = after_stale(tries, now)
    elif job.kind in {"resolve", "stranger"}:
        at = after_miss(tries, now)
    else:
        at = next_try(tries, now)
    wait = asked_wait(error)
    return max(at, now + wait) if at is not None and wait is not None else at
