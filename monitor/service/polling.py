"""Poll and enqueue: a feed's page becomes durable jobs, then its checkpoint moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, field

from monitor.errors import LeakmonError, TargetError
from monitor.model import Checkpoint, Notice, Ownership
from monitor.service import strangers
from monitor.service.intake import DISK_FULL
from monitor.service.logs import logger
from monitor.store import Pulse
from monitor.watchers import actions
from monitor.watchers.outages import Outage, observed
from monitor.watchers.rechecks import next_poll

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import Page
    from monitor.service.parts import Parts
    from monitor.watchers import Watcher

ROWS = 10_000
"""How much is asked for at once; a page of as many means that more follow."""

UNDECIDED = Ownership(organisation="", reason="")
"""Whose it is, is for the registry's word on the package to say."""

BEFORE_START = timedelta(hours=1)
"""npm shows a version up to an hour after its publication: such count as published since."""

SILENCE = timedelta(minutes=2)
"""A feed that has not answered for so long (or for ten intervals) does not work."""

PULSE = timedelta(seconds=10)
"""How often it is put on record that a feed answers."""

_log = logger()


class Feed:
    """One feed, with how it has answered so far. Without a primary one nothing is watched.

    ``seconds`` is its interval. A feed that fails is asked less and less often, and not before it
    wants to be asked (``Retry-After``).
    """

    def __init__(
        self,
        ecosystem: str,
        watcher: Watcher,
        parts: Parts,
        *,
        is_primary: bool,
        seconds: float = 1.0,
    ) -> None:
        self.is_primary = is_primary
        self.ecosystem = ecosystem
        self.watcher = watcher
        self.name = watcher.feed
        self.answered_at: datetime | None = None
        self.outage = Outage()
        self.well_since: datetime | None = None
        self._parts = parts
        self._seconds = seconds
        self._checkpoint: Checkpoint | None = None
        self._again_at: datetime | None = None
        self._pulse: Pulse | None = None

    @property
    def is_well(self) -> bool:
        """Whether its last answer was one."""
        return self.answered_at is not None and self.outage.since is None

    def problem(self, now: datetime) -> str:
        """Why it does not work, or nothing."""
        patience = max(SILENCE, timedelta(seconds=10 * self._seconds))
        if self.answered_at is not None and now - self.answered_at <= patience:
            return ""
        cause = f" ({self.outage.reason})" if self.outage.reason else ""
        if self.answered_at is None:
            return f"{self.name}: no answer yet{cause}"
        silent = (now - self.answered_at).total_seconds()
        return f"{self.name}: no answer for {silent:.0f} s{cause}"

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
        now = self._parts.clock.now()
        if not self._parts.intake.is_open or (self._again_at is not None and now < self._again_at):
            return False
        try:
            page, error = await self._page()
        except LeakmonError as raised:
            self._parts.intake.saw(raised)
            page, error = None, raised
        if error is not None:
            self._parts.meters.errors.labels("poll", error.reason).inc()
        if error is None or error.reason != DISK_FULL:  # that is not the registry's doing
            self._note(error)
        await self._beat()
        return page is not None and error is None and page.rows >= ROWS

    async def _page(self) -> tuple[Page, LeakmonError | None]:
        """A page that is durable now; with an error where the feed gave none that makes sense."""
        parts = self._parts
        if self._checkpoint is None:
            await self.start()
        before = self._checkpoint
        page = await self.watcher.poll(before, limit=ROWS)
        await parts.followed.refresh(parts)
        found = sift(page.notices, parts)
        if page.checkpoint != before or found.ours or found.strangers or page.gaps:
            new = await parts.store.record_page(page, found.ours, later=found.strangers)
            parts.intake.went_well()
            self._checkpoint = page.checkpoint
            if new:
                await parts.wake()
        parts.meters.rows.labels(self.name).inc(page.rows)
        parts.meters.kept.labels(self.name).inc(len(found.ours))
        if page.gaps and page.checkpoint == before:
            return page, TargetError(page.gaps[0].detail, reason=page.gaps[0].kind)
        self.answered_at = parts.clock.now()
        for gap in page.gaps:
            _log.warning(f"{self.name}: {gap.detail}", step="poll", reason=gap.kind)
        return page, None

    def _note(self, error: LeakmonError | None) -> None:
        """A registry that is down is said once, and once more when it is back."""
        clock = self._parts.clock
        now = clock.now()
        self.outage, turn = observed(self.outage, error, now)
        self._again_at = None
        self.well_since = (self.well_since or now) if error is None else None
        if error is not None:
            wait = next_poll(self._seconds, self.outage.failures, clock.random())
            again_at = now + timedelta(seconds=wait)
            self._again_at = max(again_at, self.outage.not_before or again_at)
        if turn == "down" and error is not None:
            _log.warning(f"{self.name}: {error}", step="poll", reason=error.reason)
        elif turn == "back":
            _log.info(f"{self.name} answers again", step="poll")

    async def _beat(self) -> None:
        """Put on record how the feed is: at every turn, else now and then."""
        now, last = self._parts.clock.now(), self._pulse
        is_turn = last is None or last.reason != self.outage.reason
        if not is_turn and last is not None and now - last.at < PULSE:
            return
        made = Pulse(
            name=self.name,
            at=now,
            answered_at=self.answered_at,
            failing_since=self.outage.since,
            not_before=self.outage.not_before,
            reason=self.outage.reason,
        )
        try:
            await self._parts.store.beat(made)
        except LeakmonError as error:
            self._parts.intake.saw(error)
        else:
            self._pulse = made


