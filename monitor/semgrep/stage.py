"""The flat private folder that Semgrep reads: ``<sha256><ending>``, nothing named by a stranger.

That keeps a package from switching Semgrep off (``.semgrepignore``, folders and names that it
leaves out by default), and the same bytes are read once however many targets hold them.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from msgspec import Struct, field

from monitor.model import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.harvest import Code, Harvest
    from monitor.semgrep.command import Limits

IGNORE_FILE = ".semgrepignore"


class Held(Struct):
    """Where the bytes of a staged file lie in one subject."""

    paths: list[str] = field(default_factory=list)
    more: int = 0


class Staged(Struct):
    """One staged file, and the subjects (by number) that hold its bytes."""

    name: str
    size: int
    held: dict[int, Held] = field(default_factory=dict)


class Stage:
    """Takes code until it is full; gives it in batches, each in a folder of its own."""

    def __init__(self, folder: str, limits: Limits, endings: Iterable[str]) -> None:
        self._pool = os.path.join(folder, "pool")
        self._folder = folder
        self._limits = limits
        self._endings = frozenset(endings)
        self._room = limits.staged_bytes
        self._batches = 0
        self.files: dict[str, Staged] = {}
        os.mkdir(self._pool, 0o700)

    def take(self, subject: int, harvest: Harvest) -> list[Skipped]:
        """Stage what was harvested from a subject; gives what could not be."""
        gaps: list[Skipped] = []
        for code in harvest.code:
            if not self._take(subject, code):
                gaps += [Skipped(path, "semgrep-over-bytes") for path in code.paths]
        return gaps

    def _take(self, subject: int, code: Code) -> bool:
        # The ending comes out of the sandbox: it names a file only if it is one of ours.
        if code.ending not in self._endings:
            return False
        name = hashlib.sha256(code.content).hexdigest() + code.ending
        staged = self.files.get(name)
        if staged is None:
            if len(code.content) > self._room:
                return False
            self._room -= len(code.content)
            with open(os.path.join(self._pool, name), "xb") as file:
                file.write(code.content)
            staged = self.files[name] = Staged(name, len(code.content))
        held = staged.held.setdefault(subject, Held())
        held.paths += code.paths
        held.more += code.more
        return True

    def batches(self) -> Iterator[list[Staged]]:
        """All files, in the order in which they came, in pieces that one run can bear."""
        batch: list[Staged] = []
        size = 0
        for staged in self.files.values():
            is_full = size + staged.size > self._limits.batch_bytes
            if batch and (is_full or len(batch) >= self._limits.batch_files):
                yield batch
                batch, size = [], 0
            batch.append(staged)
            size += staged.size
        if batch:
            yield batch

    def folder_of(self, batch: Sequence[Staged]) -> str:
        """A new folder with links to just these files."""
        self._batches += 1
        folder = os.path.join(self._folder, f"batch-{self._batches}")
        os.mkdir(folder, 0o700)
        with open(os.path.join(folder, IGNORE_FILE), "xb"):
            pass  # empty: without one, Semgrep ignores tests, vendored and minified files
        for staged in batch:
            os.link(os.path.join(self._pool, staged.name), os.path.join(folder, staged.name))
        return folder

    def content(self, name: str) -> bytes:
        """The bytes of a staged file."""
        with open(os.path.join(self._pool, name), "rb") as file:
            return file.read()
