"""The command line's way to targets beyond this machine."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import TYPE_CHECKING

from monitor import config
from monitor.errors import LeakmonError
from monitor.pipeline.conclude import Concluded, Policy, conclude_subject, failure
from monitor.pipeline.remote import inspect
from monitor.registries.client_config import Machine
from monitor.registries.network import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.detectors import Context
    from monitor.pipeline.progress import Progress
    from monitor.registries.targets import Target
    from monitor.sandbox import Sandbox


async def inspected(
    sandbox: Sandbox,
    targets: Sequence[Target],
    settings: config.Settings,
    *,
    context: Context,
    policy: Policy,
    at_once: int,
    progress: Progress,
) -> list[Concluded]:
    """Resolve, fetch and inspect; the folder that holds the downloads is gone afterwards."""
    done: list[Concluded] = []
    environ = config.environment()
    with tempfile.TemporaryDirectory(prefix="leakmon-") as folder:
        async with connect(config.network(settings, environ), _machine()) as network:
            async for subject, ended in inspect(
                sandbox, targets, network, folder,
                context=context, at_once=at_once, progress=progress,
            ):  # fmt: skip
                if isinstance(ended, LeakmonError):
                    done.append(failure(subject, ended))
                else:
                    done.append(conclude_subject(subject, ended, context, policy))
    return done


def _machine() -> Machine:
    return Machine(
        environ=config.environment(),
        home=os.path.expanduser("~"),
        folder=os.getcwd(),
        prefix=sys.prefix,
        platform=sys.platform,
    )
