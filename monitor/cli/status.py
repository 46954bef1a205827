"""``leakmon status``: how far the feeds are read, what waits, which incidents are open."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from monitor.cli.incidents import opened
from monitor.model import Severity

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from monitor.jobs import Queue
    from monitor.store import Metrics, Store

REDRAW_SECONDS = 2.0
_CLEAR = "\x1b[H\x1b[2J"
_INNER = ("/since", "/backfill", "/backfill-wanted")
"""Checkpoints that are no feed's: bookkeeping of the daemon."""

_UNSETTLED = ("open", "acknowledged", "snoozed")
_MOST_LETTERS = 5


def run(call: argparse.Namespace) -> int:
    """Print the state once, or again and again until Ctrl-C."""
    return asyncio.run(_shown(call))


async def _shown(call: argparse.Namespace) -> int:
    from monitor.jobs.embedded import EmbeddedQueue

    async with opened(call) as store:
        queue = EmbeddedQueue(store)
        while True:
            told = await _state(store, queue)
            text = json.dumps(told, indent=2) if call.json else "\n".join(_page(told))
            if not call.watch:
                print(text)
                return 0
            print(f"{_CLEAR if sys.stdout.isatty() else ''}{text}", flush=True)
            await asyncio.sleep(REDRAW_SECONDS)


async def _state(store: Store, queue: Queue) -> dict[str, Any]:
    """Everything that is shown, as JSON; ages are seconds."""
    from monitor.store.leases import Leases

    now = datetime.now(UTC)
    counted = await store.metrics()
    held = None if store.database.is_sqlite else await Leases(store.database).held("watch")
    return {
        "at": now.isoformat(),
        "leader": held.holder if held is not None else "",
        "unreadable": await queue.unreadable(),
        "feeds": [
            {
                "feed": feed,
                "position": count.position if len(count.position) < 40 else "",  # noqa: PLR2004 - marks of RSS are no news
                "age": round((now - count.moved_at).total_seconds()),
                "rows": count.rows,
                "kept": count.kept,
            }
            for feed, count in sorted(counted.feeds.items())
            if not feed.endswith(_INNER)
        ],
        "gaps": to_builtins([record.gap for record in await store.gaps()]),
        "notices": counted.pending_notices,
        "artifacts": counted.artifacts,
        "jobs": counted.jobs,
        "queue_age": _age(counted.oldest_job_at, now),
        "alerts": counted.outgoing,
        "alert_age": {
            name: _age(at, now) for name, at in sorted(counted.oldest_outgoing_at.items())
        },
        "incidents": _unsettled(counted),
        "set_aside": [
            {"job": job.key, "reason": reason}
            for job, reason in await queue.dead_letters(_MOST_LETTERS)
        ],
    }


def _unsettled(counted: Metrics) -> dict[str, int]:
    """Open, acknowledged and snoozed incidents by severity, the worst first."""
    found = {
        level.value: sum(
            counted.incidents.get(state, {}).get(level.value, 0) for state in _UNSETTLED
        )
        for level in sorted(Severity, reverse=True)
    }
    return {level: number for level, number in found.items() if number}


def _page(told: dict[str, Any]) -> Iterator[str]:
    yield f"{'FEED':<18}{'MOVED':>10}{'ROWS':>10}{'OURS':>8}  POSITION"
    for feed in told["feeds"]:
        moved = f"{_span(feed['age'])} ago"
        yield (
            f"{feed['feed']:<18}{moved:>10}{feed['rows']:>10,}{feed['kept']:>8,}"
            f"  {feed['position']}"
        )
    if not told["feeds"]:
        yield "no feed has been read yet: leakmon watch"
    for gap in told["gaps"]:
        yield f"gap: {gap['feed']}: {gap['kind']}: {_plain(gap['detail'])}"
    yield ""
    if told["leader"]:
        yield f"{'leader':<18}{_plain(told['leader'])}"
    states = {
        kind: ", ".join(f"{number:,} {state}" for state, number in sorted(states.items()))
        for kind, states in sorted(told["jobs"].items())
    }
    for kind, text in states.items():
        yield f"{kind:<18}{text}"
    if told["unreadable"]:
        yield f"{'of a newer leakmon':<18} {told['unreadable']:,} jobs: they wait for its workers"
    yield f"{'oldest due job':<18}{_span(told['queue_age']) if told['queue_age'] else 'none waits'}"
    for channel, states_of in sorted(told["alerts"].items()):
        counted = ", ".join(f"{number:,} {state}" for state, number in sorted(states_of.items()))
        late = told["alert_age"].get(channel)
        yield f"{'alerts ' + channel:<18}{counted}{f' (oldest {_span(late)})' if late else ''}"
    for letter in told["set_aside"]:
        yield f"set aside: {_plain(letter['job'])} ({letter['reason']})"
    yield ""
    incidents = ", ".join(f"{number:,} {level}" for level, number in told["incidents"].items())
    yield f"{'open incidents':<18}{incidents or 'none'}"


def _age(at: datetime | None, now: datetime) -> int | None:
    return None if at is None else round((now - at).total_seconds())


def _span(seconds: int) -> str:
    """``75`` as ``1m``: the largest unit is enough to see whether something stands still."""
    span = timedelta(seconds=max(seconds, 0))
    units = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    total = int(span.total_seconds())
    name, size = next(((name, size) for name, size in units if total >= size), ("s", 1))
    return f"{total // size}{name}"


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)[:120]
