"""Cpio archives in ASCII (``newc``, ``crc`` and the older ``odc``): the payload of RPM packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.archive.budget import ArchiveError
from monitor.archive.entries import Entry, nested
from monitor.archive.names import escapes, member_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail

_TRAILER = b"TRAILER!!!"
_FILE, _FOLDER, _LINK, _TYPE = 0o100000, 0o040000, 0o120000, 0o170000
_NEWC_SIZE = 110
_ODC_SIZE = 76

# mode, time of change, length of the name, length of the body
_NEWC = ((14, 22), (46, 54), (94, 102), (54, 62))
_ODC = ((18, 24), (48, 59), (59, 65), (65, 76))


class _Head:
    """The numbers of one header: ``size`` of the header itself, ``body`` of the file."""

    __slots__ = ("body", "mode", "mtime", "name_size", "pad", "size")

    def __init__(self, raw: bytes) -> None:
        is_old = raw[:6] == b"070707"
        if not is_old and raw[:6] not in (b"070701", b"070702"):
            raise ArchiveError("no header where one must be")
        self.size, self.pad = (_ODC_SIZE, 1) if is_old else (_NEWC_SIZE, 4)
        places = _ODC if is_old else _NEWC
        radix = 8 if is_old else 16
        try:
            numbers = [int(raw[start:stop], radix) for start, stop in places]
        except ValueError:
            raise ArchiveError("no header where one must be") from None
        self.mode, self.mtime, self.name_size, self.body = numbers
        if min(self.mode, self.name_size, self.body) < 0:
            raise ArchiveError("a negative number in a header")


def read(path: str, data: Buffer, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """The regular members in order, then what follows the end."""
    view = memoryview(data)
    at = 0
    seen: set[bytes] = set()
    while at < len(view):
        budget.check()
        try:
            head = _Head(bytes(view[at : at + _NEWC_SIZE]))
        except ArchiveError as error:
            if not seen:
                raise
            trail.skip(path, error.reason)
            yield Entry(nested(path, "(unread)"), view[at:], is_raw=True)
            return
        start = at + head.size + head.name_size
        name = bytes(view[at + head.size : start]).rstrip(b"\0")
        start += -start % head.pad
        at = start + head.body
        at += -at % head.pad
        if name == _TRAILER:
            break
        yield from _member(path, name, head, view[start : start + head.body], trail)
        if name in seen:
            trail.hazard(path, "duplicate", "a name occurs twice")
        seen.add(name)
    else:
        trail.skip(path, "truncated")
    if bytes(view[at:]).strip(b"\0"):
        trail.hazard(path, "trailing", "bytes follow the end of the archive")
        yield Entry(nested(path, "(trailing)"), view[at:])


def _member(path: str, name: bytes, head: _Head, body: memoryview, trail: Trail) -> Iterator[Entry]:
    kind = head.mode & _TYPE
    if kind == _FOLDER:
        return
    full = member_path(path, name, trail)
    if len(body) < head.body:
        trail.skip(full, "truncated")
    if kind == _LINK:
        leads_out = escapes(bytes(body), name)
        trail.hazard(full, "link-escape" if leads_out else "link", "a symbolic link")
    elif kind in (_FILE, 0):
        yield Entry(full, body, mtime=head.mtime)
    else:
        trail.hazard(full, "device", "a device file or pipe")
