"""``leakmon jobs``: what was set aside after its last try, and how to try again."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from msgspec import Struct, to_builtins

from monitor.cli import person
from monitor.cli.incidents import at_work
from monitor.errors import NotFoundError, UsageError
from monitor.report.text import clean, count

if TYPE_CHECKING:
    import argparse

    from monitor.jobs import Queue
    from monitor.store import Metrics, Store

MOST = 1_000
_ALERT = "alert/"


class Letter(Struct, frozen=True, kw_only=True):
    """A job or alert that was set aside; ``key`` names it to ``leakmon jobs revive``."""

    key: str
    kind: str
    reason: str
    about: str = ""


def listing(call: argparse.Namespace) -> int:
    """One a line, latest first."""
    return asyncio.run(_list(call))


def revive(call: argparse.Namespace) -> int:
    """Make them due now, their failed tries forgotten. A running daemon takes them up."""
    if not call.keys and not call.all:
        raise UsageError("name what to revive, or --all (leakmon jobs list)")
    return asyncio.run(_revive(call))


def total(counted: Metrics) -> int:
    """How much was set aside."""
    dead = sum(states.get("dead", 0) for states in counted.jobs.values())
    return dead + sum(states.get("failed", 0) for states in counted.outgoing.values())


async def listed(store: Store, queue: Queue, limit: int) -> list[Letter]:
    """What was set aside: jobs, then alerts, at most ``limit`` of each."""
    jobs = [
        Letter(key=job.key, kind=job.kind, reason=reason, about=_about(job.payload))
        for job, reason in await queue.dead_letters(limit)
    ]
    alerts = [
        Letter(
            key=f"{_ALERT}{each.id}",
            kind="alert",
            reason=each.reason,
            about=f"{each.incident_id} to {each.channel}",
        )
        for each in await store.outbox_set_aside(limit)
    ]
    return [*jobs, *alerts]


async def _list(call: argparse.Namespace) -> int:
    async with at_work(call) as (store, queue):
        found = await listed(store, queue, call.limit)
        whole = total(await store.metrics())
    if call.json:
        print(json.dumps({"total": whole, "set_aside": to_builtins(found)}, indent=2))
        return 0
    for each in found:
        about = f"  {clean(each.about)}" if each.about else ""
        print(f"{each.reason:<20}  {clean(each.key)}{about}")
    print(f"{count(whole, 'piece')} of work set aside")
    return 0


async def _revive(call: argparse.Namespace) -> int:
    async with at_work(call) as (store, queue):
        keys = call.keys
        if call.all:
            keys = [each.key for each in await listed(store, queue, total(await store.metrics()))]
        for key in keys:
            is_alert = key.startswith(_ALERT)
            done = (
                await store.outbox_revive_one(key.removeprefix(_ALERT))
                if is_alert
                else await queue.revive(key)
            )
            if not done:
                raise NotFoundError(f"{key}: not set aside", reason="not-set-aside")
            await store.audit(person.name(), "revive", key)
    print(f"revived {count(len(keys), 'piece')} of work")
    return 0


def _about(payload: dict[str, object]) -> str:
    notice = payload.get("notice")
    if not isinstance(notice, dict):
        return ""
    version = f"@{notice['version']}" if notice.get("version") else ""
    return f"{notice.get('ecosystem')}:{notice.get('name')}{version}"
