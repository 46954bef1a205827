"""Reads an artifact's JavaScript a second time, in the form that the index has it in.

The first reading takes the text as it was published. What then has something of ours is brought
into one form with esbuild and read again, in a process of its own with limits on time and memory:
the text is as hostile as the artifact it came from.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

from monitor.private_code.canonical import Canonicaliser, Limits
from monitor.private_code.prints import Text
from monitor.private_code.taking import BATCH_BYTES, TakenFile, TakenText, taken_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.private_code.prints import FilePrints

MIB = 1 << 20
LIMITS = Limits(batch_seconds=10.0, futile_runs=8, file_bytes=8 * MIB)
_MEMORY_BYTES = 1024 * MIB
_CPU_SECONDS = 120
_SECONDS = 300.0
"""More than esbuild's own limits add up to: what is cut off here leaves no child behind."""

_ROOT = __file__.rsplit(os.sep, 3)[0]
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from monitor.private_code.rereading import main; main(sys.argv[2])"
)
_ASKED = msgspec.msgpack.Decoder(list[TakenText])
_TOLD = msgspec.msgpack.Decoder(list[TakenFile])
_ENCODER = msgspec.msgpack.Encoder()


class Rereader:
    """Reads with the esbuild at ``program``."""

    def __init__(self, program: str) -> None:
        self.program = program

    def read(self, texts: Sequence[TakenText]) -> dict[str, FilePrints] | None:
        """By path the prints of both forms; a text that esbuild cannot read has none.

        None where the whole reading went over its limits.
        """
        if not texts:
            return {}
        told = self._child(_ENCODER.encode(texts))
        if told is None:
            return None
        try:
            return {file.path: file.prints() for file in _TOLD.decode(told)}
        except (msgspec.MsgspecError, ValueError):
            return None

    def _child(self, asked: bytes) -> bytes | None:
        with subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-c", _BOOT, _ROOT, self.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"OPENBLAS_NUM_THREADS": "1", "PATH": os.defpath},
            start_new_session=True,
        ) as child:
            try:
                told, _ = child.communicate(asked, timeout=_SECONDS)
            except subprocess.TimeoutExpired:
                told = b""
            finally:
                if child.returncode is None:
                    os.killpg(child.pid, signal.SIGKILL)
        return told if child.returncode == 0 else None


def main(program: str) -> None:
    """In the process of its own: texts on standard input, their prints on standard output."""
    from monitor.private_code.fingerprint import fingerprints

    asked = _ASKED.decode(sys.stdin.buffer.read())
    canonical = Canonicaliser(program, LIMITS).texts([(one.path, one.content) for one in asked])
    _confine()
    found = [
        Text(one.path, one.content, text)
        for one, text in zip(asked, canonical, strict=True)
        if text is not None
    ]
    read = [
        taken_file(text, prints)
        for batch in _batches(found)
        for text, prints in zip(batch, fingerprints(batch), strict=True)
        if prints is not None
    ]
    sys.stdout.buffer.write(_ENCODER.encode(read))


def _batches(texts: Sequence[Text]) -> Iterator[list[Text]]:
    batch: list[Text] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text.content)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _confine() -> None:
    """From now on no file is written, and memory and time are bounded."""
    limits = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
    ]
    if sys.platform != "darwin":  # which refuses this one; the time limit then still holds
        limits.append((resource.RLIMIT_DATA, _MEMORY_BYTES))
    for kind, most in limits:
        _, ceiling = resource.getrlimit(kind)
        lowered = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
        resource.setrlimit(kind, (lowered, lowered))
