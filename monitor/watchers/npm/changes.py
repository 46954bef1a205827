"""npm's change feed: one row per changed package, only the newest sequence of each is kept.

Source: CouchDB's "_changes" (normal mode; npm took away the others and ``include_docs`` in 2025).
What a row stands for is told by the package's own record: see ``packuments``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from monitor.errors import TargetError
from monitor.model import Checkpoint
from monitor.watchers import pages, reading

from . import rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from monitor.http.client import Client
    from monitor.model import Page
    from monitor.watchers.interest import Interest

    from .packuments import Packuments

FEED = "npm/changes"
MAX_ROWS = 10_000
REWIND = 50_000  # about ten hours of all of npm
_MAX_BYTES = 64 * reading.MiB


class Changes:
    """The feed of one database (its address ends with ``/``)."""

    feed = FEED

    def __init__(self, client: Client, database: str, packuments: Packuments) -> None:
        self._client = client
        self._database = database
        self._packuments = packuments
        self._memory = reading.Memory()

    async def start_position(self) -> Checkpoint:
        """The present: whoever starts here misses nothing that comes after."""
        return Checkpoint(
            feed=FEED, position=await self._update_sequence(), moved_at=self._client.clock.now()
        )

    async def poll(self, checkpoint: Checkpoint | None, *, limit: int = MAX_ROWS) -> Page:
        """The rows after the checkpoint; as many as ``limit`` mean that there may be more."""
        if checkpoint is None:
            return pages.standing(await self.start_position())
        try:
            found = await self._rows(checkpoint, limit)
        except ValueError as error:
            return pages.gap(checkpoint, "malformed-page", str(error))
        if found is None or rows.order(found.last) <= rows.order(checkpoint.position):
            return await self._nothing_newer(checkpoint, limit)
        return self._page(checkpoint, found)

    def backfill(
        self, since: datetime | None, interest: Interest, *, after: str = ""
    ) -> AsyncIterator[Page]:
        """What the tracked and searched packages published since; see ``backfill.pages_of``."""
        from .backfill import pages_of

        return pages_of(self._packuments, since, interest, after=after, database=self._database)

    async def _rows(self, checkpoint: Checkpoint, limit: int) -> rows.Rows | None:
        """The rows, or None for "as before" (304)."""
        since = checkpoint.position
        answer = await reading.ask(
            self._client,
            f"{self._database}_changes?since={quote(since, safe='')}&limit={min(limit, MAX_ROWS)}",
            max_bytes=_MAX_BYTES,
            tag=self._memory.tag(checkpoint),
        )
        if answer.body is None:
            return None
        found = await reading.parsed(lambda body: rows.read(body, since), answer.body)
        if found.last == since:
            self._memory.keep(since, answer.tag)
        return found

    async def _nothing_newer(self, checkpoint: Checkpoint, limit: int) -> Page:
        """Is there nothing, has the feed begun anew, or does it hold something back?"""
        try:
            newest = await self._update_sequence()
        except TargetError as error:
            if error.reason != "bad-answer":
                raise
            return pages.gap(checkpoint, "malformed-page", str(error))
        if rows.order(newest) < rows.order(checkpoint.position):
            back_to = str(max(0, rows.order(newest) - REWIND))
            return pages.gap(
                checkpoint,
                "serial-reset",
                f"the feed is at {newest}, before the checkpoint: it was begun anew",
                until=newest,
                rewound_to=back_to,
                at=self._client.clock.now(),
            )
        if rows.order(newest) == rows.order(checkpoint.position):
            return pages.standing(checkpoint)
        # It moved between the two questions, as it often does; only a second silence is odd.
        self._memory.keep(checkpoint.position, "")
        try:
            again = await self._rows(checkpoint, limit)
        except ValueError as error:
            return pages.gap(checkpoint, "malformed-page", str(error))
        if again is None or rows.order(again.last) <= rows.order(checkpoint.position):
            detail = f"no rows, though the feed is at {newest}"
            return pages.gap(checkpoint, "empty-page", detail, until=newest)
        return self._page(checkpoint, again)

    def _page(self, checkpoint: Checkpoint, found: rows.Rows) -> Page:
        if found.count and found.malformed == found.count:
            return pages.gap(
                checkpoint,
                "malformed-page",
                f"none of {found.count} rows makes sense",
                until=found.last,
                rewound_to=found.last,
                at=self._client.clock.now(),
            )
        return pages.moved(
            checkpoint,
            found.last,
            found.notices,
            at=self._client.clock.now(),
            rows=found.count,
        )

    async def _update_sequence(self) -> str:
        url = self._database.removesuffix("/")
        answer = await reading.ask(self._client, url, max_bytes=reading.MiB)
        try:
            return rows.read_update_sequence(answer.body or b"")
        except ValueError as error:
            raise TargetError(f"{url}: {error}", reason="bad-answer") from error
