"""The command line's way to the advisories: ``leakmon scan --advisories``."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from monitor import config
from monitor.advisories.pip_audit import find
from monitor.cli.network import machine
from monitor.pipeline.advisories import add_advisories

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.pipeline.subjects import Ended


def engine(settings: config.Settings) -> Callable[[Sequence[Ended]], None]:
    """Holds all subjects against the advisories. Raises UsageError if pip-audit is missing."""
    program = find(config.environment())

    def look(ended: Sequence[Ended]) -> None:
        asyncio.run(add_advisories(ended, settings, machine(), program=program, now=time.time))

    return look
