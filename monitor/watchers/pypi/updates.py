"""PyPI's RSS of new releases: the second feed, where the journal cannot be asked.

It shows the 100 newest releases, not their files. A poll may give an older body than the one
before (a cache on the way), so what is new is told by link, never by time or place; and two bodies
without a link in common mean that some rolled off in between.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from msgspec import Struct
from packaging.utils import canonicalize_name

from monitor.errors import TargetError
from monitor.model import Checkpoint, Gap, Notice
from monitor.watchers import actions, markup, pages, reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from monitor.http.client import Client
    from monitor.model import Page
    from monitor.watchers.interest import Interest

FEED = "pypi/updates"
MAX_ROWS = 1_000
KEPT = 500  # links that are remembered: five bodies' worth
_MAX_BYTES = 8 * reading.MiB
_FIELDS = {"link", "pubDate"}
_MAX_TEXT = 2_048


class Item(Struct, frozen=True):
    """One release of the feed."""

    name: str
    version: str
    published_at: datetime | None

    @property
    def mark(self) -> str:
        """What the release is remembered by: short, because the checkpoint holds hundreds."""
        return hashlib.sha256(f"{self.name}\0{self.version}".encode()).hexdigest()[:12]


class Updates:
    """The feed of one site. Its position is the marks of the links that were seen, oldest first."""

    feed = FEED

    def __init__(self, client: Client, site: str) -> None:
        self._client = client
        self._site = site
        self._memory = reading.Memory()

    async def start_position(self) -> Checkpoint:
        """What the feed shows now counts as seen."""
        url = f"{self._site}rss/updates.xml"
        answer = await reading.ask(
            self._client, url, accept="application/rss+xml, text/xml", max_bytes=_MAX_BYTES
        )
        try:
            items, _ = read(answer.body or b"")
        except ValueError as error:
            raise TargetError(f"{url}: {error}", reason="bad-answer") from error
        return Checkpoint(
            feed=FEED, position=_position([], items), moved_at=self._client.clock.now()
        )

    async def poll(self, checkpoint: Checkpoint | None, *, limit: int = MAX_ROWS) -> Page:
        """The releases that were not seen before, oldest first; ``limit`` takes the oldest."""
        if checkpoint is None:
            return pages.standing(await self.start_position())
        answer = await reading.ask(
            self._client,
            f"{self._site}rss/updates.xml",
            accept="application/rss+xml, text/xml",
            max_bytes=_MAX_BYTES,
            tag=self._memory.tag(checkpoint),
        )
        if answer.body is None:
            return pages.standing(checkpoint)
        try:
            items, malformed = read(answer.body)
        except ValueError as error:
            return pages.gap(checkpoint, "malformed-page", str(error))
        if not items and not malformed and not checkpoint.position:
            return pages.standing(checkpoint)  # nothing was ever released here
        if not items:
            kind = "malformed-page" if malformed else "empty-page"
            return pages.gap(checkpoint, kind, f"{malformed} items, none with a release")
        page = self._page(checkpoint, items, limit)
        if page.rows < limit:
            self._memory.keep(page.checkpoint.position, answer.tag)
        return page

    def backfill(
        self, since: datetime | None, interest: Interest, *, after: str = ""
    ) -> AsyncIterator[Page]:
        """As the journal's: by name."""
        from .backfill import pages_of

        return pages_of(self._client, self._site, since, interest, after=after)

    def _page(self, checkpoint: Checkpoint, items: Sequence[Item], limit: int) -> Page:
        seen = checkpoint.position.split()
        unseen = [item for item in items if item.mark not in set(seen)]
        gaps = []
        if seen and len(unseen) == len(items):
            detail = f"none of {len(items)} releases was there at the last poll"
            gaps = [Gap(feed=FEED, kind="no-overlap", detail=detail)]
        taken = unseen[:limit]
        notices = [
            Notice(
                ecosystem="pypi",
                name=item.name,
                version=item.version,
                action=actions.RELEASED,
                position=f"rss/{item.version}",
                occurred_at=item.published_at,
            )
            for item in taken
        ]
        return pages.moved(
            checkpoint,
            _position(seen, taken),
            notices,
            at=self._client.clock.now(),
            rows=len(taken),
            gaps=gaps,
        )


class _Items:
    """Collects the items of an RSS body."""

    def __init__(self) -> None:
        self.found: list[dict[str, str]] = []
        self._item: dict[str, str] | None = None
        self._field = ""

    def start(self, name: str, _attributes: Mapping[str, str]) -> None:
        if name == "item":
            self._item = {}
        self._field = name if name in _FIELDS else ""

    def text(self, text: str) -> None:
        if self._item is not None and self._field:
            joined = self._item.get(self._field, "") + text
            self._item[self._field] = joined[:_MAX_TEXT]

    def end(self, name: str) -> None:
        if name == "item" and self._item is not None:
            self.found.append(self._item)
            self._item = None
        self._field = ""


def read(body: bytes) -> tuple[list[Item], int]:
    """The releases, oldest first, and how many items name none; ValueError for what is no RSS."""
    collected = _Items()
    markup.parse(body, start=collected.start, text=collected.text, end=collected.end)
    items = [_item(item) for item in reversed(collected.found)]
    found = list(dict.fromkeys(item for item in items if item is not None))
    return found, items.count(None)


def _item(fields: Mapping[str, str]) -> Item | None:
    """A release by its link (``.../project/NAME/VERSION/``): the title has the display name."""
    try:
        segments = urlsplit(fields.get("link", "").strip()).path.strip("/").split("/")
    except ValueError:
        return None
    if len(segments) < 3 or segments[-3] != "project":  # noqa: PLR2004 - project, name, version
        return None
    name, version = (unquote(segment) for segment in segments[-2:])
    if not name or not version or not f"{name}{version}".isprintable():
        return None
    try:
        at = parsedate_to_datetime(fields.get("pubDate", "").strip())
    except (ValueError, TypeError, OverflowError):
        at = None
    return Item(canonicalize_name(name), version, at if at and at.tzinfo else None)


def _position(seen: Sequence[str], items: Sequence[Item]) -> str:
    marks = dict.fromkeys([*seen, *(item.mark for item in items)])
    return " ".join(list(marks)[-KEPT:])
