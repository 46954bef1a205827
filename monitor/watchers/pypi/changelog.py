"""PyPI's journal by serial: the primary feed.

Serials are in the order of commit, so a strict "greater than" loses nothing.
Source: PyPI's XML-RPC methods ``changelog_last_serial`` and ``changelog_since_serial``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitor.errors import TargetError
from monitor.model import Checkpoint
from monitor.watchers import pages, reading

from . import journal, xmlrpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from monitor.http.client import Client
    from monitor.model import Page
    from monitor.watchers.interest import Interest

FEED = "pypi/changelog"
RESET = "serial-reset"
"""The gap where the journal was set back: ``until`` is the serial to which."""

MAX_ROWS = 50_000  # what PyPI gives at once
REWIND = 10_000  # about four hours of all of PyPI
_MAX_BYTES = 64 * reading.MiB


class Changelog:
    """The feed of one site (its address ends with ``/``)."""

    feed = FEED

    def __init__(self, client: Client, site: str) -> None:
        self._client = client
        self._site = site

    async def start_position(self) -> Checkpoint:
        """The present: whoever starts here misses nothing that comes after."""
        return Checkpoint(
            feed=FEED, position=str(await self._last()), moved_at=self._client.clock.now()
        )

    async def poll(self, checkpoint: Checkpoint | None, *, limit: int = MAX_ROWS) -> Page:
        """The rows after the checkpoint; as many as ``limit`` mean that there may be more."""
        if checkpoint is None:
            return pages.standing(await self.start_position())
        since = journal.serial(checkpoint.position) or 0
        try:
            rows = await self._rows(since)
            if not rows:
                return await self._silence(checkpoint, since)
        except ValueError as error:
            return pages.gap(checkpoint, "malformed-page", str(error))
        return self._page(checkpoint, since, rows, limit)

    def backfill(
        self, since: datetime | None, interest: Interest, *, after: str = ""
    ) -> AsyncIterator[Page]:
        """The files of the tracked and listed projects since; see ``backfill.pages_of``."""
        from .backfill import pages_of

        return pages_of(self._client, self._site, since, interest, after=after)

    async def _rows(self, since: int) -> list[Any]:
        rows = await xmlrpc.call(
            self._client,
            f"{self._site}pypi",
            "changelog_since_serial",
            since,
            max_bytes=_MAX_BYTES,
        )
        if isinstance(rows, list):
            return rows
        raise ValueError("the changelog is no list of rows")

    async def _last(self) -> int:
        url = f"{self._site}pypi"
        try:
            answer = await xmlrpc.call(
                self._client, url, "changelog_last_serial", max_bytes=reading.MiB
            )
        except ValueError as error:
            raise TargetError(f"{url}: {error}", reason="bad-answer") from error
        last = journal.serial(answer)
        if last is None:
            raise TargetError(f"{url}: the last serial is no serial", reason="bad-answer")
        return last

    async def _silence(self, checkpoint: Checkpoint, since: int) -> Page:
        """Is there nothing, did the serials go back, or is something held back?"""
        last = await self._last()
        if last < since:
            return self._reset(checkpoint, last)
        if last == since:
            return pages.standing(checkpoint)
        # It moved between the two questions, as it may; only a second silence is odd.
        rows = await self._rows(since)
        if rows:
            return self._page(checkpoint, since, rows, MAX_ROWS)
        detail = f"no rows, though the journal is at {last}"
        return pages.gap(checkpoint, "empty-page", detail, until=str(last))

    def _page(self, checkpoint: Checkpoint, since: int, rows: list[Any], limit: int) -> Page:
        """The first ``limit`` rows, by serial; rows without sense are passed over."""
        serials = [journal.serial(row[-1]) for row in rows if isinstance(row, list) and row]
        known = sorted({number for number in serials if number is not None})
        if not known:
            return pages.gap(checkpoint, "malformed-page", f"none of {len(rows)} rows makes sense")
        if known[-1] <= since:
            return self._reset(checkpoint, known[-1])
        newer = [number for number in known if number > since]
        last = newer[min(limit, len(newer)) - 1]
        read = [row for row in rows if _is_between(row, since, last)]
        notices = [each for each in map(journal.notice, read) if each is not None]
        return pages.moved(
            checkpoint, str(last), notices, at=self._client.clock.now(), rows=len(read)
        )

    def _reset(self, checkpoint: Checkpoint, last: int) -> Page:
        """The journal was set back: what it wrote since then stands at serials that we passed."""
        return pages.gap(
            checkpoint,
            RESET,
            f"the journal is at {last}, before the checkpoint",
            until=str(last),
            rewound_to=str(max(0, last - REWIND)),
            at=self._client.clock.now(),
        )


def _is_between(row: Any, since: int, last: int) -> bool:
    number = journal.serial(row[-1]) if isinstance(row, list) and row else None
    return number is not None and since < number <= last
