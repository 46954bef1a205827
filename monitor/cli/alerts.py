"""``leakmon alerts``: try the channels, and look at a message before the first."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from monitor import config
from monitor.alerts import channels, sample
from monitor.alerts.slack import message
from monitor.cli.incidents import opened
from monitor.config.channels import alert_settings
from monitor.errors import LeakmonError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from monitor.alerts import Channel
    from monitor.model import Incident

FAILED_EXIT = 1
_HELLO = (
    "leakmon can post here. Alerts about published packages will follow, one thread per incident."
)


def preview(call: argparse.Namespace) -> int:
    """Print the message of an incident, or of a made-up one, as text or as its blocks."""
    now = datetime.now(UTC)
    if call.incident:
        incident = asyncio.run(_known(call))
    else:
        incident = sample.sample(now, call.kind).incident
    blocks = message.message(incident, now)
    if call.json:
        told = {"text": message.fallback(incident), "blocks": blocks}
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    print("\n".join(as_text(blocks)))
    return 0


def test(call: argparse.Namespace) -> int:
    """Check every configured channel and send a harmless message; 1 if any does not work."""
    made = channels(alert_settings(config.load(call.config), config.environment()))
    if not made:
        raise UsageError("no channel is configured: add [alerts.slack] to leakmon.toml")
    worked = [asyncio.run(_tried(each, has_message=not call.dry_run)) for each in made]
    return 0 if all(worked) else FAILED_EXIT


def as_text(blocks: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The blocks as a terminal shows them: Slack's marks and escapes undone."""
    for block in blocks:
        if block["type"] == "divider":
            yield "-" * 72
            continue
        parts = [block["text"]] if "text" in block else []
        parts += [*block.get("fields", ()), *block.get("elements", ())]
        for part in parts:
            text = re.sub(r"\*([^*\n]+)\*", r"\1", part["text"])
            yield from _unescaped(text.replace("`", "")).splitlines()
        yield ""


async def _tried(channel: Channel, *, has_message: bool) -> bool:
    try:
        print(f"{channel.name}: {await channel.check()}")
        if has_message:
            print(f"{channel.name}: a message arrived as {await channel.notify(_HELLO)}")
    except LeakmonError as error:
        print(f"{channel.name}: {error}", file=sys.stderr)
        return False
    return True


async def _known(call: argparse.Namespace) -> Incident:
    async with opened(call) as store:
        return await store.incident(call.incident)


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
