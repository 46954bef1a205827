"""Canonical JavaScript: esbuild as a child process, because minifying undoes what differs.

This module and ``rereading`` alone run programs; everything else works without them. What
esbuild reads is hostile: it gets files under names of ours in a private folder, no configuration,
no plugin, nothing to resolve, and limits on time, memory and output. One file that it cannot read
spoils nothing: esbuild names it, and the batch is run again without it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.patterns import later
from monitor.private_code.languages import LOADERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MIB = 1 << 20

FORM = "leakmon-canonical/1"
"""Changes with the options below: together with esbuild's version it pins what comes out."""

_SECOND_LOADER = "tsx"  # what is no JavaScript may have types of another dialect
_OPTIONS = (
    *("--minify", "--charset=ascii", "--legal-comments=none", "--platform=neutral"),
    *("--sourcemap=inline", "--sources-content=false", "--log-level=error", "--log-limit=0"),
    *("--color=false", "--tsconfig-raw={}", "--loader:.jsx=jsx"),
)
_PLAIN = ("--format=esm", "--target=esnext")
_AUGMENTED = ("--format=cjs", "--target=es2015")
_FAULTY = later(r"(?m)^\s+(?:in/)?(\d+)\.\w+:\d+:\d+:")
_BLOCK = 512


class Limits(Struct, frozen=True, kw_only=True):
    """What esbuild may use: seconds are wall time, for a batch; a map may make a file grow.

    A batch that tells nothing is halved and tried again, ``futile_runs`` times at most.
    """

    batch_files: int = 200
    batch_bytes: int = 8 * MIB
    batch_seconds: float = 60.0
    futile_runs: int = 12
    file_bytes: int = 16 * MIB
    memory_mib: int = 4096
    output_bytes: int = 128 * MIB


def _halves(part: dict[int, str]) -> list[dict[int, str]]:
    if len(part) == 1:
        return []
    numbers = list(part)
    return [{number: part[number] for number in half} for half in (numbers[::2], numbers[1::2])]


class Canonicaliser:
    """Brings JavaScript and TypeScript into one form with the esbuild at ``program``.

    The AUGMENTED channel wants another text: with ``is_augmented`` it is written as compilers to
    older dialects and to CommonJS do. Raises nothing for any content: a file that has no canonical
    text has None.
    """

    def __init__(
        self, program: str, limits: Limits | None = None, *, is_augmented: bool = False
    ) -> None:
        self.program = program
        self.limits = limits or Limits()
        self.target = _AUGMENTED if is_augmented else _PLAIN

    def identity(self) -> str:
        """What pins the form: our options' version and esbuild's; empty if it does not run."""
        try:
            told = subprocess.run(  # noqa: S603 - the operator's own program
                [self.program, "--version"], capture_output=True, timeout=20, check=True, env={}
            )
        except (OSError, subprocess.SubprocessError):
            return ""
        version = told.stdout.decode("ascii", "replace").strip()
        return f"{FORM} esbuild {version} {' '.join(self.target)}"

    def texts(self, files: Sequence[tuple[str, bytes]]) -> list[bytes | None]:
        """The canonical text of each file (path and content), with an inline source map."""
        found: list[bytes | None] = [None] * len(files)
        for batch in self._batches(files):
            self._settle(files, batch, found)
        return found

    def _batches(self, files: Sequence[tuple[str, bytes]]) -> Iterator[dict[int, str]]:
        """Numbers of files, each with its loader; what is no JavaScript by name is left out."""
        batch: dict[int, str] = {}
        size = 0
        for number, (path, content) in enumerate(files):
            loader = LOADERS.get(path.rpartition(".")[2].lower())
            if loader is None or not content.strip() or len(content) > self.limits.file_bytes:
                continue
            is_full = len(batch) >= self.limits.batch_files
            if batch and (is_full or size + len(content) > self.limits.batch_bytes):
                yield batch
                batch, size = {}, 0
            batch[number] = loader
            size += len(content)
        if batch:
            yield batch

    def _settle(
        self,
        files: Sequence[tuple[str, bytes]],
        batch: dict[int, str],
        found: list[bytes | None],
    ) -> None:
        """Runs a batch until all of it is done: each run settles a file at least, or halves it."""
        pending = [batch]
        patience = self.limits.futile_runs
        while pending and patience:
            part = pending.pop()
            faulty = self._run(files, part, found)
            if faulty is None:
                patience -= 1
                pending += _halves(part)
                continue
            rest = {number: part[number] for number in part if number not in faulty}
            again = {
                number: _SECOND_LOADER for number in faulty if part.get(number, "tsx") == "jsx"
            }
            pending += [one for one in (again, rest) if one and faulty]

    def _run(
        self,
        files: Sequence[tuple[str, bytes]],
        part: dict[int, str],
        found: list[bytes | None],
    ) -> set[int] | None:
        """The files that esbuild complains of, none when all is done; None if it tells nothing."""
        with tempfile.TemporaryDirectory(prefix="leakmon-canonical-") as room:
            os.mkdir(os.path.join(room, "in"))
            names = {number: f"in/{number}.{loader}" for number, loader in part.items()}
            for number, name in names.items():
                with open(os.path.join(room, name), "xb") as file:
                    file.write(files[number][1])
            status, complaint = self._child(room, list(names.values()))
            if status:
                faulty = {int(number) for number in _FAULTY.findall(complaint)} & set(part)
                return faulty or None
            for number in part:
                found[number] = self._output(os.path.join(room, "out", f"{number}.js"))
        return set()

    def _output(self, path: str) -> bytes | None:
        try:
            with open(path, "rb") as file:
                text = file.read(self.limits.output_bytes + 1)
        except OSError:
            return None
        return text if len(text) <= self.limits.output_bytes else None

    def _child(self, room: str, names: list[str]) -> tuple[int, str]:
        """The status of one run (-1: it took too long), and what it said."""
        complaint = os.path.join(room, "err.txt")
        with open(complaint, "wb") as err:
            child = subprocess.Popen(  # noqa: S603 - a fixed program; every name is our own
                self._arguments(names),
                cwd=room,
                env={"HOME": room, "TMPDIR": room, "PATH": os.defpath, "GOMAXPROCS": "2"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=err,
                start_new_session=True,
            )
            try:
                status = child.wait(self.limits.batch_seconds)
            except subprocess.TimeoutExpired:
                status = -1
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        with open(complaint, "rb") as file:
            return status, file.read(MIB).decode("utf-8", "replace")

    def _arguments(self, names: list[str]) -> list[str]:
        program = os.path.abspath(shutil.which(self.program) or self.program)
        return [
            *("sh", "-c", 'ulimit -f "$1" -c 0; ulimit -v "$2" 2>/dev/null; shift 2; exec "$@"'),
            *("sh", str(self.limits.output_bytes // _BLOCK), str(self.limits.memory_mib * 1024)),
            *(program, *names, "--outdir=out", *self.target, *_OPTIONS),
        ]
