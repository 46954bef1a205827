"""Which certificates are trusted: the system's and those that the clients are told of."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable


def context(ca_files: Iterable[str]) -> ssl.SSLContext:
    """A verifying context that also trusts the certificates in these files (or folders)."""
    made = ssl.create_default_context()
    loaded = {Path(ssl.get_default_verify_paths().cafile or "/").resolve()}
    for path in ca_files:
        place = Path(path).expanduser().resolve()
        if place in loaded:
            continue
        loaded.add(place)
        try:
            if place.is_dir():
                made.load_verify_locations(capath=place)
            else:
                made.load_verify_locations(cafile=place)
        except OSError as error:
            raise ConfigError(f"{path}: no certificates can be read from it ({error})") from error
    return made
