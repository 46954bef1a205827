"""Holds the bytecode of an artifact against the sources in it, in a second walk over its files.

A source behind its bytecode is compared as it is met. Only artifacts in which one comes before are
walked twice, as far as the last of them: sources are too many to keep.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

from monitor import archive
from monitor.archive.budget import Budget, Interrupted
from monitor.model import NESTED, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from monitor.archive.budget import Limits
    from monitor.detectors.packaging.compiled import Compiled
    from monitor.model import Inspection, MemberRecord


def compare(
    compiled: Compiled,
    inspection: Inspection,
    files: Sequence[tuple[str, str]],
    limits: Limits,
    clock: Callable[[], float],
) -> None:
    """Notes the bytecode that differs from its source; ``files`` are those of the inspection."""
    try:
        _compare(compiled, inspection.members, files, limits, clock)
    except Interrupted as late:
        inspection.skipped.append(Skipped(files[0][1], late.reason))
    inspection.stale_bytecode += compiled.differing


def _compare(
    compiled: Compiled,
    members: Iterable[MemberRecord],
    files: Sequence[tuple[str, str]],
    limits: Limits,
    clock: Callable[[], float],
) -> None:
    sources = [(at, each.path) for at, each in enumerate(members) if each.path in compiled.wanted]
    if all(compiled.is_compared(path, at) for at, path in sources):
        return
    compiled.differing.clear()
    for path, shown in files:
        count = sum(each == shown or each.startswith(shown + NESTED) for _, each in sources)
        if count:
            _walk(compiled, path, shown, Budget(limits, clock), count)


def _walk(compiled: Compiled, path: str, shown: str, budget: Budget, count: int) -> None:
    """Compares the ``count`` sources in one file."""
    try:
        with open(path, "rb") as opened:
            held = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        for member in archive.walk(shown, held, budget, archive.Trail()):
            if member.path not in compiled.wanted or not member.is_last:
                continue
            if not member.offset:
                compiled.compare(member)
            count -= 1
            if not count:
                return
    except (OSError, ValueError, MemoryError):
        return  # it was read once: what could not be read is told
