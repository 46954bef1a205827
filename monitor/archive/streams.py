"""Compressed single streams: bzip2, xz, lzma, zstd and brotli; ``gzipped`` has gzip and zlib."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from monitor.archive.budget import NOT_THIS_FORMAT, ArchiveError
from monitor.archive.deflate import Decoder, Ledger, decode, feed
from monitor.archive.entries import Entry, Stream, nested
from monitor.archive.names import stem

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail

    Pieces = Generator[bytes, None, str]
    Codec = tuple[Callable[[], Decoder], bytes, tuple[type[Exception], ...]]

MAX_XZ_MEMORY = 160 << 20  # xz -9 needs 65 MiB
_MAX_ZSTD_WINDOW = 1 << 27  # what the zstd tool itself accepts without --long
_ZSTD_PIECE = 2_048  # an RLE block makes 128 KiB of 4 bytes: at most 64 MiB a call


def entries(
    path: str, suffixes: dict[str, str], source: Stream, pieces: Pieces, ledger: Ledger
) -> Iterator[Entry]:
    """The one member of a compressed stream, then what follows its end.

    ArchiveError if it is broken before its first byte.
    """
    first = b""
    try:
        first = next(pieces)
    except StopIteration as end:
        if end.value:
            raise ArchiveError("nothing could be decompressed", reason=end.value) from None
    content = Stream(_noting(pieces, ledger))
    content.push(first)
    yield Entry(nested(path, stem(path, suffixes)), stream=content)
    for _ in content:  # whoever took the entry may have stopped early; the checksum comes last
        pass
    if not ledger.is_bomb and source.peek(1):
        ledger.trail.hazard(path, "trailing", "bytes follow the end of the compressed stream")
        yield Entry(nested(path, "(trailing)"), stream=source)


def _noting(pieces: Pieces, ledger: Ledger) -> Iterator[bytes]:
    """The pieces; the reason why they ended early is noted."""
    reason = yield from pieces
    if reason:
        ledger.trail.skip(ledger.path, reason)


def drop(source: Stream, size: int, ledger: Ledger) -> None:
    """Moves ``source`` on by ``size`` bytes, which are there."""
    ledger.consumed += size
    while size:
        piece = memoryview(next(source))
        source.push(piece[size:])
        size -= min(size, len(piece))


def skip_padding(source: Stream, ledger: Ledger) -> None:
    """Drops zero bytes: tapes and xz pad with them."""
    for piece in source:
        if piece[0]:
            source.push(piece)
            return
        rest = bytes(piece).lstrip(b"\0")
        ledger.consumed += len(piece) - len(rest)
        if rest:
            source.push(rest)
            return


def _pieces(
    make: Callable[[], Decoder],
    magic: bytes,
    errors: tuple[type[Exception], ...],
    source: Stream,
    ledger: Ledger,
) -> Pieces:
    """The bytes of concatenated streams of one kind."""
    while True:
        ledger.budget.check()
        reason = yield from decode(make(), source, ledger, errors)
        if reason:
            return reason
        skip_padding(source, ledger)
        if not magic or source.peek(len(magic)) != magic:
            return ""


def _read(
    path: str,
    data: Buffer | Stream,
    ledger: Ledger,
    codec: Codec,
    suffixes: dict[str, str],
) -> Iterator[Entry]:
    source = feed(data)
    make, magic, errors = codec
    return entries(path, suffixes, source, _pieces(make, magic, errors, source, ledger), ledger)


def read_bzip2(path: str, data: Buffer | Stream, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """Bzip2, one or more streams."""
    import bz2

    codec = (bz2.BZ2Decompressor, b"BZh", (OSError, ValueError, EOFError))
    suffixes = {".tbz2": ".tar", ".tbz": ".tar", ".bz2": ""}
    return _read(path, data, Ledger(path, budget, trail), codec, suffixes)


def read_xz(path: str, data: Buffer | Stream, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """Xz and the older lzma, one or more streams."""
    import lzma

    def make() -> Decoder:
        return lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=MAX_XZ_MEMORY)

    codec = (make, b"\xfd7zXZ\0", (lzma.LZMAError, EOFError, ValueError))
    suffixes = {".txz": ".tar", ".tlz": ".tar", ".xz": "", ".lzma": ""}
    return _read(path, data, Ledger(path, budget, trail), codec, suffixes)


def read_zstd(path: str, data: Buffer | Stream, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """Zstandard, one or more frames (RFC 8878)."""
    import zstandard

    codec = (zstd_decoder, b"\x28\xb5\x2f\xfd", (zstandard.ZstdError, ValueError, EOFError))
    return _read(
        path, data, Ledger(path, budget, trail), codec, {".tzst": ".tar", ".zst": "", ".zstd": ""}
    )


def read_brotli(path: str, data: Buffer | Stream, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """Brotli (RFC 7932), which has no magic: what does not decode was something else."""
    codec = (_Brotli, b"", (import_module("brotli").error, ValueError))
    try:
        yield from _read(path, data, Ledger(path, budget, trail), codec, {".br": ""})
    except ArchiveError as error:
        raise ArchiveError("no brotli", reason=NOT_THIS_FORMAT) from error


def zstd_decoder() -> Decoder:
    """A zstd decoder of one frame whose calls give a bounded output."""
    return _Zstd()


class _Zstd:
    """Feeds zstandard, which cannot bound its output, so little that the output is bounded."""

    def __init__(self) -> None:
        import zstandard

        decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_ZSTD_WINDOW)
        self._decoder = decompressor.decompressobj()
        self._pending = memoryview(b"")

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def needs_input(self) -> bool:
        return not len(self._pending)

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data + bytes(self._pending)

    def decompress(self, data: bytes | memoryview, max_length: int = -1, /) -> bytes:
        """Up to ``max_length`` bytes and what one small piece of input still adds to them."""
        if len(data):
            self._pending = memoryview(data)
        pieces: list[bytes] = []
        have = 0
        while len(self._pending) and not self._decoder.eof and have < max_length:
            piece = self._pending[:_ZSTD_PIECE]
            self._pending = self._pending[_ZSTD_PIECE:]
            out = self._decoder.decompress(piece)
            pieces.append(out)
            have += len(out)
        return b"".join(pieces)


class _Brotli:
    """Brotli behind the interface of the other decoders."""

    def __init__(self) -> None:
        self._decoder = import_module("brotli").Decompressor()
        self.unused_data = b""

    @property
    def eof(self) -> bool:
        return bool(self._decoder.is_finished())

    @property
    def needs_input(self) -> bool:
        return bool(self._decoder.can_accept_more_data())

    def decompress(self, data: bytes | memoryview, max_length: int = -1, /) -> bytes:
        """Up to about ``max_length`` bytes."""
        out: bytes = self._decoder.process(bytes(data), output_buffer_limit=max_length)
        return out
