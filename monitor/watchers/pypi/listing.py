"""The Simple root: every project with the serial of its last change. For reconciliation.

It is cached for half an hour: it comes late, but it forgets nothing. Source: PEP 691, PEP 700.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from packaging.utils import canonicalize_name

from monitor.errors import TargetError
from monitor.http.answers import decoded
from monitor.model import Checkpoint, Notice
from monitor.watchers import actions, pages, reading

from . import journal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from monitor.http.client import Client
    from monitor.model import Page
    from monitor.watchers.interest import Interest

FEED = "pypi/listing"
MAX_ROWS = 50_000
ACCEPT = "application/vnd.pypi.simple.v1+json"
_MAX_BYTES = 256 * reading.MiB  # 700,000 projects take about 40


class _Project(Struct, gc=False):
    name: str
    serial: int | None = field(default=None, name="_last-serial")


class _Root(Struct):
    projects: list[_Project]
    meta: Any = None


class Listing:
    """The root of one site. Its position is the serial up to which it was compared."""

    feed = FEED

    def __init__(self, client: Client, site: str) -> None:
        self._client = client
        self._site = site
        self._memory = reading.Memory()

    async def start_position(self) -> Checkpoint:
        """The serial that the root is at now."""
        answer = await self._ask("")
        try:
            last, _ = read(answer.body or b"", 0)
        except ValueError as error:
            raise TargetError(f"{self._site}simple/: {error}", reason="bad-answer") from error
        return Checkpoint(feed=FEED, position=str(last), moved_at=self._client.clock.now())

    async def poll(self, checkpoint: Checkpoint | None, *, limit: int = MAX_ROWS) -> Page:
        """The projects that changed after the checkpoint, in the order of their serials."""
        if checkpoint is None:
            return pages.standing(await self.start_position())
        answer = await self._ask(self._memory.tag(checkpoint))
        if answer.body is None:
            return pages.standing(checkpoint)
        since = journal.serial(checkpoint.position) or 0
        try:
            last, changed = await reading.parsed(lambda body: read(body, since), answer.body)
        except ValueError as error:
            return pages.gap(checkpoint, "malformed-page", str(error))
        if last <= since:
            # An older copy of a cache: the journal tells of serials that really went back.
            return pages.standing(checkpoint)
        taken = changed[:limit]
        position = last if len(taken) == len(changed) else taken[-1][0]
        self._memory.keep(str(position), answer.tag if position == last else "")
        notices = [
            Notice(ecosystem="pypi", name=name, action=actions.CHANGED, position=str(serial))
            for serial, name in taken
        ]
        return pages.moved(
            checkpoint,
            str(position),
            notices,
            at=self._client.clock.now(),
            rows=len(taken),
        )

    def backfill(
        self, since: datetime | None, interest: Interest, *, after: str = ""
    ) -> AsyncIterator[Page]:
        """As the journal's: by name."""
        from .backfill import pages_of

        return pages_of(self._client, self._site, since, interest, after=after)

    async def _ask(self, tag: str) -> reading.Answer:
        return await reading.ask(
            self._client, f"{self._site}simple/", accept=ACCEPT, max_bytes=_MAX_BYTES, tag=tag
        )


def read(body: bytes, since: int) -> tuple[int, list[tuple[int, str]]]:
    """The root's serial, and ``(serial, name)`` of what changed after ``since``, in order.

    ValueError for what is no root, or one without serials.
    """
    root = decoded(body, _Root)
    meta = root.meta if isinstance(root.meta, dict) else {}
    last = journal.serial(meta.get("_last-serial"))
    if last is None:
        raise ValueError("the listing has no serial: nothing can be compared")
    changed = [
        (project.serial, canonicalize_name(project.name))
        for project in root.projects
        if project.serial is not None and since < project.serial <= last
    ]
    return last, sorted(changed)


def names(body: bytes) -> list[str]:
    """The normalised names of all projects; ValueError for what is no root."""
    return sorted({canonicalize_name(project.name) for project in decoded(body, _Root).projects})
