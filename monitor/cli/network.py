"""The command line's way to targets beyond this machine."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import TYPE_CHECKING

from monitor import config
from monitor.pipeline.remote import inspect
from monitor.registries.client_config import Machine
from monitor.registries.network import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.detectors import Context
    from monitor.pipeline.progress import Progress
    from monitor.pipeline.subjects import Ended, Subject
    from monitor.registries.targets import Target
    from monitor.sandbox import Outcome, Sandbox


async def inspected(
    sandbox: Sandbox,
    targets: Sequence[Target],
    settings: config.Settings,
    *,
    context: Context,
    at_once: int,
    progress: Progress,
    keep: Callable[[Subject, Outcome], Outcome] | None,
    settle: Callable[[Ended], None],
    has_history: bool = False,
) -> None:
    """Resolve, fetch and inspect; the folder that holds the downloads is gone afterwards."""
    environ = config.environment()
    with tempfile.TemporaryDirectory(prefix="leakmon-") as folder:
        async with connect(config.network(settings, environ), machine()) as network:
            async for ended in inspect(
                sandbox, targets, network, folder,
                context=context, at_once=at_once, progress=progress, keep=keep,
                has_history=has_history,
            ):  # fmt: skip
                settle(ended)


def machine() -> Machine:
    """This machine, as the package managers' clients on it see it."""
    return Machine(
        environ=config.environment(),
        home=os.path.expanduser("~"),
        folder=os.getcwd(),
        prefix=sys.prefix,
        platform=sys.platform,
    )
