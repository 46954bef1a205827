"""Zip archives and all that is zip, read by their directory and checked against their bytes.

What the directory does not list is looked for as well: local headers without an entry, what stands
before, between and behind the members. APPNOTE.TXT 6.3.10 is the specification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.archive.budget import ArchiveError
from monitor.archive.deflate import Ledger
from monitor.archive.entries import Entry, nested
from monitor.archive.names import decode, escapes, member_path
from monitor.archive.zip_directory import (
    Directory,
    Record,
    find_directory,
    local_at,
    positions,
    records,
)
from monitor.archive.zip_member import METHODS, SIZES_FOLLOW, STORED, Unpacker

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail

_MAX_NOTES = 1 << 20
_MAX_TARGET = 4_096
_LOOK = 1 << 20
_DESCRIPTOR = 24
_FORMAT_BITS, _LINK, _REGULAR, _FOLDER = 0o170000, 0o120000, 0o100000, 0o040000


def read(path: str, data: Buffer, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """The members in the order in which they lie, then unlisted ones and loose bytes."""
    return _Zip(path, memoryview(data), budget, trail).entries()


class _Zip:
    def __init__(self, path: str, view: memoryview, budget: Budget, trail: Trail) -> None:
        self.path = path
        self.view = view
        self.budget = budget
        self.trail = trail
        self.ledger = Ledger(path, budget, trail)
        self.ledger.consumed = len(view)
        self.unpacker = Unpacker(view, self.ledger)
        self.seen: set[str] = set()
        self.notes: list[bytes] = []
        self.gaps: list[tuple[int, int]] = []

    def entries(self) -> Iterator[Entry]:
        """Listed members, then what is not listed, then what follows the end."""
        directory = find_directory(self.view)
        if directory is None:
            first = local_at(self.view, 0)
            if first is None or first[0].method not in METHODS:
                raise ArchiveError("no zip")
            self.trail.skip(self.path, "truncated")
            yield from self._unlisted(0, len(self.view), is_lost=True)
            return
        if directory.is_ambiguous:
            self.trail.hazard(self.path, "ambiguous", "two end records: unpackers will disagree")
        yield from self._listed(directory)
        for start, stop in self.gaps:
            if self.ledger.is_bomb:
                return
            yield from self._unlisted(start, stop, is_lost=False)
        if directory.end < len(self.view):
            self.trail.hazard(self.path, "trailing", "bytes follow the end of the archive")
            yield Entry(nested(self.path, "(trailing)"), self.view[directory.end :])
        notes = b"\n".join([directory.comment, *self.notes]).strip(b"\n")[:_MAX_NOTES]
        if notes:
            yield Entry(nested(self.path, "(metadata)"), notes, is_raw=True)

    def _listed(self, directory: Directory) -> Iterator[Entry]:
        """The members of the directory by their place; gaps between them are kept for later."""
        found = sorted(records(self.view, directory, self.notes))
        if len(found) & 0xFFFF != directory.stated & 0xFFFF:
            detail = f"{len(found):,} entries where {directory.stated:,} are stated"
            self.trail.hazard(self.path, "header-mismatch", detail)
        covered = 0
        last = -1
        for record in found:
            place = record.offset + directory.shift
            full = member_path(self.path, record.name, self.trail)
            if full in self.seen:
                self.trail.hazard(full, "duplicate", "a second member of this name")
            self.seen.add(full)
            if record.offset == last:
                self.trail.hazard(full, "overlap", "the same bytes as another member")
                self.trail.skip(full, "overlap")
                continue
            last = record.offset
            if place < covered:
                self.trail.hazard(full, "overlap", "lies inside the member before it")
            elif place > covered:
                self.gaps.append((covered, place))
            stop = yield from self._member(record, full, place)
            covered = max(covered, stop)
            if self.ledger.is_bomb:
                return
        if covered < directory.start:
            self.gaps.append((covered, directory.start))

    def _member(self, record: Record, full: str, place: int) -> Generator[Entry, None, int]:
        """One listed member; the place behind its bytes is returned."""
        local = local_at(self.view, place)
        if local is None:
            self.trail.skip(full, "bad-header")
            self.trail.hazard(full, "header-mismatch", "no local header where the directory says")
            return min(place, len(self.view))
        stated, start = local
        if stated.name != record.name:
            detail = f"the local header calls it {decode(stated.name)}"
            self.trail.hazard(full, "header-mismatch", detail)
        if stated.packed != record.packed and not stated.flags & SIZES_FOLLOW:
            self.trail.hazard(full, "header-mismatch", "the local header states another size")
        if record.mode and not self._is_plain(record, full, start):
            return start + record.packed
        if record.name.endswith(b"/") and not record.packed:
            return start
        stop = yield from self.unpacker.entries(full, record, start)
        return stop

    def _is_plain(self, record: Record, full: str, start: int) -> bool:
        """Notes links and devices by their Unix mode; a device has no bytes of its own."""
        kind = record.mode & _FORMAT_BITS
        if kind == _LINK:
            target = bytes(self.view[start : start + min(record.packed, _MAX_TARGET)])
            is_clear = record.method == STORED
            leads_out = is_clear and escapes(target, record.name)
            shown = decode(target) if is_clear else "a compressed target"
            kind_of_hazard = "link-escape" if leads_out else "link"
            self.trail.hazard(full, kind_of_hazard, f"symbolic link to {shown}")
        elif kind not in (0, _REGULAR, _FOLDER):
            self.trail.hazard(full, "device", f"a special file, mode {record.mode:o}")
            if not record.packed:
                self.trail.skip(full, "device")
                return False
        return kind != _FOLDER or record.packed > 0

    def _unlisted(self, start: int, stop: int, *, is_lost: bool) -> Iterator[Entry]:
        """Members that have a local header alone, and loose bytes around them.

        ``is_lost``: the whole directory is, so that being unlisted is no hazard.
        """
        place = start
        for position in positions(self.view, b"PK\3\4", start, stop):
            if position < place:
                continue
            self.budget.check()
            local = local_at(self.view, position)
            if local is None or local[0].method not in METHODS:
                continue
            yield from self._loose(place, position, is_raw=is_lost)
            record, body = local
            full = member_path(self.path, record.name, self.trail)
            if not is_lost:
                self.trail.hazard(full, "unlisted", "a member that the directory does not list")
            if not record.name.endswith(b"/") or record.packed:
                place = yield from self.unpacker.entries(full, record, body, is_local=True)
            else:
                place = body
            if self.ledger.is_bomb:
                return
        if not is_lost or not self._is_directory(place):
            yield from self._loose(place, stop, is_raw=is_lost)

    def _is_directory(self, place: int) -> bool:
        return bytes(self.view[place : place + 4]) == b"PK\1\2"

    def _loose(self, start: int, stop: int, *, is_raw: bool) -> Iterator[Entry]:
        """Bytes that belong to no member, if they are more than a data descriptor or padding.

        ``is_raw``: they are no container, since this reader looked through them already.
        """
        if stop - start <= _DESCRIPTOR or not bytes(self.view[start:stop][:_LOOK]).strip(b"\0"):
            return
        name = "(prefix)" if start == 0 else f"(gap at {start})"
        yield Entry(nested(self.path, name), self.view[start:stop], is_raw=is_raw)
