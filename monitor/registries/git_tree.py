"""A commit's files as a tar archive that we write ourselves.

``git archive`` leaves out what the repository marks ``export-ignore`` and a checkout runs its
filters, so a repository could hide files from either. The objects themselves are read instead:
every blob of the tree, byte for byte, whatever any attribute says.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
import tempfile
from typing import IO, TYPE_CHECKING

from msgspec import Struct

from monitor.errors import LimitError, TargetError
from monitor.model import Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_MAX_FILES = 500_000
_MAX_LISTING = 256 * 1024 * 1024
_CHUNK = 1024 * 1024
_LFS = b"version https://git-lfs.github.com/spec/v1"
_LFS_MAX = 1024
_HEADER_WORDS = 3  # name, type, size
_ERRORS = "surrogateescape"


class Entry(Struct, frozen=True):
    """One line of a tree: the mode (octal text), the object's name, its bytes and its path."""

    mode: str
    oid: str
    size: int
    path: str


class TreeTar:
    """Writes one commit of a bare repository as a tar; ``run`` blocks, ``stop`` ends it early.

    ``command`` makes the command line of a git call, ``environment`` is its environment.
    """

    def __init__(
        self,
        repository: str,
        commit: str,
        *,
        command: Callable[..., Sequence[str]],
        environment: Mapping[str, str],
        max_bytes: int,
        progress: Callable[[int, int | None], None],
    ) -> None:
        self._repository = repository
        self._commit = commit
        self._command = command
        self._environment = dict(environment)
        self._max_bytes = max_bytes
        self._progress = progress
        self._children: list[subprocess.Popen[bytes]] = []
        self._is_stopped = False

    def run(self, out: IO[bytes]) -> tuple[str, int, list[Skipped]]:
        """The tar's SHA-256 (hex) and bytes, and what of the tree has no bytes here."""
        entries, skipped = self._entries()
        total = sum(entry.size for entry in entries)
        if total > self._max_bytes:
            raise LimitError(
                f"the tree holds {total} bytes, more than [http] max_artifact_bytes",
                reason="too-large",
            )
        sink = _Hashed(out)
        when = self._committed_at()
        with tempfile.TemporaryFile() as wanted:
            wanted.write("".join(f"{entry.oid}\n" for entry in entries).encode("ascii"))
            wanted.seek(0)
            stream = self._start("cat-file", "--batch", "--buffer", stdin=wanted)
            for entry in entries:
                if self._blob(stream, entry, sink, when):
                    skipped.append(Skipped(entry.path, "lfs-pointer"))
                self._progress(sink.bytes, total)
        sink.write(b"\0" * 1024)
        self.stop()
        return sink.digest.hexdigest(), sink.bytes, skipped

    def stop(self) -> None:
        """End what runs; a ``run`` in another thread then fails."""
        self._is_stopped = True
        for child in self._children:
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()

    def _start(self, *arguments: str, stdin: IO[bytes] | None = None) -> IO[bytes]:
        child = subprocess.Popen(  # noqa: S603 - our own command line, names never stand in it
            self._command(*arguments),
            cwd=self._repository,
            env=self._environment,
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._children.append(child)
        if self._is_stopped:
            self.stop()
        assert child.stdout is not None
        return child.stdout

    def _committed_at(self) -> int:
        """The committer's time, so that the same commit gives the same tar."""
        stream = self._start("cat-file", "commit", self._commit)
        for line in stream.read(_CHUNK).split(b"\n\n")[0].splitlines():
            word = line.rpartition(b" ")[0].rpartition(b" ")[2]
            if line.startswith(b"committer ") and word.isdigit():
                return min(int(word), 2**33 - 1)
        return 0

    def _entries(self) -> tuple[list[Entry], list[Skipped]]:
        """The blobs of the tree and what is no blob; a symbolic link's blob is its target."""
        entries: list[Entry] = []
        skipped: list[Skipped] = []
        stream = self._start("ls-tree", "-r", "-z", "-l", "--full-tree", self._commit)
        for record in _records(stream):
            stat, _, name = record.partition(b"\t")
            mode, kind, oid, size = stat.decode("ascii").split()
            path = os.fsdecode(name)
            if kind != "blob" or not size.isdigit():
                skipped.append(Skipped(path, "submodule" if kind == "commit" else "missing"))
                continue
            entries.append(Entry(mode, oid, int(size), path))
            if len(entries) + len(skipped) > _MAX_FILES:
                raise LimitError(f"the tree has more than {_MAX_FILES} files", reason="too-many")
        if self._children[-1].wait() != 0:
            raise TargetError("the commit's tree cannot be read", reason="git")
        return entries, skipped

    def _blob(self, stream: IO[bytes], entry: Entry, sink: _Hashed, when: int) -> bool:
        """Copy one blob; whether it stands for a file that lies elsewhere (Git LFS)."""
        header = stream.readline(256).split()
        if (
            len(header) != _HEADER_WORDS
            or header[0].decode() != entry.oid
            or int(header[2]) != entry.size
        ):
            raise TargetError(f"object {entry.oid} cannot be read", reason="git")
        record = tarfile.TarInfo(entry.path)
        record.size = entry.size
        record.mode = 0o755 if entry.mode == "100755" else 0o644
        record.mtime = when
        sink.write(record.tobuf(tarfile.PAX_FORMAT, "utf-8", _ERRORS))
        left, first = entry.size, b""
        while left:
            chunk = stream.read(min(left, _CHUNK))
            if not chunk:
                raise TargetError("git ended early", reason="git")
            first = first or chunk
            left -= len(chunk)
            sink.write(chunk)
        sink.write(b"\0" * (-entry.size % tarfile.BLOCKSIZE))
        stream.read(1)
        return entry.size <= _LFS_MAX and first.startswith(_LFS)


class _Hashed:
    """A writer that counts and digests."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self.digest = hashlib.sha256()
        self.bytes = 0

    def write(self, chunk: bytes) -> None:
        self.digest.update(chunk)
        self.bytes += len(chunk)
        self._out.write(chunk)


def _records(stream: IO[bytes]) -> Iterator[bytes]:
    """What ``-z`` separates, out of a bounded listing."""
    rest, seen = b"", 0
    while chunk := stream.read(_CHUNK):
        seen += len(chunk)
        if seen > _MAX_LISTING:
            raise LimitError("the tree's listing is larger than is read", reason="too-many")
        *records, rest = (rest + chunk).split(b"\0")
        yield from records