class Sifted(Struct, frozen=True, kw_only=True):
    """What of a page is ours, and what may be, with when to ask whose it is."""

    ours: list[tuple[Notice, Ownership]] = field(default_factory=list)
    strangers: list[tuple[Notice, Ownership, datetime]] = field(default_factory=list)


def sift(notices: Sequence[Notice], parts: Parts) -> Sifted:
    """What may be ours, of each release the last word that something can be fetched."""
    now = parts.clock.now()
    kept: dict[tuple[str, ...], tuple[Notice, Ownership]] = {}
    unknown: dict[tuple[str, str], Notice] = {}
    for notice in notices:
        owner = owner_of(notice, parts)
        if owner is not None:
            kept[_subject(notice)] = (notice, owner)
        elif _is_asked_about(notice, parts):
            unknown[notice.ecosystem, notice.name] = notice
    asked = [
        (strangers.whole(notice), UNDECIDED, due_at)
        for notice in unknown.values()
        for due_at in [parts.strangers.due(notice, now)]
        if due_at is not None
    ]
    return Sifted(ours=list(kept.values()), strangers=asked)


def _is_asked_about(notice: Notice, parts: Parts) -> bool:
    """Whether a name that is not ours may be ours all the same, or is like one of ours."""
    if strangers.is_worth_asking(notice) and parts.perimeter.needs_metadata(notice.ecosystem):
        return True
    is_told = strangers.is_worth_asking(notice) or notice.action == actions.REMOVED
    if is_told and parts.suspects.find(notice.ecosystem, notice.name) is not None:
        return True
    is_new = notice.action in actions.FETCHABLE
    return is_new and parts.followed.is_wanted(notice.ecosystem, notice.name)


def owner_of(notice: Notice, parts: Parts) -> Ownership | None:
    """Whose it is by its name, because it was ours before, or by where it was found."""
    known = parts.owners.get((notice.ecosystem, notice.name))
    owner = parts.perimeter.by_name(notice.ecosystem, notice.name) or known
    if owner is None and notice.place:
        return parts.perimeter.by_place(notice.place)
    return owner


def _subject(notice: Notice) -> tuple[str, ...]:
    if notice.action in actions.FETCHABLE:
        return (notice.ecosystem, notice.name, notice.version or "")
    return (notice.ecosystem, notice.name, notice.action, notice.position)


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
