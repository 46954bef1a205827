"""The bytes of one zip member, whatever its headers claim of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from isal import igzip_lib, isal_zlib

from monitor.archive.deflate import DEFLATE_ERRORS, Decoder, Ledger, decode, feed, inflater, salvage
from monitor.archive.entries import Entry, Stream
from monitor.archive.zip_directory import positions, unix_time

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from monitor.archive.zip_directory import Record

ENCRYPTED, SIZES_FOLLOW, MASKED = 1, 8, 1 << 13
STORED, DEFLATED, BZIP2, LZMA, ZSTD, XZ = 0, 8, 12, 14, 93, 95
METHODS = frozenset((*range(20), 93, 94, 95, 96, 97, 98, 99))
"""What APPNOTE 4.4.5 knows; a local header with another method is no header."""

_MAX_AT_ONCE = 4 << 20
_DESCRIPTOR = b"PK\7\x08"
_DESCRIPTOR_SIZES = (12, 16, 20, 24)
_CRC32 = isal_zlib.crc32


class _Codec(NamedTuple):
    make: Callable[[], Decoder]
    errors: tuple[type[Exception], ...]


class Unpacker:
    """Unpacks members of one zip, one after the other."""

    def __init__(self, view: memoryview, ledger: Ledger) -> None:
        self.view = view
        self.ledger = ledger
        self.trail = ledger.trail
        self._stamp = -1
        self._when = 0
        self._reason = ""  # why the last member that came in pieces ended early

    def entries(
        self, full: str, record: Record, start: int, *, is_local: bool = False
    ) -> Generator[Entry, None, int]:
        """The member whose bytes begin at ``start``; returns the place behind them.

        ``is_local``: the record is a local header, which may leave sizes and checksum open.
        """
        is_open = is_local and bool(record.flags & SIZES_FOLLOW) and not record.packed
        stop = start + record.packed
        if record.flags & (ENCRYPTED | MASKED):
            self.trail.skip(full, "encrypted")
            self.trail.hazard(full, "encrypted", "a member that only a password opens")
            yield from self._as_it_is(full, start, stop)
            return min(stop, len(self.view))
        if record.stamp != self._stamp:
            self._stamp, self._when = record.stamp, unix_time(record.stamp)
        if record.method == STORED:
            stop = self._stored_stop(start) if is_open else stop
            yield from self._stored(full, record, start, stop, is_open=is_open)
            return min(stop, len(self.view))
        if record.method == DEFLATED and record.size <= _MAX_AT_ONCE and not is_open:
            out = self._at_once(record, start, stop)
            if out is not None:
                if self.ledger.give(len(out)):
                    yield Entry(full, out, self._when)
                return stop
        return (yield from self._in_pieces(full, record, start, is_open=is_open))

    def _at_once(self, record: Record, start: int, stop: int) -> bytes | None:
        """The usual case: small, and all that was claimed of it is true. None if not."""
        decoder = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_DEFLATE)
        try:
            out = decoder.decompress(self.view[start:stop], record.size + 1)
        except DEFLATE_ERRORS:
            return None
        is_true = decoder.eof and len(out) == record.size and not decoder.unused_data
        return out if is_true and _CRC32(out) == record.crc else None

    def _stored(
        self, full: str, record: Record, start: int, stop: int, *, is_open: bool
    ) -> Iterator[Entry]:
        piece = self.view[start:stop]
        if stop > len(self.view):
            self.trail.skip(full, "truncated")
        elif not is_open and record.size != record.packed:
            self._note_lie(full, record.size, record.packed)
        elif not is_open and _CRC32(piece) != record.crc:
            self.trail.skip(full, "checksum-mismatch")
        if self.ledger.give(len(piece)):
            yield Entry(full, piece, self._when)

    def _stored_stop(self, start: int) -> int:
        """Where a stored member of open size ends: at a descriptor that fits, or a header."""
        view = self.view
        for place in positions(view, _DESCRIPTOR, start, len(view)):
            if int.from_bytes(view[place + 8 : place + 12], "little") == place - start:
                return place
        return next(positions(view, b"PK\3\4", start, len(view)), len(view))

    def _in_pieces(
        self, full: str, record: Record, start: int, *, is_open: bool
    ) -> Generator[Entry, None, int]:
        """A member that is large, or not what its headers say, or of a rare method."""
        codec = _codec(record.method)
        stop = start + record.packed
        if codec is None:
            self.trail.skip(full, "unsupported-compression")
            yield from self._as_it_is(full, start, stop)
            return min(stop, len(self.view))
        source = feed(self.view[start:])
        if record.method == LZMA and not _as_lone_lzma(source, record):
            self.trail.skip(full, "bad-header")
            return min(stop, len(self.view))
        before = self.ledger.consumed
        pieces = self._checked(full, record, start, source, codec, is_open=is_open)
        stream = Stream(pieces)
        yield Entry(full, b"", self._when, stream=stream)
        for _ in stream:  # the walk drains it; if it stopped early the checks still come
            pass
        used = self.ledger.consumed - before
        if self._reason == "bad-data":
            yield from self._as_it_is(full, start, stop)
        self.ledger.consumed = before  # the zip as a whole was counted when it was opened
        if record.method != DEFLATED:
            return min(stop, len(self.view))
        if not is_open and not self._reason and used != record.packed:
            self._note_lie(full, record.packed, used)
        return start + used

    def _checked(
        self,
        full: str,
        record: Record,
        start: int,
        source: Stream,
        codec: _Codec,
        *,
        is_open: bool,
    ) -> Iterator[bytes]:
        """The unpacked pieces; when they are through, size and checksum are compared."""
        check = size = 0
        pieces = decode(codec.make(), source, self.ledger, codec.errors)
        while True:
            try:
                piece = next(pieces)
            except StopIteration as end:
                reason = str(end.value)
                break
            size += len(piece)
            check = _CRC32(piece, check)
            yield piece
        if reason == "bad-data" and record.method == DEFLATED:
            saved = salvage(self.view[start:], size, self.ledger.budget)
            if saved:
                yield saved
        self._reason = reason
        if reason:
            self.trail.skip(full, reason)
        elif not is_open and size != record.size:
            self._note_lie(full, record.size, size)
        if not reason and not is_open and check != record.crc:
            self.trail.skip(full, "checksum-mismatch")

    def _as_it_is(self, full: str, start: int, stop: int) -> Iterator[Entry]:
        """The packed bytes: the header may say more than is true, and then they are plain."""
        piece = self.view[start:stop]
        if self.ledger.give(len(piece)):
            yield Entry(full, piece, self._when, is_raw=True)

    def _note_lie(self, full: str, claimed: int, found: int) -> None:
        self.trail.hazard(full, "lying-size", f"{claimed:,} bytes claimed, {found:,} found")


def _as_lone_lzma(source: Stream, record: Record) -> bool:
    """Turns the LZMA header of APPNOTE 5.8.8 into that of an .lzma file; False if it is none."""
    head = source.peek(9)
    if len(head) < 9 or head[2:4] != b"\5\0":  # noqa: PLR2004 - version, size, five properties
        return False
    left = 9
    while left:
        piece = memoryview(next(source))
        source.push(piece[left:])
        left -= min(left, len(piece))
    has_end_mark = bool(record.flags & 2)
    size = -1 if has_end_mark else record.size
    source.push(head[4:] + (size & (1 << 64) - 1).to_bytes(8, "little"))
    return True


def _codec(method: int) -> _Codec | None:
    """How to unpack a method; None for those that leakmon does not know."""
    if method == DEFLATED:
        return _Codec(inflater, DEFLATE_ERRORS)
    if method == BZIP2:
        import bz2

        return _Codec(bz2.BZ2Decompressor, (OSError, ValueError, EOFError))
    if method in (LZMA, XZ):
        import lzma

        return _Codec(_lzma_decoder, (lzma.LZMAError, ValueError, EOFError))
    if method == ZSTD:
        import zstandard

        from monitor.archive.streams import zstd_decoder

        return _Codec(zstd_decoder, (zstandard.ZstdError, ValueError, EOFError))
    return None


def _lzma_decoder() -> Decoder:
    import lzma

    from monitor.archive.streams import MAX_XZ_MEMORY

    return lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=MAX_XZ_MEMORY)
