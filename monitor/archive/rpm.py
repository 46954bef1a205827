"""RPM packages, format 3 and 4: a lead, two headers of tags, a compressed cpio archive."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from monitor.archive.budget import ArchiveError
from monitor.archive.entries import Entry, nested

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail

_LEAD_SIZE = 96
_MAGIC = b"\x8e\xad\xe8"
_HEADER = struct.Struct(">3sxxxxxII")
_ENTRY_SIZE = 16


def read(path: str, data: Buffer, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """The tags as one raw member, then the payload; ArchiveError if the headers make no sense."""
    budget.check()
    view = memoryview(data)
    signed = _end(view, _LEAD_SIZE)
    payload = _end(view, signed + -signed % 8)
    yield Entry(nested(path, "(header)"), view[:payload], is_raw=True)
    if payload >= len(view):
        trail.skip(path, "truncated")
        return
    yield Entry(nested(path, "payload"), view[payload:])


def _end(view: memoryview, start: int) -> int:
    """Where the header at ``start`` ends."""
    raw = view[start : start + _HEADER.size]
    if len(raw) < _HEADER.size:
        raise ArchiveError("the package ends in its headers", reason="truncated")
    magic, entries, size = _HEADER.unpack(raw)
    if magic != _MAGIC:
        raise ArchiveError("no header where one must be")
    end: int = start + _HEADER.size + entries * _ENTRY_SIZE + size
    return end
