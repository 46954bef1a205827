"""One repository's mirror: a bare partial clone with commits and trees, and blobs as needed.

No name of a stranger's is written into it: its refs are ours (``refs/leakmon/<id>``).
"""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from monitor.errors import LeakmonError, LimitError, NotFoundError, TargetError

from . import git_reading as reading
from .git_command import failed, is_gone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from monitor.model import Commit

    from .git import GitSource

MiB = 1024 * 1024
MAX_BLOB_BYTES = 128 * MiB
"""A larger file is reported and not fetched."""
ALL_REFS = ("HEAD", "refs/heads/*", "refs/tags/*")
MAX_COMMITS = 200_000
MAX_PACKS = 200
"""Each fetch leaves a pack; with more than so many a mirror is begun anew."""
MAX_TREE_OUTPUT = 64 * MiB
_ONE_FETCH = 2_000
_REMOTE = "o"
_FETCH = (
    "fetch", "-q", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
    "--no-auto-maintenance", "--stdin",
)  # fmt: skip


class Mirror:
    """One repository's objects. Made by ``git_mirrors.Mirrors.opened``."""

    def __init__(
        self,
        source: GitSource,
        address: str,
        path: str,
        max_bytes: int,
        spent: Callable[[int], None],
    ) -> None:
        self.path = path
        self.git = source.git
        self._source = source
        self._address = address
        self._max_bytes = max_bytes
        self._spent = spent
        self.reading: Mapping[str, str] = source.git.environment("none", {})
        """For commands that must not fetch: without a remote, what is missing is said missing."""

    async def prepare(self) -> None:
        """Make the mirror if there is none, or only a broken or scattered one."""
        if await asyncio.to_thread(_is_sound, self.path):
            return
        await asyncio.to_thread(shutil.rmtree, self.path, ignore_errors=True)
        os.makedirs(self.path, mode=0o700)
        await self._run("init", "--bare", "-q", "--template=", ".")

    def bytes_here(self) -> int:
        """What the mirror takes on the disk."""
        return bytes_below(self.path)

    async def fetch(self, ids: Iterable[str], *, has_blobs: bool = False) -> set[str]:
        """Fetch commits with all that lies behind them; gives those that the server has not.

        ``has_blobs`` also brings the files up to ``MAX_BLOB_BYTES`` of what is new. Raises
        LimitError (``too-large``, ``timeout``), TransientError, TargetError.
        """
        wanted = [oid for oid in dict.fromkeys(ids) if reading.OID.fullmatch(oid)]
        there = await self.kinds(wanted)
        missing = [oid for oid in wanted if oid not in there]
        gone: set[str] = set()
        sieve = f"blob:limit={MAX_BLOB_BYTES}" if has_blobs else "blob:none"
        for start in range(0, len(missing), _ONE_FETCH):
            gone |= await self._fetch_some(missing[start : start + _ONE_FETCH], sieve)
        lines = [f"create refs/leakmon/{oid} {oid}\n" for oid in missing if oid not in gone]
        if lines:
            known = await self.kinds(set(missing) - gone)
            lines = [line for line in lines if line.split()[2] in known]
            await self._run("update-ref", "--stdin", stdin="".join(lines).encode())
        return gone

    async def fetch_blobs(self, ids: Iterable[str]) -> dict[str, str]:
        """Fetch files by their ids; those that cannot be had, with the reason."""
        wanted = list(dict.fromkeys(ids))
        there = await self.kinds(wanted)
        todo = [[oid for oid in wanted if oid not in there]]
        todo = [todo[0][at : at + _ONE_FETCH] for at in range(0, len(todo[0]), _ONE_FETCH)]
        lost: dict[str, str] = {}
        while todo:
            batch = todo.pop()
            try:
                await self._fetch_batch(batch, "blob:none", max_bytes=MAX_BLOB_BYTES)
            except (LimitError, NotFoundError) as error:
                if len(batch) == 1:
                    lost[batch[0]] = error.reason
                else:
                    half = len(batch) // 2
                    todo += [batch[:half], batch[half:]]
        return lost

    async def kinds(self, ids: Iterable[str]) -> dict[str, tuple[str, int]]:
        """Kind (``commit``, ``blob`` ...) and bytes of the objects that are in the mirror."""
        stdin = "".join(f"{oid}\n" for oid in ids).encode()
        if not stdin:
            return {}
        return reading.sizes(await self._run("cat-file", "--batch-check", stdin=stdin))

    async def commits(
        self, ids: Sequence[str], known: Iterable[str] = (), *, since: str = ""
    ) -> list[Commit]:
        """What can be reached from ``ids`` and not from ``known``, parents first.

        ``since`` (ISO 8601) leaves out commits that are older by their own word. Raises LimitError
        (``over-commits``) above ``MAX_COMMITS``.
        """
        kinds = await self.kinds([*ids, *known])
        starts = [oid for oid in ids if kinds.get(oid, ("",))[0] in {"commit", "tag"}]
        ends = [f"^{oid}" for oid in known if kinds.get(oid, ("",))[0] in {"commit", "tag"}]
        if not starts:
            return []
        output = await self._run(
            "log", "--topo-order", "--reverse", f"--format={reading.LOG_FORMAT}", "--stdin",
            *([f"--since={since}"] if since else []),
            stdin="".join(f"{word}\n" for word in (*starts, *ends)).encode(),
        )  # fmt: skip
        found = reading.commits(output)
        if len(found) > MAX_COMMITS:
            raise LimitError(f"more than {MAX_COMMITS:,} commits", reason="over-commits")
        return found

    async def describe(self, ids: Sequence[str]) -> dict[str, Commit]:
        """These commits themselves, by id; those that are not there are not."""
        kinds = await self.kinds(ids)
        stdin = "".join(f"{oid}\n" for oid in ids if kinds.get(oid, ("",))[0] == "commit")
        if not stdin:
            return {}
        output = await self._run(
            "log", "--no-walk=unsorted", f"--format={reading.LOG_FORMAT}", "--stdin",
            stdin=stdin.encode(),
        )  # fmt: skip
        return {commit.id: commit for commit in reading.commits(output)}

    async def diff(self, commits: Sequence[str]) -> bytes:
        """What commits changed, for ``git_reading.changes``. LimitError if that is too much."""
        stdin = "".join(f"{oid}\n" for oid in commits).encode()
        return await self._run(
            "diff-tree", "--stdin", "-r", "-c", "--root", "-z", "--raw", "--no-renames",
            "--no-ext-diff", stdin=stdin,
        )  # fmt: skip

    async def tree(self, commit: str) -> set[str] | None:
        """The ids of all files of a commit; None if it is not there or they are too many."""
        try:
            output = await self._run("ls-tree", "-r", "-z", "--full-tree", commit)
        except LeakmonError:
            return None
        return reading.tree_blobs(output)

    async def is_ancestor(self, old: str, new: str) -> bool:
        """Whether ``new`` builds on ``old``: if not, a push has thrown something away."""
        status, _, _ = await self.git.run(
            "merge-base", "--is-ancestor", old, new, folder=self.path, environment=self.reading
        )
        return status == 0

    async def _fetch_some(self, ids: list[str], sieve: str) -> set[str]:
        """Fetch together; where one of them is gone, one by one."""
        try:
            await self._fetch_batch(ids, sieve)
        except NotFoundError:
            if len(ids) == 1:
                return set(ids)
            half = len(ids) // 2
            return await self._fetch_some(ids[:half], sieve) | await self._fetch_some(
                ids[half:], sieve
            )
        return set()

    async def _fetch_batch(self, ids: list[str], sieve: str, *, max_bytes: int = 0) -> None:
        if not ids:
            return
        reached = await self._source.reach(self._address)
        environment = await self._source.environment(
            reached,
            {
                f"remote.{_REMOTE}.url": reached,
                f"remote.{_REMOTE}.promisor": "true",
                f"remote.{_REMOTE}.partialCloneFilter": sieve,
            },
        )
        git = replace(self.git, max_file_bytes=max_bytes) if max_bytes else self.git
        more = ("-c", "fetch.negotiationAlgorithm=noop") if max_bytes else ()
        before = bytes_below(self.path)
        stdin = "".join(f"{oid}\n" for oid in ids).encode()

        async def attempt(_number: int) -> None:
            _swept(os.path.join(self.path, "objects", "pack"))
            status, _, complaint = await git.run(
                *more, *_FETCH, f"--filter={sieve}", _REMOTE,
                folder=self.path, environment=environment, stdin=stdin,
            )  # fmt: skip
            if status != 0:
                raise self._complaint(complaint, git.file_limit)

        try:
            await self._source.retried(attempt)
        finally:
            _swept(os.path.join(self.path, "objects", "pack"))
            after = bytes_below(self.path)
            self._spent(max(0, after - before))
        if after > self._max_bytes:
            await asyncio.to_thread(shutil.rmtree, self.path, ignore_errors=True)
            await self.prepare()
            raise LimitError(
                f"{self._address} takes more than [registries.git] cache_bytes", reason="too-large"
            )

    def _complaint(self, complaint: str, limit: int) -> LeakmonError:
        """The error for a fetch that failed. That a limit was hit git does not say: its rest does.

        A server's own words are told, never believed in anything that matters.
        """
        if _largest_rest(os.path.join(self.path, "objects", "pack")) >= limit:
            return LimitError(f"{self._address}: larger than is fetched", reason="too-large")
        if is_gone(complaint):
            return NotFoundError(f"{self._address}: git says: {complaint}", reason="object-gone")
        return failed(self._address, complaint)

    async def _run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        status, output, complaint = await self.git.run(
            *arguments, folder=self.path, environment=self.reading, stdin=stdin
        )
        if status != 0:
            raise TargetError(f"{self._address}: git says: {complaint}", reason="git")
        return output


def _is_sound(path: str) -> bool:
    """Whether there is a mirror whose objects are not scattered over too many packs."""
    packs = os.path.join(path, "objects", "pack")
    if not os.path.exists(os.path.join(path, "HEAD")) or not os.path.isdir(packs):
        return False
    _swept(packs)
    return len(os.listdir(packs)) < 3 * MAX_PACKS  # pack, index, promisor mark


def _swept(packs: str) -> None:
    """Remove what a fetch that was cut short left behind."""
    with suppress(FileNotFoundError):
        for name in os.listdir(packs):
            if name.startswith("tmp_"):
                os.unlink(os.path.join(packs, name))


def _largest_rest(packs: str) -> int:
    names = [name for name in os.listdir(packs) if name.startswith("tmp_")]
    return max((os.stat(os.path.join(packs, name)).st_size for name in names), default=0)


def bytes_below(folder: str) -> int:
    """The bytes of all files below a folder."""
    return sum(
        os.lstat(os.path.join(top, name)).st_size
        for top, _, names in os.walk(folder)
        for name in names
    )
