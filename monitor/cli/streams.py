"""The three standard streams, when the other end of one is closed, full, or was never there."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress

_NAMES = ("stdin", "stdout", "stderr")
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What an operating system says when a stream takes no more."""


def attach() -> None:
    """Give a process that was started without one of its streams an empty one.

    Otherwise the next file that is opened would take its number, and be written over.
    """
    missing = [name for name in _NAMES if getattr(sys, name) is None]
    if not missing:
        return
    while (number := os.open(os.devnull, os.O_RDWR)) < len(_NAMES):
        continue
    os.close(number)
    for name in missing:
        mode = "r" if name == "stdin" else "w"
        setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - lives as long as the process


def detach() -> None:
    """Send what standard output still holds, and all that follows, to nobody.

    The interpreter would complain about the same stream again when it ends.
    """
    with suppress(OSError, ValueError):
        number = sys.stdout.fileno()
        nobody = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nobody, number)
        os.close(nobody)
