"""A registry that is down is said once, and once again when it is back: the state of that."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from monitor.errors import LeakmonError

Turn = Literal["down", "back"]


class Outage(Struct, frozen=True, kw_only=True):
    """How a feed has answered. ``since`` is the first failure of those in a row, None if none."""

    since: datetime | None = None
    failures: int = 0
    reason: str = ""


def observed(
    before: Outage, error: LeakmonError | None, now: datetime
) -> tuple[Outage, Turn | None]:
    """The state after one poll, and the turn that people are to be told of, if it is one.

    The client has tried several times by then, so the first failure is one.
    """
    if error is None:
        return Outage(), None if before.since is None else "back"
    after = Outage(since=before.since or now, failures=before.failures + 1, reason=error.reason)
    return after, "down" if before.since is None else None
