"""Feeds: pages with their notices, checkpoints and gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from monitor.model import Checkpoint, Gap, Notice, Ownership
from monitor.store.core import Core, changed
from monitor.store.keys import notice_key, resolve_job
from monitor.store.records import GapRecord, NoticeRecord, Pulse
from monitor.store.tables_work import CheckpointRow, GapRow, NoticeRow, PulseRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from monitor.model import Job, Page

_BATCH = 500


class Feeds(Core):
    """How far each feed was read, and what of it is ours."""

    async def record_page(
        self,
        page: Page,
        kept: Sequence[tuple[Notice, Ownership]],
        *,
        later: Sequence[tuple[Notice, Ownership, datetime]] = (),
        priority: int = 0,
    ) -> int:
        """Keep what is ours, enqueue its ``resolve`` jobs, note the gaps, then move the checkpoint.

        All or nothing, so that the checkpoint never passes work which is not durable. A page that
        is recorded twice changes nothing more. ``later`` is kept as well, its jobs due at their
        own times. ``priority`` is ``keys.BACKFILL`` for a backfill. Gives the number of new jobs.
        """
        now = self.clock()
        due = [*((notice, owner, now) for notice, owner in kept), *later]
        async with self.database.writing() as session:
            jobs = await self._keep(session, page.checkpoint.feed, due, now, priority)
            enqueued = await self._enqueue(session, jobs)
            for gap in page.gaps:
                await self._gap(session, gap, now)
            await self._move(session, page.checkpoint, page.rows, len(kept))
            return enqueued

    async def record_notices(
        self, feed: str, kept: Sequence[tuple[Notice, Ownership]], *, priority: int = 0
    ) -> int:
        """As ``record_page`` for what a backfill or a recheck found: no checkpoint moves."""
        now = self.clock()
        due = [(notice, owner, now) for notice, owner in kept]
        async with self.database.writing() as session:
            jobs = await self._keep(session, feed, due, now, priority)
            return await self._enqueue(session, jobs)

    async def checkpoints(self) -> dict[str, Checkpoint]:
        """Every feed's checkpoint, by feed."""
        async with self.database.reading() as session:
            rows = (await session.execute(sa.select(CheckpointRow))).scalars()
            return {
                row.feed: Checkpoint(feed=row.feed, position=row.position, moved_at=row.moved_at)
                for row in rows
            }

    async def set_checkpoint(self, checkpoint: Checkpoint, *, is_forced: bool = False) -> bool:
        """Set where a feed starts; False if it has a checkpoint, unless it is to be overwritten."""
        async with self.database.writing() as session:
            query = sa.select(CheckpointRow.feed).where(CheckpointRow.feed == checkpoint.feed)
            if (await session.execute(query)).first() and not is_forced:
                return False
            await self._move(session, checkpoint, 0, 0)
            return True

    async def gap(self, gap: Gap) -> int:
        """Note a gap; the id of the one on record if the same is open already."""
        async with self.database.writing() as session:
            return await self._gap(session, gap, self.clock())

    async def gaps(self, *, is_open: bool = True) -> list[GapRecord]:
        """The gaps on record, oldest first; only the open ones unless told otherwise."""
        query = sa.select(GapRow).order_by(GapRow.id)
        if is_open:
            query = query.where(GapRow.closed_at.is_(None))
        async with self.database.reading() as session:
            return [_gap_record(row) for row in (await session.execute(query)).scalars()]

    async def close_gap(self, gap_id: int) -> bool:
        """A backfill has closed it. False if it was not open."""
        closing = (
            sa.update(GapRow)
            .where(GapRow.id == gap_id, GapRow.closed_at.is_(None))
            .values(closed_at=self.clock())
        )
        async with self.database.writing() as session:
            return changed(await session.execute(closing)) == 1

    async def beat(self, pulse: Pulse) -> None:
        """Note a sign of life, in the place of the one before."""
        values = msgspec.structs.asdict(pulse)
        made = self.database.insert(PulseRow).values(values)
        upsert = made.on_conflict_do_update(index_elements=[PulseRow.name], set_=values)
        async with self.database.writing() as session:
            await session.execute(upsert)

    async def pulses(self) -> dict[str, Pulse]:
        """Every sign of life, by name; those of the dead stand, too."""
        names = Pulse.__struct_fields__
        async with self.database.reading() as session:
            rows = (await session.execute(sa.select(PulseRow))).scalars()
            return {row.name: Pulse(**{name: getattr(row, name) for name in names}) for row in rows}

    async def notice(self, key: str) -> NoticeRecord:
        """A kept notice. Raises NotFoundError."""
        async with self.database.reading() as session:
            query = sa.select(NoticeRow).where(NoticeRow.key == key)
            return _notice_record(await self.one(session, query, key))

    async def resolve_notice(self, key: str, outcome: str) -> bool:
        """A notice is dealt with without an announcement (``not-found``, ``withdrawn`` ...)."""
        async with self.database.writing() as session:
            return await self._resolve(session, key, outcome, self.clock())

    async def _keep(
        self,
        session: AsyncSession,
        feed: str,
        due: Sequence[tuple[Notice, Ownership, datetime]],
        now: datetime,
        priority: int,
    ) -> list[Job]:
        """Write the notices; the jobs of those that were not known."""
        fresh: set[str] = set()
        rows = {
            notice_key(notice): {
                "key": notice_key(notice),
                "feed": feed,
                "notice": notice,
                "ownership": ownership,
                "priority": priority,
                "seen_at": now,
                "outcome": "",
                "resolved_at": None,
            }
            for notice, ownership, _ in due
        }
        values = list(rows.values())
        for start in range(0, len(values), _BATCH):
            made = self.database.insert(NoticeRow).values(values[start : start + _BATCH])
            new = await session.execute(made.on_conflict_do_nothing().returning(NoticeRow.key))
            fresh.update(new.scalars())
        return [
            resolve_job(key, notice, ownership, run_at, priority)
            for notice, ownership, run_at in due
            for key in [notice_key(notice)]
            if key in fresh
        ]

    async def _resolve(self, session: AsyncSession, key: str, outcome: str, now: datetime) -> bool:
        resolving = (
            sa.update(NoticeRow)
            .where(NoticeRow.key == key, NoticeRow.outcome == "")
            .values(outcome=outcome, resolved_at=now)
        )
        return changed(await session.execute(resolving)) == 1

    async def _move(
        self, session: AsyncSession, checkpoint: Checkpoint, rows: int, kept: int
    ) -> None:
        made = self.database.insert(CheckpointRow).values(
            feed=checkpoint.feed,
            position=checkpoint.position,
            moved_at=checkpoint.moved_at,
            rows=rows,
            kept=kept,
        )
        await session.execute(
            made.on_conflict_do_update(
                index_elements=[CheckpointRow.feed],
                set_={
                    "position": checkpoint.position,
                    "moved_at": checkpoint.moved_at,
                    "rows": CheckpointRow.rows + rows,
                    "kept": CheckpointRow.kept + kept,
                },
            )
        )

    async def _gap(self, session: AsyncSession, gap: Gap, now: datetime) -> int:
        same = sa.select(GapRow.id).where(
            GapRow.feed == gap.feed,
            GapRow.kind == gap.kind,
            GapRow.since == gap.since,
            GapRow.until == gap.until,
            GapRow.closed_at.is_(None),
        )
        known = (await session.execute(same)).scalar()
        if known is not None:
            return known
        moved = sa.select(CheckpointRow.moved_at).where(CheckpointRow.feed == gap.feed)
        read_at = (await session.execute(moved)).scalar()
        row = GapRow(**msgspec.structs.asdict(gap), noticed_at=now, read_at=read_at, closed_at=None)
        session.add(row)
        await session.flush()
        return row.id


def _gap_record(row: GapRow) -> GapRecord:
    gap = Gap(feed=row.feed, kind=row.kind, detail=row.detail, since=row.since, until=row.until)
    return GapRecord(
        id=row.id,
        gap=gap,
        noticed_at=row.noticed_at,
        closed_at=row.closed_at,
        read_at=row.read_at,
    )


def _notice_record(row: NoticeRow) -> NoticeRecord:
    return NoticeRecord(
        key=row.key,
        feed=row.feed,
        notice=msgspec.convert(row.notice, Notice),
        ownership=msgspec.convert(row.ownership, Ownership),
        outcome=row.outcome,
        seen_at=row.seen_at,
    )
