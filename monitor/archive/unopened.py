"""Archives that are known by their magic bytes and not opened: told, not passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.archive.budget import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Entry, Trail


def read(path: str, data: Buffer, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """Nothing: ArchiveError says that this kind of archive is not opened."""
    del path, data, budget, trail
    raise ArchiveError("an archive of this kind is not opened", reason="unsupported-archive")
