"""Backfill: the past, asked for by the operator or by a gap; resumed after a crash.

What is wanted stands in a checkpoint of its own until all of it is done.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from monitor.model import Checkpoint
from monitor.service.logs import logger
from monitor.service.polling import sift
from monitor.store.keys import BACKFILL
from monitor.watchers import WATCHERS

if TYPE_CHECKING:
    from monitor.service.parts import Parts
    from monitor.watchers import Watcher

OF_A_GAP = timedelta(days=1)
RETRY_OWN_GAPS = timedelta(hours=1)
"""A gap that a backfill itself left is tried again after this."""

ALL = "all"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_log = logger()


def _wanted(ecosystem: str) -> str:
    return f"{ecosystem}/backfill-wanted"


def _progress(ecosystem: str) -> str:
    return f"{ecosystem}/backfill"


async def ask(ecosystem: str, since: datetime | None, parts: Parts) -> None:
    """Note that everything since then is wanted (None: all of it), from the beginning."""
    now = parts.clock.now()
    position = since.isoformat() if since is not None else ALL
    for feed, text in ((_progress(ecosystem), ""), (_wanted(ecosystem), position)):
        made = Checkpoint(feed=feed, position=text, moved_at=now)
        await parts.store.set_checkpoint(made, is_forced=True)


async def go_on(ecosystem: str, watcher: Watcher, parts: Parts) -> int:
    """Do what is wanted, from where it broke off; the number of rows that may be ours."""
    checkpoints = await parts.store.checkpoints()
    wanted = checkpoints.get(_wanted(ecosystem))
    if wanted is None or not wanted.position:
        return 0
    since = None if wanted.position == ALL else datetime.fromisoformat(wanted.position)
    progress = checkpoints.get(_progress(ecosystem))
    after = progress.position if progress else ""
    tracked = await parts.store.tracked(_LONG_AGO)
    names = {each.name for each in tracked if each.ecosystem == ecosystem}
    interest = parts.perimeter.interest(ecosystem, names)
    found = 0
    async for page in watcher.backfill(since, interest, after=after):
        kept = sift(page.notices, parts)
        if await parts.store.record_page(page, kept, priority=BACKFILL):
            await parts.wake()
        found += len(kept)
    done = Checkpoint(feed=_wanted(ecosystem), position="", moved_at=parts.clock.now())
    await parts.store.set_checkpoint(done, is_forced=True)
    _log.info(f"{ecosystem}: backfill done, {found} releases to look at", step="backfill")
    return found


async def close_gaps(watchers: dict[str, Watcher], parts: Parts) -> None:
    """Each gap on record starts a bounded backfill of its ecosystem, and is closed by it."""
    now = parts.clock.now()
    for record in await parts.store.gaps():
        ecosystem = record.gap.feed.partition("/")[0]
        is_own = record.gap.feed == _progress(ecosystem)
        if ecosystem not in watchers or (is_own and now - record.noticed_at < RETRY_OWN_GAPS):
            continue
        await ask(ecosystem, record.noticed_at - OF_A_GAP, parts)
        await go_on(ecosystem, watchers[ecosystem], parts)
        await parts.store.close_gap(record.id)


def primary(parts: Parts) -> dict[str, Watcher]:
    """The first feed of each registry: any of them can read the past."""
    feeds = {
        ecosystem: registry.watch(parts.registries, parts.network)
        for ecosystem, registry in WATCHERS.items()
    }
    return {ecosystem: found[0] for ecosystem, found in feeds.items() if found}
