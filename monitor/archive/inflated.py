"""Small zlib streams inside other files (PDF, PNG, PyInstaller), inflated within bounds."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from monitor.archive.deflate import PIECE_IN, PIECE_OUT

if TYPE_CHECKING:
    from monitor.archive.deflate import Ledger

MAX_BYTES = 64 << 20
_FIRST_PIECE = 1 << 12  # most streams are small, and what follows one is copied by zlib


def inflate(path: str, view: memoryview, ledger: Ledger) -> bytes:
    """The zlib stream (RFC 1950) that ``view`` begins with, as far as it can be inflated.

    What was wrong is noted for ``path``: ``bad-data``, ``truncated``, ``over-member-bytes``, or
    ``over-ratio`` when the container as a whole is a bomb.
    """
    decoder = zlib.decompressobj()
    whole = bytearray()
    pending: bytes | memoryview = b""
    at, step = 0, _FIRST_PIECE
    reason = ""
    while not decoder.eof and not reason:
        if not pending:
            pending = view[at : at + step]
            at += len(pending)
            step = min(2 * step, PIECE_IN)
        if not pending:
            reason = "truncated"
            break
        try:
            piece = decoder.decompress(pending, PIECE_OUT)
        except zlib.error:
            reason = "bad-data"
            break
        left = decoder.unconsumed_tail
        ledger.consumed += len(pending) - len(left) - len(decoder.unused_data)
        pending = left
        whole += piece
        reason = _too_much(piece, whole, ledger)
    if reason:
        ledger.trail.skip(path, reason)
    return bytes(whole)


def _too_much(piece: bytes, whole: bytearray, ledger: Ledger) -> str:
    if not ledger.give(len(piece)):
        return "over-ratio"
    return "over-member-bytes" if len(whole) > MAX_BYTES else ""
