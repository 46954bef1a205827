"""A git repository on this machine, read by its objects: trees, history, contents.

Only commands that read objects are run, with an environment that the caller makes so that neither
the repository nor the machine steers them. What is checked out does not matter.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import IO, TYPE_CHECKING, NamedTuple

from msgspec import Struct

from monitor.errors import NotFoundError, TargetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_CHUNK = 1 << 20
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SUBMODULE, _LINK = "160000", "120000"
_FORMAT = "--format=%x01%H %ct %at"
_RAW = ("-z", "--raw", "--no-abbrev", "-M", "-l2000", "--no-ext-diff", "--no-textconv")


class Entry(Struct, frozen=True):
    """A file of a commit's tree; ``reason`` says why it has no text of its own."""

    path: str
    blob: str
    size: int
    reason: str = ""


class Step(NamedTuple):
    """What one commit did to one path.

    ``before`` is the path that its content stood at in the parent: itself where it was changed,
    another where it was renamed, empty where it is new.
    """

    commit: str
    at: int
    path: str
    blob: str
    before: str


class Repository:
    """Reads one repository. Raises TargetError where git fails.

    ``prefix`` stands before the names of refs: a copy keeps them below a place of its own.
    """

    def __init__(self, folder: str, environment: Mapping[str, str], prefix: str = "") -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._prefix = prefix

    def heads(self, refs: Sequence[str]) -> list[str]:
        """The commits that refs name (none: the default branch). Raises NotFoundError."""
        found = []
        for ref in refs or ("HEAD",):
            text = self._text(
                "rev-parse", "--verify", "-q", "--end-of-options", f"{self._prefix}{ref}^{{commit}}"
            )
            if not _COMMIT.fullmatch(text):
                what = f"branch, tag or commit {ref!r}" if refs else "commit yet"
                raise NotFoundError(f"{self._folder}: the repository has no {what}")
            found.append(text)
        return found

    def has(self, commit: str) -> bool:
        """Whether a commit is (still) here."""
        return bool(_COMMIT.fullmatch(commit)) and bool(
            self._text("rev-parse", "--verify", "-q", f"{commit}^{{commit}}")
        )

    def is_shallow(self) -> bool:
        """Whether its history is cut off, so that no first commit is known."""
        return self._text("rev-parse", "--is-shallow-repository") == "true"

    def origin(self) -> str:
        """The address that it was cloned from, else empty."""
        return self._text("config", "--get", "remote.origin.url")

    def tree(self, commit: str) -> Iterator[Entry]:
        """Every file of a commit."""
        for record in self._records("ls-tree", "-r", "-z", "-l", "--full-tree", commit):
            stat, _, name = record.partition(b"\t")
            mode, kind, blob, size = stat.decode("ascii").split()
            reason = {_SUBMODULE: "submodule", _LINK: "link"}.get(mode, "")
            if not size.isdigit() or kind != "blob":
                reason = reason or "missing"
            yield Entry(_path(name), blob, int(size) if size.isdigit() else 0, reason)

    def steps(
        self, heads: Sequence[str], known: Iterable[str], *, is_oldest_first: bool
    ) -> Iterator[Step]:
        """What the commits below ``heads`` did that are not below ``known``. Merges are left out.

        ``at`` is the earlier of the times at which a commit was written and committed.
        """
        order = ["--reverse"] if is_oldest_first else []
        without = [f"^{commit}" for commit in known if self.has(commit)]
        commit, at = "", 0
        records = self._records(
            "log", *_RAW, _FORMAT, "--topo-order", *order, *heads, *without, "--"
        )
        for record in records:
            text = record.lstrip(b"\n")
            if text.startswith(b"\x01"):
                words = text[1:].decode("ascii").split()
                commit, at = words[0], min(int(words[1]), int(words[2]))
                continue
            fields = text.decode("ascii", "replace").split()
            first = next(records)
            path = _path(next(records) if fields[4][0] in "RC" else first)
            if fields[1] not in {"000000", _SUBMODULE, _LINK}:
                before = "" if fields[4] == "A" else _path(first)
                yield Step(commit, at, path, fields[3], before)

    def sizes(self, blobs: Sequence[str]) -> list[int]:
        """The bytes of blobs, in their order."""
        asked = "".join(f"{blob}\n" for blob in blobs)
        told = self._text("cat-file", "--batch-check=%(objectsize)", given=asked).split()
        if len(told) != len(blobs) or not all(map(str.isdigit, told)):
            raise TargetError(f"{self._folder}: an object of its history is gone", reason="git")
        return [int(size) for size in told]

    def contents(self, blobs: Sequence[str]) -> Iterator[bytes]:
        """The contents of blobs, in their order."""
        if not blobs:
            return
        with subprocess.Popen(
            ["git", "cat-file", "--batch"],  # noqa: S607 - the git of PATH, as everywhere
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                for start in range(0, len(blobs), _AT_ONCE):
                    wanted = blobs[start : start + _AT_ONCE]
                    child.stdin.write("".join(f"{blob}\n" for blob in wanted).encode("ascii"))
                    child.stdin.flush()
                    yield from (_content(child.stdout, blob) for blob in wanted)
            finally:
                child.kill()

    def _text(self, *arguments: str, given: str = "") -> str:
        """The output of a command that may fail: empty then."""
        done = subprocess.run(  # noqa: S603 - our own command line
            ["git", *arguments],  # noqa: S607 - the git of PATH, as everywhere
            cwd=self._folder,
            env=self._environment,
            input=given.encode("ascii"),
            capture_output=True,
            check=False,
        )
        return os.fsdecode(done.stdout).strip() if done.returncode == 0 else ""

    def _records(self, *arguments: str) -> Iterator[bytes]:
        """What ``-z`` separates in a command's output."""
        with subprocess.Popen(  # noqa: S603 - our own command line
            ["git", *arguments],  # noqa: S607 - the git of PATH, as everywhere
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as child:
            assert child.stdout is not None
            try:
                rest = b""
                while chunk := child.stdout.read(_CHUNK):
                    *records, rest = (rest + chunk).split(b"\0")
                    yield from records
                if rest.strip():
                    yield rest
            except BaseException:
                child.kill()
                raise
            if child.wait() != 0:
                raise TargetError(f"{self._folder}: git {arguments[0]} failed", reason="git")


_AT_ONCE = 256
"""Names that are asked for at once: less than a pipe holds, so that neither side waits."""


def is_repository(path: str) -> bool:
    """Whether a folder is the top of a git repository, checked out or bare."""
    return os.path.exists(os.path.join(path, ".git")) or (
        os.path.isfile(os.path.join(path, "HEAD")) and os.path.isdir(os.path.join(path, "objects"))
    )


def _content(stream: IO[bytes], blob: str) -> bytes:
    header = stream.readline(256).split()
    if len(header) != 3 or header[0].decode("ascii") != blob:  # noqa: PLR2004 - name, type, size
        raise TargetError(f"object {blob} cannot be read", reason="git")
    size = int(header[2])
    content = stream.read(size)
    if len(content) != size:
        raise TargetError("git ended early", reason="git")
    stream.read(1)
    return content


def _path(name: bytes) -> str:
    """A path as text that SQLite and JSON take: what is no UTF-8 is shown as escapes."""
    return name.decode("utf-8", "backslashreplace")
