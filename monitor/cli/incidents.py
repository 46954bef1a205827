"""``leakmon incidents``: what leaked, and what people decide on it."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import to_builtins

from monitor import config, incidents
from monitor.alerts.routing import hearers
from monitor.cli import incident_pages as pages
from monitor.cli import person
from monitor.config.channels import routing
from monitor.config.storage import database_url
from monitor.errors import UsageError
from monitor.model import IncidentState, Severity
from monitor.model.wording import count

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from monitor.jobs import Queue
    from monitor.model import Incident, IncidentChange
    from monitor.store import Store

_UNSETTLED = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED, IncidentState.SNOOZED)
_SPAN = re.compile(r"(\d{1,4})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def listing(call: argparse.Namespace) -> int:
    """One incident a line, latest first."""
    found = asyncio.run(_found(call, _UNSETTLED))
    if call.json:
        print(json.dumps(to_builtins(found), indent=2))
        return 0
    for line in pages.table(found):
        print(line)
    print(count(len(found), "incident"), file=sys.stderr)
    return 0


def export(call: argparse.Namespace) -> int:
    """Incidents for other programs: JSON with everything, or CSV for a spreadsheet."""
    found = asyncio.run(_found(call, ()))
    text = pages.csv(found) if call.format == "csv" else json.dumps(to_builtins(found), indent=2)
    if not call.output or call.output == "-":
        print(text.rstrip("\n"))
        return 0
    try:
        with open(call.output, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"--output {call.output}: {error.strerror}") from None
    print(f"wrote {count(len(found), 'incident')} to {call.output}", file=sys.stderr)
    return 0


def show(call: argparse.Namespace) -> int:
    """Everything of one incident, with its history."""
    return asyncio.run(_show(call))


def acknowledge(call: argparse.Namespace) -> int:
    """Say that somebody is on it."""
    return _decide(call, "acknowledged")


def resolve(call: argparse.Namespace) -> int:
    """Say that it is dealt with."""
    return _decide(call, "resolved")


def reopen(call: argparse.Namespace) -> int:
    """Open it again."""
    return _decide(call, "reopened")


def note(call: argparse.Namespace) -> int:
    """Add a note."""
    return _decide(call, "note")


def false_positive(call: argparse.Namespace) -> int:
    """Say that it is no leak."""
    return _decide(call, "false-positive")


def snooze(call: argparse.Namespace) -> int:
    """Be quiet about it until the span is over."""
    return _decide(call, "snoozed", until=datetime.now(UTC) + span(call.span))


def ignore(call: argparse.Namespace) -> int:
    """Judge it a false positive, and put on record that the same is no leak in this package."""
    return _decide(call, "false-positive", ignores=True)


def span(text: str) -> timedelta:
    """``12h`` as a span of time. Raises UsageError."""
    found = _SPAN.fullmatch(text)
    if not found or int(found[1]) == 0:
        raise UsageError(f"--for {text}: give a span of time like 30m, 12h, 7d or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _decide(
    call: argparse.Namespace, kind: str, *, until: datetime | None = None, ignores: bool = False
) -> int:
    return asyncio.run(_decided(call, kind, until, ignores=ignores))


async def _decided(
    call: argparse.Namespace, kind: str, until: datetime | None, *, ignores: bool
) -> int:
    expires = _day(call.expires) if ignores and call.expires else None
    actor, at = person.name(), datetime.now(UTC)
    hears = hearers(routing(config.load(call.config)))

    def change(incident: Incident) -> IncidentChange:
        return incidents.acted(incident, kind, at=at, actor=actor, reason=call.reason, until=until)

    async with opened(call) as store:
        for name in call.incidents:
            changed = await store.change_incident(
                name, change, actor=actor, action=kind, reason=call.reason, channels=hears
            )
            if ignores:
                await _ignore(store, changed, actor, call.reason, expires)
            print(f"{changed.id}: {changed.state.value} ({changed.ecosystem}:{changed.package})")
    return 0


async def _ignore(
    store: Store, incident: Incident, actor: str, reason: str, expires: date | None
) -> None:
    """One ignore for a secret, else one for each rule that found the cause."""
    from monitor.store import IgnoreRecord

    kind, _, identity = incident.cause.partition(":")
    is_one = kind == "secret"
    for rule in [""] if is_one else sorted(pages.rules(incident)):
        await store.ignore_add(
            IgnoreRecord(
                fingerprint=identity if is_one else "",
                rule=rule,
                organisation=incident.organisation,
                ecosystem=incident.ecosystem,
                package=incident.package,
                reason=reason,
                actor=actor,
                expires=expires,
            )
        )


async def _found(call: argparse.Namespace, default: tuple[IncidentState, ...]) -> list[Incident]:
    from monitor.store import IncidentFilter

    states = tuple(IncidentState(each) for each in call.states if each != "all")
    ecosystem, _, package = call.package.rpartition(":")
    wanted = IncidentFilter(
        states=() if "all" in call.states else states or default,
        organisation=call.organisation,
        ecosystem=ecosystem,
        package=package,
        min_severity=Severity(call.min_severity),
        limit=max(1, call.limit),
    )
    async with opened(call) as store:
        return await store.incidents(wanted)


async def _show(call: argparse.Namespace) -> int:
    async with opened(call) as store:
        incident = await store.incident(call.incident)
        events = await store.incident_events(incident.id)
    if call.json:
        told = {"incident": to_builtins(incident), "events": to_builtins(events)}
        print(json.dumps(told, indent=2))
        return 0
    for line in pages.page(incident, events, datetime.now(UTC)):
        print(line)
    return 0


@asynccontextmanager
async def opened(call: argparse.Namespace) -> AsyncIterator[Store]:
    """The configured database. Raises UsageError if there is none, or none of this version."""
    async with at_work(call) as (store, _):
        yield store


@asynccontextmanager
async def at_work(call: argparse.Namespace) -> AsyncIterator[tuple[Store, Queue]]:
    """The same with the queue of its engine, as the daemon and its workers have it."""
    from monitor.jobs import choice
    from monitor.store import Store, migrations

    settings = config.load(call.config)
    url = database_url(settings, config.environment())
    schema = await asyncio.to_thread(migrations.status, url)
    if schema.standing not in (migrations.Standing.CURRENT, migrations.Standing.AHEAD):
        raise UsageError(
            f"the database is {schema.standing.value}: leakmon watch or leakmon db upgrade makes "
            "it ready (leakmon db status)"
        )
    engine = choice.engine(settings.jobs.engine, url)
    store = Store.open(url, enqueue=choice.enqueue(engine))
    try:
        yield store, choice.queue(engine, store)
    finally:
        await store.close()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--expires {text}: give a day like 2027-01-31") from None
