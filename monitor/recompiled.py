"""Holds the bytecode of an artifact against the sources in it, in a second walk over its files.

Only artifacts with both are walked twice: bytecode comes before its source as often as behind it,
and sources are too many to keep.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

from monitor import archive
from monitor.archive.budget import Budget
from monitor.model import NESTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from monitor.archive.budget import Limits
    from monitor.detectors.packaging.compiled import Compiled
    from monitor.model import MemberRecord


def compare(
    compiled: Compiled,
    members: Iterable[MemberRecord],
    files: Sequence[tuple[str, str]],
    limits: Limits,
    clock: Callable[[], float],
) -> None:
    """Finds the bytecode that differs from its source; ``files`` are those of the inspection."""
    sources = {each.path for each in members if each.path in compiled.wanted}
    for path, shown in files:
        if any(each == shown or each.startswith(shown + NESTED) for each in sources):
            _walk(compiled, path, shown, Budget(limits, clock))


def _walk(compiled: Compiled, path: str, shown: str, budget: Budget) -> None:
    try:
        with open(path, "rb") as opened:
            held = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        for member in archive.walk(shown, held, budget, archive.Trail()):
            if member.path in compiled.wanted and not member.offset and member.is_last:
                compiled.compare(member)
    except (OSError, ValueError, MemoryError):
        return  # it was read once: what could not be read is told
