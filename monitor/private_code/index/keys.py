"""An organisation's key, and what is derived from it: keyed prints, keyed digests, opaque numbers.

A print is keyed by one block of AES-256: the first 8 bytes of ``AES(k, print || 0)``. AES is a
pseudo-random permutation of its blocks (FIPS 197); on blocks of which only 8 bytes vary, its
truncated output cannot be told from random by whoever has no key, so that an index without its key
confirms no guess about a text. Digests and path suffixes are keyed with BLAKE2b (RFC 7693).

A key is 32 random bytes, written as 64 hexadecimal digits or in base64. Several, separated by white
space, make a ring: the first makes new indexes, each opens those which it made.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from typing import TYPE_CHECKING

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from monitor.errors import ConfigError
from monitor.private_code.prints import Channel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.private_code.prints import Hashes

KEY_BYTES = 32
DIGEST_BYTES = 16
_BLOCK_BYTES = 16
_AT_ONCE = 1 << 14  # blocks that fit the second-level cache
_MADE_BY = "make one with: openssl rand -hex 32"
_MAX_FILE_BYTES = 64 * 1024


class Keys:
    """What one key gives for each purpose. ``key_id`` names the key and tells nothing of it."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("a key has 32 bytes")
        self.key_id = _derived(key, b"key-id")[:8].hex()
        self.prints = PrintKey(_derived(key, b"prints"))
        self.words = PrintKey(_derived(key, b"words"))
        self._digests = _derived(key, b"digests")
        self._blocks = _derived(key, b"blocks")

    def __repr__(self) -> str:
        return f"Keys({self.key_id})"

    def keyed(self, channel: Channel, hashes: Hashes) -> Hashes:
        """A channel's prints, keyed. Words have a key of their own: it opens nothing else."""
        return (self.words if channel is Channel.WORDS else self.prints).apply(hashes)

    def digest(self, digest: bytes) -> bytes:
        """A whole file's digest, keyed."""
        return hashlib.blake2b(
            digest, key=self._digests, digest_size=DIGEST_BYTES, person=b"file"
        ).digest()

    def blob(self, blob: str) -> bytes:
        """The git name of a content, keyed: the plain one would confirm a guess of the whole."""
        return hashlib.blake2b(
            blob.encode(), key=self._digests, digest_size=DIGEST_BYTES, person=b"blob"
        ).digest()

    def suffix(self, suffix: str) -> bytes:
        """The end of a path, keyed."""
        return hashlib.blake2b(
            suffix.encode("utf-8", "surrogateescape"),
            key=self._digests,
            digest_size=DIGEST_BYTES,
            person=b"suffix",
        ).digest()

    def block(self, number: int) -> int:
        """A file's number as an opaque one of 32 bits: a Feistel permutation of four rounds."""
        left, right = number >> 16, number & 0xFFFF
        for turn in range(4):
            left, right = right, left ^ self._round(turn, right)
        return left << 16 | right

    def unblock(self, block: int) -> int:
        """The inverse of ``block``."""
        left, right = block >> 16, block & 0xFFFF
        for turn in reversed(range(4)):
            left, right = right ^ self._round(turn, left), left
        return left << 16 | right

    def _round(self, turn: int, half: int) -> int:
        text = bytes((turn,)) + half.to_bytes(2, "big")
        digest = hashlib.blake2b(text, key=self._blocks, digest_size=2).digest()
        return int.from_bytes(digest, "big")


class PrintKey:
    """The part of a key that prints are keyed with: all that the host of a sketch needs."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("a key has 32 bytes")
        self.secret = key
        self.key_id = _derived(key, b"print-key-id")[:8].hex()

    def __repr__(self) -> str:
        return f"PrintKey({self.key_id})"

    def apply(self, hashes: Hashes) -> Hashes:
        """The prints, keyed: an array of the same length."""
        encryptor = Cipher(algorithms.AES(self.secret), modes.ECB()).encryptor()  # noqa: S305 - one block is one message
        keyed = np.empty(len(hashes), np.uint64)
        blocks = np.zeros((min(len(hashes), _AT_ONCE), 2), "<u8")
        sealed = np.empty(blocks.nbytes + _BLOCK_BYTES, np.uint8)
        for start in range(0, len(hashes), _AT_ONCE):
            piece = hashes[start : start + _AT_ONCE]
            blocks[: len(piece), 0] = piece
            encryptor.update_into(blocks[: len(piece)].data.cast("B"), sealed.data)
            words = sealed[: len(piece) * _BLOCK_BYTES].view("<u8")
            keyed[start : start + len(piece)] = words[::2]
        return keyed


def parse(text: str, source: str) -> list[Keys]:
    """The ring that a text gives; ``source`` says whose. ConfigError never repeats the text."""
    ring = [Keys(_decoded(word, source)) for word in text.split()]
    if not ring:
        raise ConfigError(f"{source}: empty: {_MADE_BY}", reason="index-key")
    return ring


def parse_print_key(text: str, source: str) -> PrintKey:
    """The key of a sketch. Raises ConfigError."""
    return PrintKey(_decoded(text.strip(), source))


def read(path: str) -> str | None:
    """The text of a key file, or None if there is none. Raises ConfigError."""
    try:
        with open(path, encoding="ascii") as stream:
            return stream.read(_MAX_FILE_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: the index key: {error.strerror}", reason="index-key") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: no index key: {_MADE_BY}", reason="index-key") from None


def make(path: str) -> bool:
    """Make a key file for the owner alone; False if there is one already."""
    return write(path, [fresh()], is_new=True)


def fresh() -> str:
    """A new key, as it is written."""
    return os.urandom(KEY_BYTES).hex()


def write(path: str, words: Sequence[str], *, is_new: bool) -> bool:
    """Write a key file whole or not at all, never over another's if it is to be new."""
    part = f"{path}.part{os.getpid()}"
    os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)
    number = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(number, "".join(f"{word}\n" for word in words).encode())
        os.fsync(number)
        if is_new:
            os.link(part, path)
        else:
            os.replace(part, path)
    except FileExistsError:
        return False
    finally:
        os.close(number)
        if os.path.lexists(part):
            os.unlink(part)
    return True


def _decoded(word: str, source: str) -> bytes:
    try:
        is_hex = len(word) == KEY_BYTES * 2
        key = bytes.fromhex(word) if is_hex else base64.b64decode(word, validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"{source}: not 32 bytes in hexadecimal or base64: {_MADE_BY}", reason="index-key"
        )
    return key


def _derived(key: bytes, purpose: bytes) -> bytes:
    """A key of its own for each purpose: BLAKE2b as a keyed pseudo-random function."""
    return hashlib.blake2b(b"leakmon/index/1/" + purpose, key=key, digest_size=KEY_BYTES).digest()
