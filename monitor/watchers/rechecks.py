"""When to look again, as plain numbers: what is held back, what may grow, a feed that fails."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSES: Sequence[timedelta] = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
)
"""A version that is announced but not there: npm holds it 5 to 55 minutes while it is scanned."""

STALE: Sequence[timedelta] = tuple(timedelta(seconds=2**power) for power in range(12))
"""A page that is older than what was announced: a cache's, mostly for seconds; an hour in all."""

GROWTH: Sequence[timedelta] = (
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    *(timedelta(days=days) for days in (1, 2, 3, 5, 7, 10)),
    timedelta(days=14, hours=1),
)
"""After its publication: PyPI takes further files of a release for 14 days, then no more."""


def after_miss(misses: int, now: datetime) -> datetime | None:
    """When to look again after so many misses (from 1); None: set it aside, visibly."""
    return now + MISSES[misses - 1] if 1 <= misses <= len(MISSES) else None


def after_stale(misses: int, now: datetime) -> datetime | None:
    """The same for a page that is older than the row which spoke of it."""
    return now + STALE[misses - 1] if 1 <= misses <= len(STALE) else None


def next_growth(published_at: datetime, checked_at: datetime) -> datetime | None:
    """When a tracked release is due again after a check; None once it can grow no more.

    Stateless: a check that came late skips those that it made up for.
    """
    return next((due for due in growth(published_at) if due > checked_at), None)


def growth(published_at: datetime) -> list[datetime]:
    """All moments at which a release is looked at again."""
    return [published_at + offset for offset in GROWTH]


def next_poll(seconds: float, failures: int, chance: float, *, ceiling: float = 300.0) -> float:
    """Seconds until a feed is asked again: doubling while it fails, never in step with others.

    ``chance`` (0 to 1) moves it by a tenth in either direction. ``ceiling`` is at least
    ``seconds``.
    """
    limit = max(seconds, ceiling)
    step: float = min(limit, seconds * 2.0 ** min(max(failures, 0), 16))
    return step * (0.9 + 0.2 * chance)
