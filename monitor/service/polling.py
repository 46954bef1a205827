"""Poll and enqueue: a feed's page becomes durable jobs, then its checkpoint moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from monitor.errors import LeakmonError
from monitor.model import Checkpoint, Ownership
from monitor.service.intake import DISK_FULL
from monitor.service.logs import logger
from monitor.watchers import actions
from monitor.watchers.outages import Outage, observed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import Notice, Page
    from monitor.service.parts import Parts
    from monitor.watchers import Watcher

ROWS = 10_000
"""How much is asked for at once; a page of as many means that more follow."""

UNDECIDED = Ownership(organisation="", reason="")
"""Whose it is, is for the registry's word on the package to say."""

BEFORE_START = timedelta(hours=1)
"""npm shows a version up to an hour after its publication: such count as published since."""

_log = logger()


class Feed:
    """One feed, with how it has answered so far. Without a primary one nothing is watched."""

    def __init__(self, ecosystem: str, watcher: Watcher, parts: Parts, *, is_primary: bool) -> None:
        self.is_primary = is_primary
        self.ecosystem = ecosystem
        self.watcher = watcher
        self.name = watcher.feed
        self.answered_at: datetime | None = None
        self._parts = parts
        self._outage = Outage()
        self._checkpoint: Checkpoint | None = None

    async def start(self) -> None:
        """Know where to go on. A first start begins at the present, and says so."""
        store = self._parts.store
        self._checkpoint = (await store.checkpoints()).get(self.name)
        if self._checkpoint is not None:
            return
        present = await self.watcher.start_position()
        await store.set_checkpoint(_since(self.ecosystem, present.moved_at))
        await store.set_checkpoint(present)
        self._checkpoint = present
        _log.info(
            f"{self.name}: begins at the present; leakmon watch --backfill DAYS looks at what was "
            "published before",
            step="poll",
        )

    async def poll(self) -> bool:
        """One page; True if more follow. What the registry does wrong is told, and not raised."""
        if not self._parts.intake.is_open:
            return False
        try:
            page = await self._page()
        except LeakmonError as error:
            self._parts.intake.saw(error)
            self._parts.meters.errors.labels("poll", error.reason).inc()
            if error.reason != DISK_FULL:  # that is not the registry's doing
                self._note(error)
            return False
        self._note(None)
        return page.rows >= ROWS

    async def _page(self) -> Page:
        parts = self._parts
        if self._checkpoint is None:
            await self.start()
        before = self._checkpoint
        page = await self.watcher.poll(before, limit=ROWS)
        self.answered_at = parts.clock.now()
        kept = sift(page.notices, parts)
        if page.checkpoint != before or kept or page.gaps:
            new = await parts.store.record_page(page, kept)
            parts.intake.went_well()
            self._checkpoint = page.checkpoint
            if new:
                await parts.wake()
        parts.meters.rows.labels(self.name).inc(page.rows)
        parts.meters.kept.labels(self.name).inc(len(kept))
        for gap in page.gaps:
            _log.warning(f"{self.name}: {gap.detail}", step="poll", reason=gap.kind)
        return page

    def _note(self, error: LeakmonError | None) -> None:
        """A registry that is down is said once, and once more when it is back."""
        self._outage, turn = observed(self._outage, error, self._parts.clock.now())
        if turn == "down" and error is not None:
            _log.warning(f"{self.name}: {error}", step="poll", reason=error.reason)
        elif turn == "back":
            _log.info(f"{self.name} answers again", step="poll")


def sift(notices: Sequence[Notice], parts: Parts) -> list[tuple[Notice, Ownership]]:
    """What may be ours, of each release the last word that something can be fetched."""
    now = parts.clock.now()
    kept: dict[tuple[str, ...], tuple[Notice, Ownership]] = {}
    for notice in notices:
        owner = parts.perimeter.by_name(notice.ecosystem, notice.name)
        if owner is None and notice.place:
            owner = parts.perimeter.by_place(notice.place)
        if owner is None:
            is_asked = parts.perimeter.needs_metadata(notice.ecosystem)
            if not is_asked or parts.strangers.has(notice, now):
                continue
            owner = UNDECIDED
        if notice.action in actions.FETCHABLE:
            key: tuple[str, ...] = (notice.ecosystem, notice.name, notice.version or "")
        else:
            key = (notice.ecosystem, notice.name, notice.action, notice.position)
        kept[key] = (notice, owner)
    return list(kept.values())


def _since(ecosystem: str, at: datetime) -> Checkpoint:
    return Checkpoint(feed=since_of(ecosystem), position=at.isoformat(), moved_at=at)


def since_of(ecosystem: str) -> str:
    """The checkpoint that holds when the watch over an ecosystem began."""
    return f"{ecosystem}/since"


async def began_at(ecosystem: str, parts: Parts) -> datetime:
    """From when on publications are ours to look at, if no backfill asks for more."""
    found = (await parts.store.checkpoints()).get(since_of(ecosystem))
    if found is None:
        return parts.clock.now() - BEFORE_START
    return datetime.fromisoformat(found.position).astimezone(UTC) - BEFORE_START
