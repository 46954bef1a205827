"""The private code that a scan is held against: every index that there is, unless unwanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor import config
from monitor.cli.loading import uncollected

if TYPE_CHECKING:
    import argparse

    from monitor.pipeline.private_code import PrivateCode


def opened(call: argparse.Namespace, settings: config.Settings) -> PrivateCode | None:
    """The open indexes; None where there are none or ``--no-private-code`` was given."""
    if not call.private_code:
        return None
    from monitor.config import private_code as places

    environ = config.environment()
    if not places.places(settings, environ):
        return None
    with uncollected():
        from monitor.pipeline.private_code import PrivateCode

        rereader = places.rereader(settings, environ, config.cache_folder(environ))
        return PrivateCode(places.open_indexes(settings, environ), rereader)
