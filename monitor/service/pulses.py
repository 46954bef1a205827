"""The daemon's own sign of life: ``leakmon status`` tells a dead one from a quiet one by it."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from monitor import __version__
from monitor.store import Pulse

if TYPE_CHECKING:
    from monitor.service.parts import Parts

PREFIX = "daemon/"
STOPPED = "stopped"


async def beat(parts: Parts) -> None:
    """It lives."""
    await _write("", parts)


async def stop(parts: Parts) -> None:
    """It ends as it should."""
    await _write(STOPPED, parts)


async def _write(reason: str, parts: Parts) -> None:
    made = Pulse(
        name=f"{PREFIX}{socket.gethostname()}",
        at=parts.clock.now(),
        reason=reason,
        detail=f"pid {os.getpid()}, leakmon {__version__}",
    )
    await parts.store.beat(made)
