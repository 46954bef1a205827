"""Tar archives of every dialect, read forward once: v7, ustar, pax, GNU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.archive.budget import NOT_THIS_FORMAT, ArchiveError
from monitor.archive.entries import Entry, Stream, nested
from monitor.archive.formats import has_tar_checksum
from monitor.archive.names import decode, escapes, member_path
from monitor.archive.tar_header import (
    BLOCK,
    UNPACK,
    Header,
    Pax,
    is_time_alone,
    length,
    mtime,
    parse_pax,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail

_MAX_JOINED = 4 << 20  # what is larger comes as a stream
_MAX_HEADER_BODY = 1 << 20
_MAX_NOTES = 1 << 20
_ZEROS = bytes(1 << 16)
_DEVICES = {b"3": "character device", b"4": "block device", b"6": "named pipe"}
_IN_PLACE = frozenset((b"0", b"\0"))
_NO_PAX = Pax()


def read(path: str, data: Buffer | Stream, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """The regular members in order; texts of pax headers and what follows the end come last."""
    return _Tar(path, data, budget, trail).entries()


class _Tar:
    """A place in the archive: ``view[pos:]`` is the next unread byte, then comes ``source``."""

    def __init__(self, path: str, data: Buffer | Stream, budget: Budget, trail: Trail) -> None:
        self.path = path
        self.budget = budget
        self.trail = trail
        self.source = data if isinstance(data, Stream) else Stream(iter((memoryview(data),)))
        self.view = memoryview(b"")
        self.pos = 0
        self.seen: set[str] = set()
        self.notes: list[bytes] = []
        self.pax = _NO_PAX  # overrides for the next member
        self.is_overridden = False
        self.is_done = False
        self.has_ended = False
        self.is_extended = False  # the sparse map goes on in further blocks

    def entries(self) -> Iterator[Entry]:  # noqa: C901 - one loop without a call is its point
        """The hot loop: plain files that lie whole in the current chunk never leave it."""
        view, pos, end = self.view, 0, 0
        path, trail, seen = self.path, self.trail, self.seen
        last_time, last_user, when, owner = b"", b"", 0, ""
        while not self.is_done:
            if end - pos < BLOCK:
                self.pos = pos
                if not self._fill(BLOCK):
                    break
                view, pos, end = self.view, self.pos, len(self.view)
            header = UNPACK(view, pos)
            name, size, time, kind, _, magic, user, _, prefix = header
            if (
                kind == b"x"
                and seen
                and not self.is_overridden
                and self._is_dull(header, view, pos)
            ):
                pos += 2 * BLOCK
                continue
            if time != last_time:
                last_time, when = time, mtime(time)
            if user != last_user:
                last_user, owner = user, decode(user.rstrip(b"\0"))
            if kind in _IN_PLACE and magic[:5] == b"ustar" and not self.is_overridden and name[0]:
                start = pos + BLOCK
                try:
                    stop = start + int(size.rstrip(b"\0 "), 8)
                except ValueError:
                    stop = -1
                if start <= stop <= end:
                    name = name.rstrip(b"\0")
                    if prefix[0] and magic == b"ustar\0":
                        name = prefix.rstrip(b"\0") + b"/" + name
                    full = member_path(path, name, trail)
                    if full in seen:
                        trail.hazard(full, "duplicate", "a second member of this name")
                    seen.add(full)
                    yield Entry(full, view[start:stop], when, owner)
                    pos = stop + (start - stop) % BLOCK
                    continue
            self.pos = pos
            yield from self._special(Header(*header), when, owner)
            view, pos, end = self.view, self.pos, len(self.view)
        yield from self._tail()

    def _is_dull(self, header: tuple[bytes, ...], view: memoryview, pos: int) -> bool:
        """Whether a pax header of one block says nothing that is kept of its member."""
        self.budget.check()
        size = header[1].rstrip(b"\0 ").lstrip(b"0")
        return header[5][:5] == b"ustar" and is_time_alone(
            view[pos + BLOCK : pos + 2 * BLOCK], size
        )

    def _fill(self, count: int) -> bool:
        """Makes ``view[pos:]`` at least ``count`` bytes; False when the archive ends before."""
        while self.pos > len(self.view):  # padding that reaches into the next chunk
            piece = next(self.source, None)
            if piece is None:
                self.view, self.pos = memoryview(b""), 0
                return False
            self.pos -= len(self.view)
            self.view = memoryview(piece)
        have = len(self.view) - self.pos
        pieces: list[bytes | memoryview] = [self.view[self.pos :]] if have else []
        while have < count:
            piece = next(self.source, None)
            if piece is None:
                break
            if pieces and have + len(piece) > count:  # no more is copied than has to be
                self.source.push(memoryview(piece)[count - have :])
                piece = piece[: count - have]
            pieces.append(piece)
            have += len(piece)
        joined = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.view, self.pos = memoryview(joined), 0
        return have >= count

    def _special(self, header: Header, when: int, owner: str) -> Iterator[Entry]:
        """A header that is no plain file lying whole in the chunk."""
        self.budget.check()
        block = bytes(self.view[self.pos : self.pos + BLOCK])
        if not header.name[0] and block == _ZEROS[:BLOCK]:
            self.pos += BLOCK
            self.has_ended = True
            self._skip_zeros()
            return
        if not has_tar_checksum(block):
            if (
                header.magic[:5] != b"ustar"
                and not self.seen
                and not self.is_overridden
                and not self.has_ended
            ):
                self.source.push(self.view[self.pos :])
                raise ArchiveError("no tar", reason=NOT_THIS_FORMAT)
            self._give_up()
            return
        self.is_extended = bool(block[482])
        try:
            size = length(header.size) if self.pax.size is None else self.pax.size
            self.pos += BLOCK
            if header.kind in b"xXgLK" and header.kind != b"":
                self._override(header, size)
                return
        except ArchiveError:
            self._give_up()
            return
        yield from self._member(header, size, when, owner)

    def _give_up(self) -> None:
        """A header that cannot be trusted: what follows is delivered as it is."""
        if not self.has_ended:
            self.trail.skip(self.path, "bad-header")
        self.is_done = True

    def _override(self, header: Header, size: int) -> None:
        """A header that says something of the next one, or (``g``) of all that follow."""
        if size > _MAX_HEADER_BODY:
            raise ArchiveError("an extended header beyond any need")
        body = bytes(self._take(size))
        if len(body) < size:
            self.trail.skip(self.path, "truncated")
            self.is_done = True
        if header.kind == b"L":
            self.pax = self.pax._replace(path=body.rstrip(b"\0"))
        elif header.kind == b"K":
            self.pax = self.pax._replace(link=body.rstrip(b"\0"))
        else:
            pax = parse_pax(body)
            if sum(map(len, self.notes)) < _MAX_NOTES:
                self.notes += pax.notes
            if header.kind == b"g":
                return
            kept = {key: value for key, value in pax._asdict().items() if value is not None}
            self.pax = self.pax._replace(**kept)
        self.is_overridden = True

    def _member(self, header: Header, size: int, when: int, owner: str) -> Iterator[Entry]:
        """Anything that has a name: links and devices are noted, all bytes are delivered."""
        pax, self.pax, self.is_overridden = self.pax, _NO_PAX, False
        raw = header.full_name() if pax.path is None else pax.path
        full = member_path(self.path, raw, self.trail)
        kind = header.kind
        if kind == b"5" or (raw.endswith(b"/") and kind in (b"0", b"\0")):
            self.seen.add(full)
            if not size:
                return
        elif full in self.seen:
            self.trail.hazard(full, "duplicate", "a second member of this name")
        self.seen.add(full)
        if kind in (b"1", b"2"):
            target = header.link.rstrip(b"\0") if pax.link is None else pax.link
            self._note_link(full, raw, target, is_hard=kind == b"1")
            if not size or self._is_header_next():
                return
        elif kind in _DEVICES:
            self.trail.skip(full, "device")
            self.trail.hazard(full, "device", _DEVICES[kind])
            if not size or self._is_header_next():
                return
        elif kind == b"S" or pax.is_sparse:
            self.trail.hazard(full, "sparse", "a file with holes: its stored parts were inspected")
            self._skip_sparse_map(is_extended=kind == b"S" and self.is_extended)
        yield from self._body(Entry(full, b"", when, pax.user or owner), size)

    def _note_link(self, full: str, raw: bytes, target: bytes, *, is_hard: bool) -> None:
        leads_out = escapes(target, b"" if is_hard else raw)
        word = "hard link" if is_hard else "symbolic link"
        self.trail.hazard(
            full, "link-escape" if leads_out else "link", f"{word} to {decode(target)}"
        )

    def _is_header_next(self) -> bool:
        """Whether a header stands where a link's body would: most packers write none."""
        if not self._fill(BLOCK):
            return False
        return has_tar_checksum(self.view[self.pos : self.pos + BLOCK])

    def _skip_sparse_map(self, *, is_extended: bool) -> None:
        """Moves over the extension blocks of an old GNU sparse header."""
        while is_extended and self._fill(BLOCK):
            is_extended = bool(self.view[self.pos + 504])
            self.pos += BLOCK

    def _body(self, entry: Entry, size: int) -> Iterator[Entry]:
        """One member's bytes, as many of them as there are."""
        if size <= max(_MAX_JOINED, len(self.view) - self.pos):
            entry.data = self._take(size)
            if len(entry.data) < size:
                self.trail.skip(entry.path, "truncated")
            yield entry
            return
        stream = entry.stream = Stream(self._pieces(entry.path, size), size)
        yield entry
        for _ in stream:  # what the walk left
            pass
        self.pos += -size % BLOCK

    def _take(self, size: int) -> memoryview:
        """The next ``size`` bytes, fewer at the end; the place moves behind their padding."""
        self._fill(size)
        taken = self.view[self.pos : self.pos + size]
        self.pos += size + -size % BLOCK
        return taken

    def _pieces(self, full: str, size: int) -> Iterator[memoryview]:
        while size:
            if self.pos >= len(self.view) and not self._fill(1):
                self.trail.skip(full, "truncated")
                return
            piece = self.view[self.pos : self.pos + size]
            self.pos += len(piece)
            size -= len(piece)
            yield piece

    def _skip_zeros(self) -> None:
        """Moves behind the end mark and its padding to whatever follows."""
        while self._fill(BLOCK):
            step = min(len(_ZEROS), (len(self.view) - self.pos) // BLOCK * BLOCK)
            if bytes(self.view[self.pos : self.pos + step]) == _ZEROS[:step]:
                self.pos += step
            elif bytes(self.view[self.pos : self.pos + BLOCK]) == _ZEROS[:BLOCK]:
                self.pos += BLOCK
            else:
                break
        if bytes(self.view[self.pos : self.pos + BLOCK]).strip(b"\0"):
            self.trail.hazard(self.path, "trailing", "bytes follow the end of the archive")

    def _tail(self) -> Iterator[Entry]:
        """What is no member: bytes behind the end or a broken header, and texts of pax headers."""
        if self.pos <= len(self.view):
            self.source.push(self.view[self.pos :])
        if self.source.peek(BLOCK).strip(b"\0"):
            if not (self.has_ended or self.is_done):
                self.trail.skip(self.path, "truncated")
            name = "(trailing)" if self.has_ended else "(rest)"
            yield Entry(nested(self.path, name), stream=self.source)
        if self.notes:
            yield Entry(nested(self.path, "(metadata)"), b"\n".join(self.notes), is_raw=True)
