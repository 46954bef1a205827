"""How bytes lie at rest: AES-256-GCM in chunks, so that no size has to fit into memory.

::

    "LKMN" 0x01 | key name (8) | salt (32) | chunk | chunk | ...

Each object has a cipher of its own (HKDF-SHA-256 of the key with the salt). A chunk is 1 MiB of
plain bytes and its tag; the last is shorter, or empty. The nonce is the chunk's number and whether
it is the last one (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015): to
cut, swap, repeat or join chunks is noticed. The header is authenticated with every chunk.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag

from monitor.errors import IntegrityError
from monitor.evidence.keys import ID_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from monitor.evidence.keys import Keyring

MAGIC = b"LKMN\x01"
CHUNK = 1024 * 1024
_SALT_BYTES = 32
_TAG_BYTES = 16
HEADER_BYTES = len(MAGIC) + ID_BYTES + _SALT_BYTES
_PURPOSE = b"leakmon/evidence/1"


def sealed_size(size: int) -> int:
    """How many bytes an object of ``size`` plain bytes has at rest."""
    return HEADER_BYTES + size + (size // CHUNK + 1) * _TAG_BYTES


def plain_size(size: int) -> int:
    """The reverse of ``sealed_size``."""
    body = size - HEADER_BYTES
    return body - (body // (CHUNK + _TAG_BYTES) + 1) * _TAG_BYTES


def seal(plain: Iterable[bytes], keyring: Keyring) -> Iterator[bytes]:
    """The sealed form of some bytes, a chunk at a time."""
    salt = os.urandom(_SALT_BYTES)
    header = MAGIC + keyring.current + salt
    cipher = keyring.derived(keyring.current, salt, _PURPOSE)
    yield header
    for number, (chunk, is_last) in enumerate(_cut(plain, CHUNK)):
        yield cipher.encrypt(_nonce(number, is_last=is_last), chunk, header)


def unseal(sealed: Iterable[bytes], keyring: Keyring) -> Iterator[bytes]:
    """The plain bytes again. Raises IntegrityError, ConfigError for a key that is gone.

    What was given before an error is authentic, yet not whole: use it only after the end.
    """
    pieces = iter(sealed)
    start = b""
    while len(start) < HEADER_BYTES and (piece := next(pieces, None)) is not None:
        start += piece
    header, rest = start[:HEADER_BYTES], start[HEADER_BYTES:]
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        raise IntegrityError("no sealed evidence", reason="evidence-corrupt")
    identity = header[len(MAGIC) : len(MAGIC) + ID_BYTES]
    cipher = keyring.derived(identity, header[-_SALT_BYTES:], _PURPOSE)
    chunks = _cut(_chained(rest, pieces), CHUNK + _TAG_BYTES)
    for number, (chunk, is_last) in enumerate(chunks):
        yield _opened(cipher, number, chunk, header, is_last=is_last)


def key_of(header: bytes) -> str | None:
    """The name of the key that sealed the object which begins so; None if it is no such object."""
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        return None
    return header[len(MAGIC) : len(MAGIC) + ID_BYTES].hex()


def _opened(cipher: AESGCM, number: int, chunk: bytes, header: bytes, *, is_last: bool) -> bytes:
    try:
        return cipher.decrypt(_nonce(number, is_last=is_last), chunk, header)
    except InvalidTag:
        raise IntegrityError(
            f"evidence was changed or cut at chunk {number}", reason="evidence-corrupt"
        ) from None


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if is_last else b"\0")


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _cut(pieces: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """The same bytes in chunks of ``size``; the last is shorter (perhaps empty) and says so."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        start = 0
        while len(buffer) - start >= size:
            yield bytes(memoryview(buffer)[start : start + size]), False
            start += size
        if start:
            del buffer[:start]
    yield bytes(buffer), True
