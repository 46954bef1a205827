"""Backfill: the past, asked for by the operator or by a gap; resumed after a crash.

What is wanted stands in a checkpoint of its own until all of it is done. When it was asked for is
part of what it finds: a later one looks again at what an earlier one had to leave.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec.structs import replace

from monitor.model import Checkpoint, Gap
from monitor.service.logs import logger
from monitor.service.polling import UNDECIDED, owner_of
from monitor.store.keys import BACKFILL, REPOSITORIES
from monitor.watchers import WATCHERS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from monitor.model import Notice, Ownership, Page
    from monitor.service.parts import Parts
    from monitor.store import GapRecord
    from monitor.watchers import Watcher

OF_A_GAP = timedelta(days=1)
"""So long before the last good read a gap's backfill begins: clocks differ, versions are held."""

RETRY_OWN_GAPS = timedelta(hours=1)
"""A gap that a backfill itself left is tried again after this."""

NO_LISTING = "no-listing"
"""The kind of gap that no backfill can close: the registry cannot list its packages."""

ALL = "all"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_log = logger()


def _wanted(ecosystem: str) -> str:
    return f"{ecosystem}/backfill-wanted"


def _progress(ecosystem: str) -> str:
    return f"{ecosystem}/backfill"


async def ask(ecosystem: str, since: datetime | None, parts: Parts) -> None:
    """Note that everything since then is wanted (None: all of it), from the beginning.

    What was wanted before and is not done is wanted still.
    """
    now = parts.clock.now()
    position = since.isoformat() if since is not None else ALL
    before = (await parts.store.checkpoints()).get(_wanted(ecosystem))
    if before is not None and before.position:
        position = _wider(before.position, position)
    for feed, text in ((_progress(ecosystem), ""), (_wanted(ecosystem), position)):
        made = Checkpoint(feed=feed, position=text, moved_at=now)
        await parts.store.set_checkpoint(made, is_forced=True)


async def go_on(ecosystem: str, watcher: Watcher, parts: Parts) -> None:
    """Do what is wanted, from where it broke off."""
    checkpoints = await parts.store.checkpoints()
    wanted = checkpoints.get(_wanted(ecosystem))
    if wanted is None or not wanted.position:
        return
    since = None if wanted.position == ALL else datetime.fromisoformat(wanted.position)
    progress = checkpoints.get(_progress(ecosystem))
    tracked = await parts.store.tracked(_LONG_AGO)
    names = {each.name for each in tracked if each.ecosystem == ecosystem}
    interest = parts.perimeter.interest(ecosystem, names)
    found, gaps = 0, list[Gap]()
    async for page in watcher.backfill(
        since, interest, after=progress.position if progress else ""
    ):
        told = [replace(gap, since=wanted.position) for gap in page.gaps]
        kept = await _new(page, wanted.moved_at.isoformat(), parts)
        if await parts.store.record_page(replace(page, gaps=told), kept, priority=BACKFILL):
            await parts.wake()
        found += len(kept)
        gaps += told
    await _finished(ecosystem, gaps, parts)
    _log.info(f"{ecosystem}: backfill done, {found} releases to look at", step="backfill")
    if parts.perimeter.needs_metadata(ecosystem):
        _log.info(
            f"{ecosystem}: packages that are ours by owner, repository or mail domain alone cannot "
            "be searched for: unless known they are found when they change",
            step="backfill",
        )


async def close_gaps(
    watchers: dict[str, Watcher],
    parts: Parts,
    broken: Collection[str] = (),
    well_since: Mapping[str, datetime] = MappingProxyType({}),
) -> None:
    """Gaps on record start one bounded backfill of their ecosystem, and are closed by it.

    Not while their feed is among the ``broken``: what it does not tell now would be missed again.
    What a second feed missed while the primary was well is no loss: ``well_since`` says since when
    the primary of an ecosystem has answered without a failure.
    """
    now = parts.clock.now()
    open_gaps = []
    for record in await parts.store.gaps():
        if _is_covered(record, watchers, well_since):
            await parts.store.close_gap(record.id)
        else:
            open_gaps.append(record)
    for ecosystem, watcher in watchers.items():
        due = [each for each in open_gaps if _is_due(each, ecosystem, now, broken)]
        if not due:
            continue
        since = _earliest(due)
        begins = since.isoformat() if since is not None else "the beginning"
        _log.info(f"{ecosystem}: {len(due)} gaps: looking at all since {begins}", step="backfill")
        await ask(ecosystem, since, parts)
        for record in due:  # what is wanted is on record now; what it leaves is a gap of its own
            await parts.store.close_gap(record.id)
        await go_on(ecosystem, watcher, parts)


