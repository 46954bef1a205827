"""Decompression in pieces: bounded, tallied, and never raising on a stranger's bytes."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Protocol, cast

from isal import igzip_lib

from monitor.archive.entries import Stream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail

PIECE_IN = 1 << 18
PIECE_OUT = 1 << 20
"""256 KiB in and 1 MiB out is where ISA-L is fastest: the output stays in the cache."""

_IDLE_CALLS = 4
_SALVAGE_STEP = 256

DEFLATE_ERRORS: tuple[type[Exception], ...] = (
    cast("type[Exception]", igzip_lib.error),  # the stub declares an instance
    EOFError,
    ValueError,
)


class Decoder(Protocol):
    """What bz2, lzma and isal decompressor objects have in common."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether the next call wants bytes; if not, it has some to give."""

    @property
    def unused_data(self) -> bytes:
        """The bytes behind the end."""

    def decompress(self, data: Any, max_length: int = -1, /) -> bytes:
        """At most ``max_length`` bytes."""


def inflater() -> Decoder:
    """A decoder of raw deflate data (RFC 1951)."""
    decoder: Decoder = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_DEFLATE)
    return decoder


class Ledger:
    """What one container took in and gave out, in bytes; it tells a bomb."""

    __slots__ = ("budget", "consumed", "is_bomb", "path", "produced", "trail")

    def __init__(self, path: str, budget: Budget, trail: Trail) -> None:
        self.path = path
        self.budget = budget
        self.trail = trail
        self.consumed = 0
        self.produced = 0
        self.is_bomb = False

    def give(self, size: int) -> bool:
        """Counts ``size`` bytes given out; False when the container is a bomb and has to stop."""
        self.produced += size
        self.budget.count_bytes(size)
        if not self.budget.is_bomb(self.produced, self.consumed):
            return True
        self.is_bomb = True
        self.trail.skip(self.path, "over-ratio")
        detail = f"{self.produced:,} bytes out of {self.consumed:,} when it was stopped"
        self.trail.hazard(self.path, "bomb", detail)
        return False


def feed(source: Buffer | Stream) -> Stream:
    """``source`` as a stream of pieces that a decompressor likes."""
    return source if isinstance(source, Stream) else Stream(_slices(memoryview(source)))


def _slices(view: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(view), PIECE_IN):
        yield view[start : start + PIECE_IN]


def decode(
    decoder: Decoder, source: Stream, ledger: Ledger, errors: tuple[type[Exception], ...]
) -> Generator[bytes, None, str]:
    """One compressed stream in pieces; what follows it is left in ``source``.

    Returns the reason code of what went wrong, empty if nothing did.
    """
    idle = 0
    while not decoder.eof:
        piece: bytes | memoryview = b""
        if decoder.needs_input:
            source.split(PIECE_IN)  # decoders copy what they do not get to at once
            found = next(source, None)
            if found is None:
                return "truncated"
            piece = found
            ledger.consumed += len(piece)
        try:
            out = decoder.decompress(piece, PIECE_OUT)
        except errors:
            return "bad-data"
        except MemoryError:
            return "memory"
        idle = 0 if out or len(piece) else idle + 1
        if idle > _IDLE_CALLS:
            return "bad-data"
        if out:
            if not ledger.give(len(out)):
                return "over-ratio"
            yield out
    unused = decoder.unused_data
    ledger.consumed -= len(unused)
    source.push(unused)
    return ""


def salvage(view: memoryview, produced: int, budget: Budget) -> bytes:
    """What zlib still gets out of damaged raw deflate data after its first ``produced`` bytes.

    ISA-L drops the whole output of the call that met the error, up to 1 MiB of good bytes. At most
    that much comes back.
    """
    decoder = zlib.decompressobj(-15)
    pending: bytes | memoryview = b""
    position = 0
    done = 0
    saved = bytearray()
    try:
        while not decoder.eof and len(saved) <= PIECE_OUT:
            if not pending:
                pending = view[position : position + PIECE_IN]
                position += len(pending)
                if not len(pending):
                    break
            left = produced - done
            out = decoder.decompress(pending, min(left, PIECE_OUT) if left > 0 else _SALVAGE_STEP)
            pending = decoder.unconsumed_tail
            budget.count_bytes(len(out))
            done += len(out)
            if left <= 0:
                saved += out
    except zlib.error:
        pass
    return bytes(saved)
