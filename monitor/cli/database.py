"""``leakmon db``: the database's schema, and a copy of it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from msgspec import to_builtins

from monitor import config
from monitor.cli.incidents import opened
from monitor.config.storage import database_url
from monitor.report.text import clean

if TYPE_CHECKING:
    import argparse


def upgrade(call: argparse.Namespace) -> int:
    """Bring the schema up to date and say what was done."""
    from monitor.jobs import choice
    from monitor.store import migrations

    settings = config.load(call.config)
    url = database_url(settings, config.environment())
    engine = choice.engine(settings.jobs.engine, url)
    before = migrations.upgrade(url, timeout=call.timeout)
    if before.standing is migrations.Standing.CURRENT:
        print(f"the database is up to date (schema {before.revision})")
    elif before.standing is migrations.Standing.AHEAD:
        print(f"the database is of a newer leakmon (schema {before.revision}): left as it is")
    else:
        print(f"upgraded the database: schema {before.revision or 'none'} -> {before.newest}")
    for name in choice.upgrade(engine, url, timeout=call.timeout):
        print(f"upgraded the queue: procrastinate's {name}")
    return 0


def status(call: argparse.Namespace) -> int:
    """Say how the schema stands; 0 if there is nothing to do."""
    from monitor.store import migrations

    schema = migrations.status(_url(call))
    advice = {
        migrations.Standing.CURRENT: "",
        migrations.Standing.EMPTY: ": run leakmon db upgrade",
        migrations.Standing.OLDER: ": run leakmon db upgrade",
        migrations.Standing.AHEAD: ": this leakmon may work on; upgrade it soon",
        migrations.Standing.NEWER: ": upgrade leakmon",
    }[schema.standing]
    known = f"schema {schema.revision or 'none'}, this leakmon has {schema.newest}"
    print(f"{schema.standing.value} ({known}){advice}")
    return 0 if schema.standing is migrations.Standing.CURRENT else 1


def backup(call: argparse.Namespace) -> int:
    """Copy the database."""
    from monitor.store import migrations

    migrations.backup(_url(call), call.file)
    print(f"wrote {call.file}")
    return 0


def audit(call: argparse.Namespace) -> int:
    """Print the audit log, latest first: who did what to what, and why."""
    return asyncio.run(_audit(call))


async def _audit(call: argparse.Namespace) -> int:
    async with opened(call) as store:
        entries = await store.audit_log(call.limit, action=call.action)
    if call.json:
        print(json.dumps(to_builtins(entries), indent=2))
        return 0
    for entry in entries:
        at = entry.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        told = clean(f"{entry.actor:<12}  {entry.action:<18}  {entry.subject}")
        print(f"{at}  {told}{f'  ({clean(entry.reason)})' if entry.reason else ''}")
    return 0


def _url(call: argparse.Namespace) -> str:
    return database_url(config.load(call.config), config.environment())
