"""A registry that is down is said once, and once again when it is back: the state of that."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from monitor.http.failures import RetryError

if TYPE_CHECKING:
    from monitor.errors import LeakmonError

_LONGEST_REST = 86_400.0  # seconds: one header must not silence a feed for good

Turn = Literal["down", "back"]


class Outage(Struct, frozen=True, kw_only=True):
    """How a feed has answered. ``since`` is the first failure of those in a row, None if none.

    ``not_before`` is until when the registry asked to be left alone (``Retry-After``).
    """

    since: datetime | None = None
    failures: int = 0
    reason: str = ""
    not_before: datetime | None = None


def observed(
    before: Outage, error: LeakmonError | None, now: datetime
) -> tuple[Outage, Turn | None]:
    """The state after one poll, and the turn that people are to be told of, if it is one.

    The client has tried several times by then, so the first failure is one.
    """
    if error is None:
        return Outage(), None if before.since is None else "back"
    wait = asked_wait(error)
    after = Outage(
        since=before.since or now,
        failures=before.failures + 1,
        reason=error.reason,
        not_before=now + wait if wait is not None else None,
    )
    return after, "down" if before.since is None else None


def asked_wait(error: LeakmonError) -> timedelta | None:
    """For how long a server asks to be left alone, where it does and an error came of it."""
    cause = error if isinstance(error, RetryError) else error.__cause__
    wait = cause.wait if isinstance(cause, RetryError) else None
    return timedelta(seconds=min(wait, _LONGEST_REST)) if wait else None
