"""``leakmon status``: who lives, how far feeds are read, what waits, which incidents are open."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from monitor.cli import set_aside
from monitor.cli.incidents import at_work
from monitor.model import Severity

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from monitor.jobs import Queue
    from monitor.store import FeedCount, Metrics, Pulse, Store

REDRAW_SECONDS = 2.0
SILENCE_SECONDS = 45
"""A daemon that has given no sign of life for so long does not live, or not well."""

_CLEAR = "\x1b[H\x1b[2J"
_INNER = ("/since", "/backfill", "/backfill-wanted")
"""Checkpoints that are no feed's: bookkeeping of the daemon."""

_UNSETTLED = ("open", "acknowledged", "snoozed")
_MOST_LETTERS = 5


def run(call: argparse.Namespace) -> int:
    """Print the state once, or again and again until Ctrl-C."""
    return asyncio.run(_shown(call))


async def _shown(call: argparse.Namespace) -> int:
    async with at_work(call) as (store, queue):
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
    pulses = await store.pulses()
    held = None if store.database.is_sqlite else await Leases(store.database).held("watch")
    return {
        "at": now.isoformat(),
        "daemons": [_daemon(each, now) for name, each in pulses.items() if _is_daemon(name)],
        "leader": held.holder if held is not None else "",
        "unreadable": await queue.unreadable(),
        "feeds": [
            _feed(feed, count, pulses.get(feed), now)
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
        "set_aside_total": set_aside.total(counted),
        "set_aside": [
            {"job": each.key} | to_builtins(each)
            for each in await set_aside.listed(store, queue, set_aside.MOST)
        ],
    }


def _is_daemon(name: str) -> bool:
    return name.startswith("daemon/")


def _daemon(pulse: Pulse, now: datetime) -> dict[str, Any]:
    """``state``: running, stopped (as it should be) or silent (killed, or it hangs)."""
    age = round((now - pulse.at).total_seconds())
    state = pulse.reason or ("running" if age <= SILENCE_SECONDS else "silent")
    name = pulse.name.partition("/")[2]
    return {"name": name, "state": state, "age": age, "detail": pulse.detail}


def _feed(feed: str, count: FeedCount, pulse: Pulse | None, now: datetime) -> dict[str, Any]:
    return {
        "feed": feed,
        "position": count.position if len(count.position) < 40 else "",  # noqa: PLR2004 - marks of RSS are no news
        "age": round((now - count.moved_at).total_seconds()),
        "rows": count.rows,
        "kept": count.kept,
        "answered_age": _age(pulse.answered_at, now) if pulse else None,
        "failing_age": _age(pulse.failing_since, now) if pulse else None,
        "reason": pulse.reason if pulse else "",
        "not_before": _iso(pulse.not_before) if pulse else None,
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
    yield from _daemons(told["daemons"])
    yield ""
    yield f"{'FEED':<18}{'STATE':<26}{'MOVED':>9}{'ROWS':>10}{'OURS':>8}  POSITION"
    for feed in told["feeds"]:
        moved = f"{_span(feed['age'])} ago"
        yield (
            f"{feed['feed']:<18}{_health(feed):<26}{moved:>9}{feed['rows']:>10,}"
            f"{feed['kept']:>8,}  {feed['position']}"
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
    for letter in told["set_aside"][:_MOST_LETTERS]:
        yield f"set aside: {_plain(letter['job'])} ({letter['reason']})"
    more = told["set_aside_total"] - _MOST_LETTERS
    if more > 0:
        yield f"set aside: {more:,} more (leakmon jobs list)"
    yield ""
    incidents = ", ".join(f"{number:,} {level}" for level, number in told["incidents"].items())
    yield f"{'open incidents':<18}{incidents or 'none'}"


def _daemons(daemons: list[dict[str, Any]]) -> Iterator[str]:
    for each in daemons:
        told = {
            "running": f"running, {_span(each['age'])} ago",
            "stopped": f"stopped {_span(each['age'])} ago: nothing is watched",
        }.get(each["state"], f"SILENT for {_span(each['age'])}: it was killed, or hangs")
        yield f"{'daemon':<18}{told} ({each['name']}, {each['detail']})"
    if not daemons:
        yield f"{'daemon':<18}has not run on this database: leakmon watch"


def _health(feed: dict[str, Any]) -> str:
    """Whether a feed is quiet or dead."""
    if feed["reason"]:
        since = f" {_span(feed['failing_age'])}" if feed["failing_age"] is not None else ""
        return f"FAILS{since}: {feed['reason']}"[:25]
    if feed["answered_age"] is None:
        return "not asked yet"
    return f"answered {_span(feed['answered_age'])} ago"


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


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
