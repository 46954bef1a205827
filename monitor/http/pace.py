"""How often a host is asked, and when again after a failure."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from .settings import HttpSettings

_FIRST_WAIT = 0.5
_LONGEST_HOLD = 86_400.0  # seconds: one header must not silence a host for good


class Clock:
    """Time, sleep and chance, in one place so that tests need none of them."""

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def now(self) -> datetime:
        """The present, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def random(self) -> float:
        """A number from 0 to 1: jitter, not cryptography."""
        return random.random()  # noqa: S311 - jitter, not cryptography


class Pace:
    """Per host: so many requests at once, and so much time between their starts."""

    def __init__(self, settings: HttpSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._next: dict[str, float] = {}
        self._held: dict[str, float] = {}

    def hold(self, netloc: str, seconds: float) -> None:
        """The host asked to be left alone for so long."""
        self._held[netloc] = self._clock.monotonic() + min(seconds, _LONGEST_HOLD)

    def held(self, netloc: str) -> float:
        """For how many seconds more it wants to be left alone."""
        return max(0.0, self._held.get(netloc, 0.0) - self._clock.monotonic())

    @asynccontextmanager
    async def turn(self, netloc: str) -> AsyncIterator[None]:
        """Hold one of the host's connections."""
        slots = self._slots.setdefault(
            netloc, asyncio.Semaphore(self._settings.connections_per_host)
        )
        async with slots:
            present = self._clock.monotonic()
            start = max(present, self._next.get(netloc, 0.0))
            self._next[netloc] = start + self._settings.seconds_between_requests
            if start > present:
                await self._clock.sleep(start - present)
            yield


def wait_asked(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a server asks to be left alone, or None.

    ``Retry-After`` in seconds or as a date (RFC 9110, section 10.2.3); GitHub's
    ``x-ratelimit-reset`` (epoch seconds) when nothing of the limit remains.
    """
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    if asked:
        try:
            at = parsedate_to_datetime(asked)
        except (ValueError, TypeError, OverflowError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0.0, (at - now).total_seconds())
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit():
        return max(0.0, int(reset[:12]) - now.timestamp())
    return None


def back_off(attempt: int, clock: Clock, limit: float) -> float:
    """Seconds before the next try: doubling, with full jitter in the upper half.

    ``attempt`` counts from 1. An asked-for ``Retry-After: 0`` also ends here: never hammer.
    """
    step: float = min(limit, _FIRST_WAIT * 2.0 ** min(attempt - 1, 20))
    return step * (0.5 + clock.random() / 2)
