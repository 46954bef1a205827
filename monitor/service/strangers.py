"""Names that are not ours as far as is known: asked about soon, but never again and again.

Most changes of a feed are of the same few packages. A name is looked at when it turns up; if it
turns up again it is looked at again after a while, and what comes meanwhile waits for that look,
which sees the package as it is by then. So nothing is lost, and a noisy name costs a few requests.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from monitor.watchers import actions

if TYPE_CHECKING:
    from monitor.model import Notice

COOL_DOWN = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
)
"""Between a name's first look and its second, and so on; the last one stays."""

FORGET = timedelta(hours=2)
MOST = 100_000
"""Names that are remembered; those that were met longest ago are forgotten first."""


class _Mark(Struct, frozen=True):
    due_at: datetime
    looks: int


class Strangers:
    """When each stranger is to be looked at. Memory only: a restart asks once more."""

    def __init__(self) -> None:
        self._marks: OrderedDict[tuple[str, str], _Mark] = OrderedDict()

    def due(self, notice: Notice, now: datetime) -> datetime | None:
        """When to look at the package of this notice; None if a look is to come anyway."""
        key = (notice.ecosystem, notice.name)
        mark = self._marks.pop(key, None)
        made = _next(mark, now)
        self._marks[key] = made
        if len(self._marks) > MOST:
            self._marks.popitem(last=False)
        return None if made is mark else made.due_at


def whole(notice: Notice) -> Notice:
    """The notice as one of the whole package: whatever else is new of it is seen with it."""
    return replace(notice, version=None, filename=None, action=actions.CHANGED)


def is_worth_asking(notice: Notice) -> bool:
    """Whether somebody's package may become ours by it: not by a yank or a removal."""
    return notice.action in actions.FETCHABLE or notice.action == actions.ROLES_CHANGED


def _next(mark: _Mark | None, now: datetime) -> _Mark:
    if mark is None or now - mark.due_at >= FORGET:
        return _Mark(now, 1)
    if mark.due_at > now:
        return mark
    wait = COOL_DOWN[min(mark.looks, len(COOL_DOWN)) - 1]
    return _Mark(max(now, mark.due_at + wait), mark.looks + 1)
