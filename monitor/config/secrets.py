"""Secrets are named by the configuration, never held in it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.errors import ConfigError
from monitor.patterns import later

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = later(r"(?:env:(?P<name>[A-Za-z_][A-Za-z0-9_]*)|file:(?P<path>[^\0\n]+))", re.ASCII)
_MAX_BYTES = 64 * 1024


class SecretRef(Struct, frozen=True):
    """Where a secret is: ``env:NAME`` or ``file:PATH`` (relative to the configuration's folder).

    A reference that is not ``is_trusted`` is never revealed. ``key`` is the file and key that hold
    the reference, for the error which names them. Neither ``str`` nor ``repr`` ever gives the
    secret itself.
    """

    reference: str
    key: str
    folder: str = ""
    is_trusted: bool = True

    def __post_init__(self) -> None:
        if not _REFERENCE.fullmatch(self.reference):
            # The text is not repeated: it may be the secret.
            raise ConfigError(
                f"{self.key}: a secret must be a reference, not the secret itself: "
                "write env:NAME or file:PATH"
            )

    def __repr__(self) -> str:
        return f"SecretRef({self.reference!r})"

    def reveal(self, environ: Mapping[str, str]) -> str:
        """The secret, read now. Raises ConfigError if it is not there or empty."""
        if not self.is_trusted:
            source = self.key.partition(":")[0]
            raise ConfigError(
                f"{self.key}: {source} was found in the working folder, so secrets are not read "
                f"for it: if the file is yours, name it with --config {source}"
            )
        kind, _, place = self.reference.partition(":")
        value = environ.get(place, "") if kind == "env" else self._read(place)
        value = value.strip()
        if not value:
            remedy = f"export {place}" if kind == "env" else "write the secret into that file"
            raise ConfigError(f"{self.key}: {self.reference} is empty or not set: {remedy}")
        return value

    def _read(self, place: str) -> str:
        path = os.path.join(self.folder, os.path.expanduser(place))
        try:
            with open(path, encoding="utf-8") as stream:
                return stream.read(_MAX_BYTES)
        except OSError as error:
            cause = error.strerror or type(error).__name__
        except ValueError:
            cause = "not UTF-8 text"
        raise ConfigError(
            f"{self.key}: {self.reference} cannot be read ({cause}): make it readable"
        )
