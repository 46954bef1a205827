"""The keys of the evidence: the first of the ring seals, each opens what it sealed.

A key is 32 random bytes, written as 64 hexadecimal digits or in base64; several, separated by
white space, make a ring. To rotate, put a new key in front; drop an old one when nothing is left
that it sealed (``leakmon evidence list`` says which key each object has).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from monitor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY_BYTES = 32
ID_BYTES = 8
_NONCE_BYTES = 12
_MADE_BY = "make one with: openssl rand -hex 32"


class Keyring:
    """One or more keys. ``key_id`` names the first, with which everything new is sealed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError("a ring has at least one key of 32 bytes")
        self._keys = {_identity(key): key for key in reversed(keys)}
        self._current = _identity(keys[0])

    def __repr__(self) -> str:
        return f"Keyring({self.key_id})"

    @property
    def key_id(self) -> str:
        """The name of the current key: 16 hexadecimal digits, from which nothing can be learnt."""
        return self._current.hex()

    @property
    def key_ids(self) -> list[str]:
        """The names of all keys of the ring, the current one first."""
        return [self.key_id, *(name.hex() for name in self._keys if name != self._current)]

    @property
    def current(self) -> bytes:
        """The current key's name as it stands in a sealed object."""
        return self._current

    def derived(self, identity: bytes, salt: bytes, purpose: bytes) -> AESGCM:
        """A cipher of its own for each salt, from the key of this name. Raises ConfigError."""
        key = self._keys.get(identity)
        if key is None:
            raise ConfigError(
                f"evidence.key: {identity.hex()} is not in the ring: add that key behind the first"
            )
        return AESGCM(HKDF(SHA256(), KEY_BYTES, salt=salt, info=purpose).derive(key))

    def wrap(self, plain: bytes, context: bytes) -> bytes:
        """A few bytes, sealed with the current key for one purpose."""
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self.derived(self._current, b"", context)
        return self._current + nonce + cipher.encrypt(nonce, plain, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """What was wrapped. Raises ConfigError if its key is gone or it was tampered with."""
        identity, rest = wrapped[:ID_BYTES], wrapped[ID_BYTES:]
        cipher = self.derived(identity, b"", context)
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], context)
        except InvalidTag:
            raise ConfigError("the instance key in the database was changed: restore it") from None


def parse(text: str) -> Keyring:
    """The ring that a text gives. Raises ConfigError, which never repeats the text."""
    keys = [_key(word) for word in text.split()]
    if not keys:
        raise ConfigError(f"evidence.key: empty: {_MADE_BY}")
    return Keyring(keys)


def kept_at(path: str) -> tuple[Keyring, bool]:
    """The ring in the file at ``path``; one is made there, for the owner alone, if there is none.

    The flag says that it was made just now: the operator should hear of it. Raises ConfigError.
    """
    try:
        is_new = _make(path)
        with open(path, encoding="ascii") as stream:
            return parse(stream.read(64 * 1024)), is_new
    except OSError as error:
        raise ConfigError(f"{path}: the evidence key: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: no evidence key: {_MADE_BY}") from None


def _make(path: str) -> bool:
    if os.path.exists(path):
        return False
    part = f"{path}.part{os.getpid()}"
    number = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(number, os.urandom(KEY_BYTES).hex().encode() + b"\n")
        os.fsync(number)
        os.link(part, path)  # whole or not there, and never over another's
    except FileExistsError:
        return False
    finally:
        os.close(number)
        os.unlink(part)
    return True


def _key(word: str) -> bytes:
    try:
        key = (
            bytes.fromhex(word)
            if len(word) == KEY_BYTES * 2
            else base64.b64decode(word, validate=True)
        )
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"evidence.key: not 32 bytes in hexadecimal or base64: {_MADE_BY}")
    return key


def _identity(key: bytes) -> bytes:
    return hashlib.sha256(b"leakmon/evidence/key-id/1\0" + key).digest()[:ID_BYTES]
