"""``leakmon incidents rescan``: kept evidence is held against what is looked for today."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from monitor import config
from monitor.cli import person
from monitor.cli.incidents import opened, span
from monitor.config.marks import rule_files
from monitor.errors import UsageError
from monitor.report.text import count
from monitor.rules import bundled_rules_folder
from monitor.rules.files import digest_of, read_files

if TYPE_CHECKING:
    import argparse


def run(call: argparse.Namespace) -> int:
    """Mark what is to be looked at again; the daemon takes it up within five minutes."""
    many = asyncio.run(_marked(call))
    told = count(many, "artifact")
    print(f"{told} to be looked at again; leakmon watch takes them up within five minutes")
    return 0


async def _marked(call: argparse.Namespace) -> int:
    settings = config.load(call.config)
    environ = config.environment()
    ecosystem, _, package = call.package.partition(":")
    if call.package and not package:
        raise UsageError(f"--package {call.package}: write ECOSYSTEM:NAME, as npm:@acme/cli")
    folders = (bundled_rules_folder(), *rule_files(settings, config.cache_folder(environ)))
    digest = None if call.all else digest_of(read_files(folders))
    since = datetime.now(UTC) - span(call.since) if call.since else None
    async with opened(call) as store:
        return await store.rescan(
            digest, actor=person.name(), ecosystem=ecosystem, package=package, since=since
        )
