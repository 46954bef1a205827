"""``leakmon worker``: takes jobs from the cluster's queue, on any number of machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from monitor import config
from monitor.cli.network import machine

if TYPE_CHECKING:
    import argparse


def run(call: argparse.Namespace) -> int:
    """Work until a signal ends it: 0 after a drain, otherwise the error's own status."""
    from monitor import service

    settings = config.load(call.config)
    if call.listen is not None:
        settings = replace(settings, service=replace(settings.service, listen=call.listen))
        config.check(settings)
    service.work(settings, machine(), config.cache_folder(config.environment()), call.jobs or 0)
    return 0
