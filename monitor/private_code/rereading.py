"""Reads an artifact's JavaScript a second time, in the form that the index has it in.

The first reading takes the text as it was published. What then has something of ours is brought
into one form with esbuild and read again, in a process of its own with limits on time and memory:
the text is as hostile as the artifact it came from.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import msgspec

from monitor.private_code.taking import TakenFile, TakenText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.private_code.prints import FilePrints

_SECONDS = 300.0
"""More than esbuild's own limits add up to: what is cut off here leaves no child behind."""

_ROOT = __file__.rsplit(os.sep, 3)[0]
_BOOT = (  # ends after one answer: it would collect in vain
    "import gc, sys; gc.disable(); sys.path.insert(0, sys.argv[1]); "
    "from monitor.private_code.again import main; main(sys.argv[2])"
)
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
        copies: dict[bytes, list[str]] = {}
        for text in texts:
            copies.setdefault(text.content, []).append(text.path)
        told = self._child(
            _ENCODER.encode([TakenText(paths[0], text) for text, paths in copies.items()])
        )
        if told is None:
            return None
        try:
            read = {file.path: file.prints() for file in _TOLD.decode(told)}
        except (msgspec.MsgspecError, ValueError):
            return None
        return {path: read[one[0]] for one in copies.values() if one[0] in read for path in one}

    def _child(self, asked: bytes) -> bytes | None:
        import subprocess

        with subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-c", _BOOT, _ROOT, self.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath},
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
