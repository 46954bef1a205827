"""``manifest.json``: the one file that says what an index is made of; replaced whole, never edited.

A reader that holds an older generation keeps its mapped files; what the manifest names is on disk,
and what the one before it named still is, for readers that are just opening it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from monitor.private_code.index.faults import busy, damaged, missing, other_format

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "leakmon/index/1"
NAME = "manifest.json"
PUBLIC_NAME = "public.json"
_MAX_BYTES = 1 << 20
_CHUNK = 1 << 20
_Told = TypeVar("_Told", bound=Struct)


class Part(Struct, frozen=True):
    """A file of the index: its name below the index's folder, its bytes, its BLAKE2b (hex)."""

    name: str
    bytes: int
    digest: str


class Manifest(Struct, frozen=True, kw_only=True):
    """What an index is. Of every ``sample`` prints one is kept, with ``hash_bits`` of its bits.

    ``parameters`` pin how prints are made, ``canonicaliser`` what JavaScript was brought into one
    form with; ``segments`` are in order of age, the oldest first.
    """

    format: str = FORMAT
    kind: str
    organisation: str
    generation: int
    key_id: str
    parameters: str
    canonicaliser: str
    hash_bits: int
    sample: int
    store: str
    segments: list[Part]
    catalogue: Part
    files: int
    postings: int
    made_at: int


class Public(Struct, frozen=True, kw_only=True):
    """``public.json``: the prints that are known to be public, of the index with this key."""

    format: str = FORMAT
    key_id: str
    serial: int
    hashes: Part


def read(folder: str) -> Manifest:
    """The manifest in force. Raises ConfigError."""
    told = _read(os.path.join(folder, NAME), Manifest)
    if told is None:
        raise missing(folder)
    return told


def exists(folder: str) -> bool:
    """Whether there is an index here."""
    return os.path.exists(os.path.join(folder, NAME))


def is_begun(folder: str) -> bool:
    """Whether there is an index, or one that was being made when it was interrupted."""
    return exists(folder) or (
        os.path.isdir(folder) and any(name.startswith("store-") for name in os.listdir(folder))
    )


def read_public(folder: str) -> Public | None:
    """What is known to be public, if anything was learnt. Raises ConfigError."""
    return _read(os.path.join(folder, PUBLIC_NAME), Public)


def replace(folder: str, told: Manifest | Public) -> None:
    """Put a manifest in force: after this call it is on disk whole, and not before."""
    name = NAME if isinstance(told, Manifest) else PUBLIC_NAME
    path = os.path.join(folder, name)
    part = f"{path}.part"
    with open(part, "wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, path)
    sync(folder)


def part(folder: str, name: str) -> Part:
    """A file as it is now."""
    path = os.path.join(folder, name)
    return Part(name, os.path.getsize(path), digest(path))


def digest(path: str) -> str:
    """A file's BLAKE2b-256 (hex)."""
    found = hashlib.blake2b(digest_size=32)
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def sync(folder: str) -> None:
    """Make what was renamed in a folder outlast a crash."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextlib.contextmanager
def locked(folder: str, name: str = "lock") -> Iterator[None]:
    """One writer at a time; the lock is gone with its process. Raises ConfigError if taken."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    number = os.open(os.path.join(folder, name), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy(folder) from None
        yield
    finally:
        os.close(number)


def _read(path: str, kind: type[_Told]) -> _Told | None:
    try:
        with open(path, "rb") as stream:
            text = stream.read(_MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise damaged(path, error.strerror or "unreadable") from None
    try:
        told = msgspec.json.decode(text)
        found = told.get("format") if isinstance(told, dict) else None
        if found != FORMAT:
            raise other_format(path, str(found)[:40])
        return msgspec.convert(told, kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise damaged(path, "it cannot be read") from None
