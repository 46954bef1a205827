"""PNG pictures (ISO/IEC 15948): their texts, other metadata, and what hides behind the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.archive.deflate import Ledger
from monitor.archive.entries import Entry, nested
from monitor.archive.inflated import inflate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail

_SIGNATURE_SIZE = 8
_CHUNK_OVERHEAD = 12
_PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"fdAT", b"fcTL", b"acTL")


def read(path: str, data: Buffer, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """Each chunk that is neither pixels nor structure, its text inflated; then the tail."""
    view = memoryview(data)
    ledger = Ledger(path, budget, trail)
    at = _SIGNATURE_SIZE
    number = 0
    kind = b""
    while at < len(view) and kind != b"IEND":
        size = int.from_bytes(view[at : at + 4], "big")
        kind = bytes(view[at + 4 : at + 8])
        body = view[at + 8 : at + 8 + size]
        if at + _CHUNK_OVERHEAD + size > len(view) or not kind.isalpha():
            trail.skip(path, "truncated")
            break
        at += _CHUNK_OVERHEAD + size
        if kind in _PIXELS or not size:
            continue
        number += 1
        budget.check()
        full = nested(path, f"({kind.decode('ascii')} {number})")
        yield Entry(full, _text(full, kind, body, ledger), is_raw=kind != b"eXIf")
    if at < len(view):
        yield Entry(nested(path, "(tail)"), view[at:])


def _text(path: str, kind: bytes, body: memoryview, ledger: Ledger) -> bytes | memoryview:
    """A chunk's payload with its keyword; zTXt, iCCP and iTXt may be compressed."""
    if kind not in (b"zTXt", b"iCCP", b"iTXt", b"tEXt"):
        return body
    keyword, _, rest = bytes(body).partition(b"\0")
    if kind == b"iTXt":
        flag = rest[:1]
        language, _, rest = rest[2:].partition(b"\0")
        translated, _, rest = rest.partition(b"\0")
        keyword = b"\n".join(word for word in (keyword, language, translated) if word)
        if flag != b"\1":
            return keyword + b"\n" + rest
    elif kind != b"tEXt":
        rest = rest[1:]
    else:
        return keyword + b"\n" + rest
    return keyword + b"\n" + inflate(path, memoryview(rest), ledger)
