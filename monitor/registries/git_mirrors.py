"""The mirrors of all repositories in the cache folder, each lent to one borrower at a time.

A folder's name is a digest of the address. What a mirror holds can be fetched again at any time,
so the least recently used ones go when all together grow beyond their limit.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import shutil
import tempfile
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from .git import lost
from .git_command import is_gone
from .git_mirror import ALL_REFS, Mirror, bytes_below

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from .git import GitSource
    from .git_reading import Refs

_SHA1_DIGITS = 40
_LOCK_PAUSE = 0.2  # seconds: another process is at work on the same repository


class Mirrors:
    """All mirrors below one folder; ``opened`` lends one, to one borrower at a time.

    ``max_bytes`` bounds them together. ``bytes_fetched`` counts what fetches brought.
    """

    def __init__(self, source: GitSource, folder: str, max_bytes: int) -> None:
        self._source = source
        self._folder = folder
        self._max_bytes = max_bytes
        self.bytes_fetched = 0
        self._locks: dict[str, asyncio.Lock] = {}

    async def refs(self, address: str, patterns: Sequence[str] = ALL_REFS) -> Refs:
        """The refs that the server advertises (by default branches and tags), without a mirror.

        Raises NotFoundError, DeniedError, TransientError, TargetError.
        """
        return await self._source.refs(address, patterns)

    async def has(self, address: str, commit: str) -> bool:
        """Whether the server still gives a commit to whoever knows its id. Asks for no files.

        Raises NotFoundError (no such repository), DeniedError, TransientError, TargetError.
        """
        source = self._source
        reached = await source.reach(address)
        environment = await source.environment(reached)
        kind = "sha256" if len(commit) > _SHA1_DIGITS else "sha1"
        with tempfile.TemporaryDirectory(prefix="leakmon-git-") as folder:
            await source.git.run(
                "init", "--bare", "-q", f"--object-format={kind}", "--template=", ".",
                folder=folder, environment=environment,
            )  # fmt: skip
            status, _, complaint = await source.git.run(
                "fetch", "-q", "--depth=1", "--filter=tree:0", "--no-tags",
                "--no-write-fetch-head", "--", reached, commit,
                folder=folder, environment=environment,
            )  # fmt: skip
        if status != 0 and not is_gone(complaint):
            raise lost(address, complaint)
        return status == 0

    @asynccontextmanager
    async def opened(self, address: str) -> AsyncIterator[Mirror]:
        """The mirror of one address, empty if it is new; nobody else has it meanwhile."""
        name = hashlib.sha256(address.encode()).hexdigest()[:32]
        path = os.path.join(self._folder, f"{name}.git")
        async with self._locks.setdefault(name, asyncio.Lock()):
            lock = await self._locked(f"{name}.lock")
            try:
                mirror = Mirror(self._source, address, path, self._max_bytes, self._spend)
                await mirror.prepare()
                yield mirror
            finally:
                os.utime(lock)
                os.close(lock)
        await asyncio.to_thread(_evict, self._folder, self._max_bytes)

    def _spend(self, count: int) -> None:
        self.bytes_fetched += count

    async def _locked(self, name: str) -> int:
        """An open file that this process alone has locked; waits for it."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        path = os.path.join(self._folder, name)
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return lock
                await self._source.pause(_LOCK_PAUSE)
        except BaseException:
            os.close(lock)
            raise


def _evict(folder: str, max_bytes: int) -> None:
    """Remove the mirrors that were not used for longest, until the rest fits; none that is lent."""
    found = []
    for name in os.listdir(folder):
        if name.endswith(".lock"):
            path = os.path.join(folder, name)
            whole = bytes_below(path.removesuffix(".lock") + ".git")
            found.append((os.stat(path).st_mtime, path, whole))
    total = sum(size for _, _, size in found)
    for _, path, size in sorted(found):
        if total <= max_bytes:
            return
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.removesuffix(".lock") + ".git", ignore_errors=True)
            total -= size
        except BlockingIOError:
            continue
        finally:
            os.close(lock)
