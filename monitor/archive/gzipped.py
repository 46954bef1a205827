"""Gzip (RFC 1952), one or more members, and bare zlib streams (RFC 1950)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isal import isal_zlib

from monitor.archive.budget import NOT_THIS_FORMAT, ArchiveError
from monitor.archive.deflate import DEFLATE_ERRORS, Ledger, decode, feed, inflater, salvage
from monitor.archive.entries import Entry, Stream, nested
from monitor.archive.names import stem
from monitor.archive.streams import drop, entries, skip_padding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail
    from monitor.archive.streams import Pieces

_MAGIC = b"\x1f\x8b\x08"
_FIXED = 10
_HAS_CRC, _HAS_EXTRA, _HAS_NAME, _HAS_COMMENT = 2, 4, 8, 16
_MAX_HEADER = 1 << 17  # an extra field of 64 KiB, a name and a comment
_MAX_METADATA = 1 << 20
_DULL_EXTRA = 32
_LATER_MEMBER = 1 << 14  # a file of a million tiny members must not copy 256 KiB for each
_SUFFIXES = {".tgz": ".tar", ".svgz": ".svg", ".gz": "", ".z": ""}


def read_gzip(path: str, data: Buffer | Stream, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """The one member; then what headers say beside its name, and what follows the end."""
    gzip = _Gzip(path, data, budget, trail)
    yield from entries(path, _SUFFIXES, gzip.source, gzip.pieces(), gzip.ledger)
    name = stem(path, _SUFFIXES)
    notes = [note for note in gzip.notes if note.decode("latin-1").rpartition("/")[2] != name]
    if notes:
        yield Entry(nested(path, "(metadata)"), b"\n".join(notes), is_raw=True)


class _Gzip:
    """The members of one gzip file as one stream of bytes."""

    def __init__(self, path: str, data: Buffer | Stream, budget: Budget, trail: Trail) -> None:
        self.source = feed(data)
        self.ledger = Ledger(path, budget, trail)
        self.notes: list[bytes] = []
        self._whole = None if isinstance(data, Stream) else memoryview(data)

    def pieces(self) -> Pieces:
        """The inflated bytes; every check that fails is noted on the way."""
        while True:
            self.ledger.budget.check()
            reason = self._skip_header()
            if not reason:
                reason = yield from _checked(self.source, self.ledger, self._whole, is_gzip=True)
            if reason and reason != "checksum-mismatch":
                return reason
            if reason:
                self.ledger.trail.skip(self.ledger.path, reason)
            skip_padding(self.source, self.ledger)
            if self.source.peek(3) != _MAGIC:
                return ""
            self.source.split(_LATER_MEMBER)

    def _skip_header(self) -> str:
        """Moves the source behind the header and keeps its texts; a reason if there is none."""
        header = self.source.peek(_FIXED)
        if len(header) == _FIXED and not header[3]:  # the usual one: no optional fields
            drop(self.source, _FIXED, self.ledger)
            return ""
        header = self.source.peek(_MAX_HEADER)
        reason = "truncated" if len(header) < _MAX_HEADER else "bad-header"
        try:
            size, notes = _optional_fields(header)
        except (IndexError, ValueError):
            return reason
        if size > len(header):
            return reason
        if sum(map(len, self.notes)) < _MAX_METADATA:
            self.notes += notes
        drop(self.source, size, self.ledger)
        return ""


def _optional_fields(header: bytes) -> tuple[int, list[bytes]]:
    """The size of a gzip header and its texts. IndexError or ValueError when it is cut off."""
    flags = header[3]
    position = _FIXED
    notes: list[bytes] = []
    if flags & _HAS_EXTRA:
        size = header[position] | header[position + 1] << 8
        position += 2 + size
        if size > _DULL_EXTRA:
            notes.append(header[position - size : position])
    for flag in (_HAS_NAME, _HAS_COMMENT):
        if flags & flag:
            end = header.index(b"\0", position)
            if end > position:
                notes.append(header[position:end])
            position = end + 1
    return position + (2 if flags & _HAS_CRC else 0), notes


def read_zlib(path: str, data: Buffer | Stream, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """A bare zlib stream; two bytes are weak magic, so what does not inflate is a plain file."""
    source = feed(data)
    head = source.peek(2)
    if len(head) < 2 or int.from_bytes(head, "big") % 31 or head[1] & 32:  # noqa: PLR2004 - RFC 1950, 2.2
        raise ArchiveError("no zlib stream", reason=NOT_THIS_FORMAT)
    ledger = Ledger(path, budget, trail)
    drop(source, 2, ledger)
    whole = None if isinstance(data, Stream) else memoryview(data)
    pieces = _checked(source, ledger, whole, is_gzip=False)
    try:
        yield from entries(path, {".zz": "", ".zlib": ""}, source, pieces, ledger)
    except ArchiveError as error:
        raise ArchiveError("no zlib stream", reason=NOT_THIS_FORMAT) from error


def _checked(source: Stream, ledger: Ledger, whole: memoryview | None, *, is_gzip: bool) -> Pieces:
    """One deflate stream and the checksum behind it."""
    start = ledger.consumed
    before = ledger.produced
    update = isal_zlib.crc32 if is_gzip else isal_zlib.adler32
    check = 0 if is_gzip else 1
    pieces = decode(inflater(), source, ledger, DEFLATE_ERRORS)
    while True:
        try:
            piece = next(pieces)
        except StopIteration as end:
            reason = str(end.value)
            break
        check = update(piece, check)
        yield piece
    if reason == "bad-data" and whole is not None:
        rest = salvage(whole[start:], ledger.produced - before, ledger.budget)
        if rest:
            yield rest
    if reason:
        return reason
    size = ledger.produced - before
    if is_gzip:
        expected = check.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
    else:
        expected = check.to_bytes(4, "big")
    trailer = source.peek(len(expected))
    if len(trailer) < len(expected):
        return "truncated"
    drop(source, len(expected), ledger)
    return "" if trailer == expected else "checksum-mismatch"
