"""``leakmon watch``: the daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor import config
from monitor.cli.network import machine
from monitor.errors import UsageError

if TYPE_CHECKING:
    import argparse


def run(call: argparse.Namespace) -> int:
    """Watch until a signal ends it: 0 after a drain, otherwise the error's own status."""
    from monitor import service

    wish = service.Wish(backfill=_backfill(call.backfill), is_once=call.once)
    settings = config.load(call.config)
    service.run(settings, machine(), config.cache_folder(config.environment()), wish)
    return 0


def _backfill(text: str) -> str:
    if text in ("", "all") or (text.isdecimal() and 0 < int(text) < 36_500):  # noqa: PLR2004 - a century
        return text
    raise UsageError(f"--backfill {text}: give a number of days, or all")
