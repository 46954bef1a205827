"""Durable jobs: a narrow port, and the adapters that keep its promises.

``embedded`` is a table and nothing else, the default; ``cluster`` hands the jobs of the same table
to any number of machines, over PostgreSQL and procrastinate. ``choice`` says which one it is.

An adapter survives ``kill -9`` at any moment. A job is in the queue once by its key, for good: a
key that is known, whatever became of it, is not taken in again. A worker *leases* a job; a lease
that runs out without a heartbeat gives the job to the next taker. The state of the work itself
lives in the store's tables, so that a lost queue loses nothing: ``ensure`` takes what the tables
say is unfinished and puts back what is missing.

Payloads have a form, counted by ``PAYLOAD_VERSION``. While machines are brought up to date one by
one, two successive forms are in the queue. An adapter hands out what this leakmon reads, its own
form and the one before, and leaves the rest waiting for those who do.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from monitor.model import PAYLOAD_VERSION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable
    from datetime import datetime

    from monitor.model import Job

BACK_OFF = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
)
"""How long to wait after the first, second ... failed try; after the last: the dead letters."""

LEASE_SECONDS = 60.0
"""How long a worker may be silent. Several times the interval of its heartbeats."""

READABLE = tuple(range(max(1, PAYLOAD_VERSION - 1), PAYLOAD_VERSION + 1))
"""The forms of payloads that this leakmon works on, oldest first."""


def next_try(attempts: int, now: datetime) -> datetime | None:
    """When to try again after ``attempts`` failed tries (the one just failed counts); None: never.

    Jitter is not needed: the queue hands out one job at a time and hosts have their own pace.
    """
    return now + BACK_OFF[attempts - 1] if attempts <= len(BACK_OFF) else None


class Queue(Protocol):
    """The port. Each method is one transaction; times are the adapter's injected clock.

    The four that end or prolong a lease give False if the lease is lost: somebody else has the
    job now, and whatever the caller did must have been harmless to do twice.
    """

    @property
    def is_shared(self) -> bool:
        """Whether other processes put work in and take it: ``listen`` for them."""

    async def listen(self, kinds: Collection[str], wake: Callable[[], Awaitable[None]]) -> None:
        """Call ``wake`` when others may have put work in; ends at once if there are no others.

        It may miss some, so that whoever waits looks by himself now and then.
        """

    async def enqueue(self, job: Job) -> bool:
        """Take in a job; False if its key is known."""

    async def ensure(self, jobs: Iterable[Job]) -> int:
        """Make unfinished work run: take in the missing, wake up those that count as done.

        Waiting, leased and dead jobs stay as they are. The number of jobs put back.
        """

    async def take(self, worker: str, kinds: Collection[str], lease_seconds: float) -> Job | None:
        """Lease the next due job of these kinds that is readable: by priority, then the oldest.

        The oldest is the first that became due or, in the cluster, the first that came in.
        """

    async def heartbeat(self, job: Job, lease_seconds: float) -> bool:
        """Prolong the lease to ``lease_seconds`` from now."""

    async def done(self, job: Job) -> bool:
        """The work is durable."""

    async def retry(
        self, job: Job, at: datetime, reason: str, *, is_its_doing: bool = True
    ) -> bool:
        """It failed for now; it is due again at ``at``. Counts an attempt if it is its doing."""

    async def dead(self, job: Job, reason: str) -> bool:
        """Set it aside, visible, until somebody revives it."""

    async def revive(self, key: str) -> bool:
        """Make a dead job due now, its attempts forgotten; False if there is no such dead job."""

    async def release(self, worker: str) -> int:
        """Give back all leases of a worker that is known to be gone (a restart with its name)."""

    async def depth(self) -> dict[str, dict[str, int]]:
        """Jobs by kind and state (``waiting``, ``leased``, ``done``, ``dead``)."""

    async def unreadable(self) -> int:
        """How many waiting jobs have a form that this leakmon does not know."""

    async def oldest_due_at(self) -> datetime | None:
        """Since when the longest waiting due job has been due; None if nothing is due."""

    async def next_due_at(self) -> datetime | None:
        """When the next waiting job or lapsing lease wants attention; None if there is none."""

    async def dead_letters(self, limit: int = 100) -> list[tuple[Job, str]]:
        """Jobs set aside with the reason of each, latest first."""
