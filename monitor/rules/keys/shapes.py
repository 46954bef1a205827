"""What a reader of keys gives, and how it reads lengths without leaving its bytes."""

from __future__ import annotations

import binascii
from typing import NamedTuple


class Key(NamedTuple):
    """A private key: its algorithm in lower case (empty: not told), its size, its protection.

    ``bits`` is that of the modulus or of the curve; 0 where it cannot be seen.
    """

    algorithm: str
    bits: int = 0
    is_encrypted: bool = False


class MalformedError(ValueError):
    """The bytes are no key of the format that is read; does not leave this package."""


class Cursor:
    """Reads a stretch of bytes from its beginning; beyond its end MalformedError is raised."""

    __slots__ = ("at", "raw", "stop")

    def __init__(self, raw: bytes, at: int = 0, stop: int | None = None) -> None:
        self.raw = raw
        self.at = at
        self.stop = len(raw) if stop is None else stop

    @property
    def left(self) -> int:
        """How many bytes there still are."""
        return self.stop - self.at

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        if not 0 <= size <= self.left:
            raise MalformedError("it ends too early")
        self.at += size
        return self.raw[self.at - size : self.at]

    def number(self, size: int) -> int:
        """A big-endian number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "big")

    def text(self) -> bytes:
        """Bytes behind their number as four bytes (RFC 4251, section 5: ``string``)."""
        return self.take(self.number(4))


def base64_bytes(text: bytes) -> bytes | None:
    """The bytes of base64 without white space, of either alphabet, padded or not; None if none."""
    bare = text.rstrip(b"=").translate(_URL_SAFE)
    try:
        return binascii.a2b_base64(bare + b"=" * (-len(bare) % 4), strict_mode=True)
    except (ValueError, binascii.Error):
        return None


_URL_SAFE = bytes.maketrans(b"-_", b"+/")
