"""The bytes themselves: content-addressed, encrypted at rest, in a folder or a bucket.

An object's key is ``sha256/<first two>/<all 64 digits>`` of its *plain* bytes. It is written once
and never replaced, and no artifact is ever whole in memory. Whoever reads for a person writes the
audit log first; this module knows no database.

Methods that end in ``_now`` work in the calling thread; their namesakes in another, for a loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import obstore
from msgspec import Struct
from obstore.exceptions import AlreadyExistsError, BaseError

from monitor.errors import IntegrityError, LeakmonError, NotFoundError, TransientError, UsageError
from monitor.evidence.sealing import HEADER_BYTES, key_of, plain_size, seal, sealed_size, unseal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.evidence.keys import Keyring

ONE_PIECE = 8 * 1024 * 1024
"""Up to this size an object is written in one request, only if there is none of its name."""

_READ = 1024 * 1024
_KEY = re.compile(r"sha256/([0-9a-f]{2})/(\1[0-9a-f]{62})")
_AT_ONCE = 2
_FULL = ("No space left", "os error 28", "Disk quota exceeded", "os error 122")


class Kept(Struct, frozen=True, kw_only=True):
    """Where bytes are kept; ``is_new`` if they were not there before."""

    key: str
    sha256: str
    size: int
    is_new: bool


class Entry(Struct, frozen=True, kw_only=True):
    """An object as it lies there: its plain size, the name of the key that sealed it."""

    key: str
    sha256: str
    size: int
    stored_at: datetime
    key_id: str


def evidence_key(sha256: str) -> str:
    """Where the bytes with this digest are kept."""
    return f"sha256/{sha256[:2]}/{sha256}"


class Evidence:
    """One store of evidence. ``place`` is an obstore store (see ``monitor.evidence.places``)."""

    def __init__(self, place: Any, keyring: Keyring, *, folder: str | None = None) -> None:
        """``folder``: where ``place`` is on this machine, so that writes can be made to last."""
        self._place = place
        self._folder = folder
        self.keyring = keyring

    async def put(self, path: str) -> Kept:
        """Keep the file at ``path``. Raises TransientError (``disk-full``, ``evidence``)."""
        return await asyncio.to_thread(self.put_now, path)

    async def get(self, key: str, path: str) -> int:
        """Write the plain bytes into the new file ``path``, for its owner alone; their number.

        Raises NotFoundError (``evidence-missing``), IntegrityError (``evidence-corrupt``),
        ConfigError (the key is gone), TransientError. The file is there only if all is well.
        """
        return await asyncio.to_thread(self.get_now, key, path)

    async def delete(self, key: str) -> None:
        """Remove an object; one that is not there is removed already."""
        await asyncio.to_thread(self.delete_now, key)

    async def has(self, key: str) -> bool:
        """Whether something is kept there. Raises TransientError."""
        return await asyncio.to_thread(self.has_now, key)

    def has_now(self, key: str) -> bool:
        """See ``has``."""
        with _translated(key):
            return self._size(key) is not None

    def put_now(self, path: str) -> Kept:
        """See ``put``. An object that a crash cut short is written anew."""
        with open(path, "rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            size = stream.tell()
            key = evidence_key(sha256)
            with _translated(key):
                is_new = self._size(key) != sealed_size(size)
                if is_new:
                    stream.seek(0)
                    pieces = iter(lambda: stream.read(_READ), b"")
                    self._write(key, seal(_checked(pieces, sha256, path), self.keyring), size)
        return Kept(key=key, sha256=sha256, size=size, is_new=is_new)

    def get_now(self, key: str, path: str) -> int:
        """See ``get``."""
        pieces = self.read(key)
        with _translated(key, "the disk for temporary files"):
            number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            try:
                with os.fdopen(number, "wb") as stream:
                    return sum(stream.write(piece) for piece in pieces)
            except BaseException:
                os.unlink(path)
                raise

    def read(self, key: str) -> Iterator[bytes]:
        """The plain bytes in pieces of 1 MiB. Trust none before the end: see ``get`` for errors."""
        digest = hashlib.sha256()
        with _translated(key):
            sealed = obstore.get(self._place, key).stream(min_chunk_size=_READ)
            for piece in unseal((bytes(part) for part in sealed), self.keyring):
                digest.update(piece)
                yield piece
        if evidence_key(digest.hexdigest()) != key:
            raise IntegrityError(f"{key}: holds other bytes", reason="evidence-corrupt")

    def verify(self, key: str) -> int:
        """Read all of it and throw it away; the number of bytes. See ``get`` for errors."""
        return sum(len(piece) for piece in self.read(key))

    def reseal(self, key: str) -> bool:
        """Seal an object with the current key, if another sealed it; whether anything was done.

        The object is replaced when the new one is whole; until then the old one stands. What lies
        in the temporary file between is sealed, too.
        """
        with _translated(key):
            header = bytes(obstore.get_range(self._place, key, start=0, length=HEADER_BYTES))
            if key_of(header) == self.keyring.key_id:
                return False
            with tempfile.TemporaryFile() as part:
                for piece in seal(self.read(key), self.keyring):
                    part.write(piece)
                size = plain_size(part.tell())
                part.seek(0)
                self._upload(key, iter(lambda: part.read(_READ), b""), size)
        return True

    def delete_now(self, key: str) -> None:
        """See ``delete``."""
        with _translated(key):
            try:
                obstore.delete(self._place, key)
            except FileNotFoundError:
                return

    def entries(self) -> Iterator[Entry]:
        """Everything that is kept, in no order; what is no evidence is passed over."""
        with _translated("sha256/"):
            for page in obstore.list(self._place, prefix="sha256", chunk_size=200):
                for found in page:
                    match = _KEY.fullmatch(found["path"])
                    if match:
                        yield self._entry(match, found)

    def _entry(self, match: re.Match[str], found: Any) -> Entry:
        key = match[0]
        length = min(HEADER_BYTES, found["size"])
        header = (
            bytes(obstore.get_range(self._place, key, start=0, length=length)) if length else b""
        )
        return Entry(
            key=key,
            sha256=match[2],
            size=max(0, plain_size(found["size"])),
            stored_at=found["last_modified"],
            key_id=key_of(header) or "",
        )

    def _size(self, key: str) -> int | None:
        try:
            return int(obstore.head(self._place, key)["size"])
        except FileNotFoundError:
            return None

    def _write(self, key: str, sealed: Iterable[bytes], size: int) -> None:
        if sealed_size(size) > ONE_PIECE:
            self._upload(key, sealed, size)
            return
        whole = b"".join(sealed)
        try:
            obstore.put(self._place, key, whole, mode="create")
        except AlreadyExistsError:
            # Somebody was quicker with the same bytes; or a crash left a part of them.
            if self._size(key) != len(whole):
                obstore.put(self._place, key, whole)
        self._settle(key)

    def _upload(self, key: str, sealed: Iterable[bytes], size: int) -> None:
        """In parts: nothing of the name is there before the last. Two writers write the same."""
        obstore.put(
            self._place,
            key,
            sealed,
            use_multipart=sealed_size(size) > ONE_PIECE,
            chunk_size=ONE_PIECE,
            max_concurrency=_AT_ONCE,
        )
        self._settle(key)

    def _settle(self, key: str) -> None:
        """On this machine's disk: before the database says that the bytes are safe, they are."""
        if self._folder is None:
            return
        path = os.path.join(self._folder, key)
        for each in (path, os.path.dirname(path)):
            number = os.open(each, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)


def _checked(pieces: Iterable[bytes], sha256: str, path: str) -> Iterator[bytes]:
    """The same pieces; an error instead of an end if they are not what was read before."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        yield piece
    if digest.hexdigest() != sha256:
        raise TransientError(f"{path}: changed while it was kept", reason="evidence")


@contextmanager
def _translated(key: str, place: str = "the evidence's disk") -> Iterator[None]:
    """Obstore's errors as ours; ``place`` is what would be full."""
    try:
        yield
    except FileNotFoundError:
        raise NotFoundError(f"{key}: not among the evidence", reason="evidence-missing") from None
    except FileExistsError as error:
        raise UsageError(f"{error.filename}: exists already: name another file") from None
    except LeakmonError:
        raise
    except (BaseError, OSError) as error:
        text = str(error).partition("\n")[0]
        if any(sign in text for sign in _FULL):
            raise TransientError(f"{place} is full: free some space", reason="disk-full") from None
        raise TransientError(
            f"{key}: the evidence store failed: {text}", reason="evidence"
        ) from None
