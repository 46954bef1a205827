"""Digests that are computed while bytes pass by, and held against those that were announced."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from monitor.errors import IntegrityError

from .settings import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

_KNOWN = ("sha512", "sha384", "sha256", "blake2b_256", "sha1", "md5")


class _Hash(Protocol):
    """What hashlib's objects have in common."""

    def update(self, chunk: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class Digests:
    """The announced digests (hex, by algorithm; unknown algorithms are left out) and SHA-256."""

    def __init__(self, announced: Mapping[str, str]) -> None:
        self._announced = {
            name: value.lower() for name, value in announced.items() if name in _KNOWN
        }
        self.restart()

    def restart(self) -> None:
        """Forget what was seen."""
        names = dict.fromkeys([*self._announced, "sha256"])
        self._sums = {name: _new(name) for name in names}

    def update(self, chunk: bytes) -> None:
        """Take the next bytes."""
        for algorithm in self._sums.values():
            algorithm.update(chunk)

    @property
    def sha256(self) -> str:
        """The SHA-256 of all bytes so far, as hex."""
        return self._sums["sha256"].hexdigest()

    def check(self, url: str) -> None:
        """IntegrityError unless every announced digest fits."""
        for name, expected in self._announced.items():
            found = self._sums[name].hexdigest()
            if found != expected:
                raise IntegrityError(
                    f"{shown(url)} has {name} {found}, but its registry announced {expected}: "
                    "the file was damaged or replaced"
                )


def _new(name: str) -> _Hash:
    if name == "blake2b_256":
        return hashlib.blake2b(digest_size=32)
    return hashlib.new(name, usedforsecurity=name not in {"sha1", "md5"})