def primary(parts: Parts) -> dict[str, Watcher]:
    """The first feed of each registry that is watched: any of them can read the past."""
    feeds = {
        ecosystem: registry.watch(parts.registries, parts.network)
        for ecosystem, registry in WATCHERS.items()
        if ecosystem in REPOSITORIES or parts.perimeter.is_on(ecosystem)
    }
    return {ecosystem: found[0] for ecosystem, found in feeds.items() if found}


def _is_due(record: GapRecord, ecosystem: str, now: datetime, broken: Collection[str]) -> bool:
    gap = record.gap
    if gap.feed.partition("/")[0] != ecosystem or gap.kind == NO_LISTING or gap.feed in broken:
        return False
    return gap.feed != _progress(ecosystem) or now - record.noticed_at >= RETRY_OWN_GAPS


def _is_covered(
    record: GapRecord, watchers: Mapping[str, Watcher], well_since: Mapping[str, datetime]
) -> bool:
    ecosystem = record.gap.feed.partition("/")[0]
    watcher, since = watchers.get(ecosystem), well_since.get(ecosystem)
    if watcher is None or since is None or record.read_at is None:
        return False
    is_second = record.gap.feed not in {watcher.feed, _progress(ecosystem)}
    return is_second and since <= record.read_at


def _earliest(records: Sequence[GapRecord]) -> datetime | None:
    """From when on something may be missing: since the last good read of each feed."""
    begins = []
    for record in records:
        is_own = record.gap.feed.endswith("/backfill")
        if is_own and record.gap.since == ALL:
            return None
        if is_own and record.gap.since:
            begins.append(datetime.fromisoformat(record.gap.since))
        else:
            begins.append((record.read_at or record.noticed_at) - OF_A_GAP)
    return min(begins)


def _wider(one: str, other: str) -> str:
    if ALL in (one, other):
        return ALL
    return min(one, other, key=datetime.fromisoformat)


async def _new(page: Page, asked_at: str, parts: Parts) -> list[tuple[Notice, Ownership]]:
    """What of a page may be ours and is not on record, of each release one notice."""
    kept: dict[tuple[str, str], tuple[Notice, Ownership]] = {}
    known: dict[str, tuple[set[str], set[str]]] = {}
    for notice in page.notices:
        owner = owner_of(notice, parts)
        if owner is None and not parts.perimeter.needs_metadata(notice.ecosystem):
            continue
        if notice.name not in known:
            known[notice.name] = await _known(notice, parts)
        versions, files = known[notice.name]
        is_known = notice.filename in files if notice.filename else notice.version in versions
        if not is_known:
            position = f"{notice.position}@{asked_at}"
            made = replace(notice, position=position)
            kept[notice.name, notice.version or ""] = (made, owner or UNDECIDED)
    return list(kept.values())


async def _known(notice: Notice, parts: Parts) -> tuple[set[str], set[str]]:
    """The versions and the names of the files that are on record."""
    records = await parts.store.files(notice.ecosystem, notice.name)
    return {each.version for each in records}, {each.filename for each in records}


async def _finished(ecosystem: str, gaps: Sequence[Gap], parts: Parts) -> None:
    """It is done. What it could not do is said, and stands on record as a gap of its own."""
    done = Checkpoint(feed=_wanted(ecosystem), position="", moved_at=parts.clock.now())
    await parts.store.set_checkpoint(done, is_forced=True)
    for gap in gaps:
        _log.warning(f"{ecosystem}: backfill: {gap.detail}", step="backfill", reason=gap.kind)
    if not any(gap.kind == NO_LISTING for gap in gaps):
        for record in await parts.store.gaps():
            is_own = record.gap.feed == _progress(ecosystem)
            if is_own and record.gap.kind == NO_LISTING:
                await parts.store.close_gap(record.id)
