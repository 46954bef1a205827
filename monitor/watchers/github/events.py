"""The public events of one owner: a hint that comes sooner, and what a push threw away.

Source: GitHub's REST documentation, "Events" (``X-Poll-Interval``; 300 events; 30 s to 6 h late):
never the only source. A push tells the commit that its ref pointed to before: where that was
force-pushed away, nothing else tells its id.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from monitor.errors import NotFoundError
from monitor.model import Checkpoint, Notice
from monitor.registries.git_reading import OID, is_ref
from monitor.registries.npm import time_of
from monitor.registries.rest import objects
from monitor.watchers import actions, holdings, pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime

    from monitor.model import Page
    from monitor.registries.rest import Rest
    from monitor.watchers.interest import Interest

MAX_PAGES = 3
_SLOWEST = 3600
_LOOKED_AT = {"CreateEvent", "DeleteEvent", "ReleaseEvent"}


class Events:
    """The events of an organisation or user; the position is the number of the newest seen."""

    def __init__(self, rest: Rest, login: str) -> None:
        self.feed = f"github/{login}/events"
        self._rest = rest
        self._login = login
        self._not_before: datetime | None = None

    async def start_position(self) -> Checkpoint:
        """The beginning: the first poll only learns where the feed is."""
        return Checkpoint(feed=self.feed, position="", moved_at=self._rest.client.clock.now())

    async def poll(self, checkpoint: Checkpoint | None, *, limit: int = 0) -> Page:
        """The events after the checkpoint; none before the server wants to be asked again."""
        del limit
        now = self._rest.client.clock.now()
        if checkpoint is None:
            return pages.standing(await self.start_position())
        if self._not_before is not None and now < self._not_before:
            return pages.standing(checkpoint)
        last = int(checkpoint.position) if checkpoint.position.isdigit() else -1
        rows = await self._rows(last, now)
        numbered = [(number, row) for row in rows for number in [_number(row)] if number > last]
        newest = max((number for number, _ in numbered), default=last)
        fresh = [] if last < 0 else [_notice(row, number) for number, row in sorted_(numbered)]
        notices = [each for each in fresh if each is not None]
        position = str(newest) if newest >= 0 else checkpoint.position
        return pages.moved(checkpoint, position, notices, at=now, rows=len(numbered))

    async def backfill(
        self, since: datetime | None, interest: Interest, *, after: str = ""
    ) -> AsyncIterator[Page]:
        """Nothing: the lists know the past better."""
        del since, interest, after
        none: list[Page] = []
        for page in none:
            yield page

    async def _rows(self, last: int, now: datetime) -> list[dict[str, Any]]:
        url = f"orgs/{quote(self._login)}/events?per_page=100"
        try:
            leaf = await self._rest.page(url)
        except NotFoundError:
            url = f"users/{quote(self._login)}/events/public?per_page=100"
            leaf = await self._rest.page(url)
        wait = leaf.headers.get("X-Poll-Interval", "")
        if wait.isascii() and wait.isdigit():
            self._not_before = now + timedelta(seconds=min(int(wait[:6]), _SLOWEST))
        found = objects(leaf.value, url)
        for _ in range(MAX_PAGES - 1):
            is_met = any(_number(row) <= last for row in found)
            if last < 0 or is_met or not leaf.next_url:
                break
            leaf = await self._rest.page(leaf.next_url)
            found += objects(leaf.value, url)
        return found


def sorted_(numbered: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
    """Oldest first."""
    return sorted(numbered, key=lambda each: each[0])


def _number(row: Mapping[str, Any]) -> int:
    text = str(row.get("id", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1  # noqa: PLR2004 - 64 bits


def _notice(row: Mapping[str, Any], number: int) -> Notice | None:
    """What an event means, or None."""
    repository = row.get("repo")
    name = repository.get("name") if isinstance(repository, dict) else None
    if not isinstance(name, str) or not holdings.is_name(name) or name.count("/") != 1:
        return None
    kind = row.get("type")
    payload = row.get("payload")
    told = payload if isinstance(payload, dict) else {}
    before, ref = told.get("before"), told.get("ref")
    is_push = kind == "PushEvent" and isinstance(before, str) and OID.fullmatch(before)
    if not is_push and kind not in _LOOKED_AT and kind != "PublicEvent":
        return None
    action = actions.FOUND if kind == "PublicEvent" else actions.PUSHED
    return Notice(
        ecosystem="github",
        name=name,
        action=action,
        position=f"event/{number}",
        filename=ref if is_push and isinstance(ref, str) and is_ref(ref) else None,
        occurred_at=time_of(row.get("created_at")),
        revision=str(before) if is_push else "",
    )
