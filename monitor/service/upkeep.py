"""What is done by the clock beside the feeds: reconciliation, retention, rechecks, snoozes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from monitor import incidents
from monitor.config.storage import retention
from monitor.model import IncidentState, Job, Notice, Ownership
from monitor.service.logs import logger
from monitor.store import IncidentFilter
from monitor.store.keys import job_key
from monitor.watchers import actions
from monitor.watchers.rechecks import GROWTH, next_growth

if TYPE_CHECKING:
    from monitor.model import Incident, IncidentChange
    from monitor.service.parts import Parts
    from monitor.store import Tracked

GROWS = frozenset({"pypi"})
"""Where a release takes further files after its publication."""

_log = logger()


async def reconcile(parts: Parts) -> int:
    """Whatever the tables say is unfinished has a job; the number of those that had none."""
    back = await parts.queue.ensure(await parts.store.unfinished())
    if back:
        _log.info(f"{back} pieces of unfinished work are given a job", step="reconcile")
        await parts.wake()
    await parts.recall()
    await _rechecks(parts)
    await _wake_snoozed(parts)
    return back


async def gather_digests(parts: Parts) -> None:
    """What channels held back until the last time of day for it goes out."""
    if await parts.store.digests_close(parts.last_digest_at):
        await parts.wake()


async def retain(parts: Parts) -> None:
    """Remove the evidence and the finished work that have been kept for long enough."""
    keep = retention(parts.settings)
    gone = 0
    while keys := await parts.store.evidence_expired(keep):
        for key in keys:
            await parts.evidence.delete(key)
            await parts.store.evidence_removed(key)
            await parts.store.audit("leakmon", "evidence-expired", key)
        gone += len(keys)
    rows = await parts.store.purge(keep)
    if gone or rows:
        _log.info(f"retention: {gone} pieces of evidence, {rows} rows", step="retain")


async def _rechecks(parts: Parts) -> None:
    """Each release that may still grow has a job for its next look; a known key is harmless."""
    now = parts.clock.now()
    for release in await parts.store.tracked(now - GROWTH[-1] - timedelta(days=1)):
        if release.ecosystem not in GROWS or release.withdrawal == actions.REMOVED:
            continue
        at = next_growth(release.first_seen_at, now)
        if at is not None:
            number = round((at - release.first_seen_at).total_seconds())
            await parts.queue.enqueue(_recheck(release, number))


def _recheck(release: Tracked, seconds: int) -> Job:
    key = job_key("recheck", release.ecosystem, release.name, release.version, str(seconds))
    notice = Notice(
        ecosystem=release.ecosystem,
        name=release.name,
        version=release.version,
        action=actions.PUBLISHED,
        position=f"recheck/{seconds}",
    )
    owner = Ownership(organisation=release.organisation, reason="tracked")
    return Job(
        key=key,
        kind="recheck",
        run_at=release.first_seen_at + timedelta(seconds=seconds),
        payload={
            "notice": msgspec.to_builtins(notice),
            "ownership": msgspec.to_builtins(owner),
            "notice_key": key,
        },
    )


async def _wake_snoozed(parts: Parts) -> None:
    now = parts.clock.now()

    def change(standing: Incident) -> IncidentChange:
        return incidents.woken(standing, now)

    for incident in await parts.store.incidents(IncidentFilter(states=(IncidentState.SNOOZED,))):
        if incident.snoozed_until is not None and incident.snoozed_until <= now:
            await parts.store.change_incident(
                incident.id, change, actor="leakmon", action="woken",
                channels=parts.hearers,
            )  # fmt: skip
            await parts.wake()
