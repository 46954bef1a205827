"""Programs frozen by PyInstaller: a CArchive behind the boot loader, a PYZ of modules inside.

(PyInstaller, ``PyInstaller/archive/readers.py``.) The cookie near the end tells where the table of
contents is; entries are zlib streams; modules are marshalled code without a ``.pyc`` header, which
is put in front here so that the walk opens them as what they are.
"""

from __future__ import annotations

from struct import Struct as Layout
from typing import TYPE_CHECKING

from monitor.archive.budget import NOT_THIS_FORMAT, ArchiveError
from monitor.archive.deflate import Ledger
from monitor.archive.entries import Entry, nested
from monitor.archive.inflated import inflate
from monitor.archive.marshalled import MalformedError, Reader
from monitor.archive.names import member_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail

_COOKIE = b"MEI\014\013\012\013\016"
_COOKIE_LAYOUT = Layout(">8sIIII")
_COOKIE_SIZES = (88, 24)  # since 2.1 with the name of the Python library, and before
_TOC_LAYOUT = Layout(">IIIIBc")
_TAIL = 1 << 16
_MAX_ENTRIES = 200_000
_MODULES = b"smM"
_MAGICS = {
    27: 62211, 36: 3379, 37: 3394, 38: 3413, 39: 3425, 310: 3439, 311: 3495, 312: 3531,
    313: 3571, 314: 3627,
}  # fmt: skip


def read(path: str, data: Buffer, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """The boot loader, every entry of the archive, every module of its PYZ, what follows."""
    view = memoryview(data)
    tail = max(0, len(view) - _TAIL)
    cookie = bytes(view[tail:]).rfind(_COOKIE) + tail
    if cookie < tail or len(view) - cookie < _COOKIE_LAYOUT.size:
        raise ArchiveError("no cookie", reason=NOT_THIS_FORMAT)
    _, length, toc_at, toc_size, python = _COOKIE_LAYOUT.unpack_from(view, cookie)
    starts = [cookie + size - length for size in _COOKIE_SIZES]
    start = next((at for at in starts if at >= 0 and at + toc_at + toc_size == cookie), -1)
    if start < 0:
        raise ArchiveError("the archive does not fit its cookie", reason="bad-header")
    archive = _Archive(path, view[start:cookie], Ledger(path, budget, trail))
    yield Entry(nested(path, "(program)"), view[:start], is_raw=True)
    yield from archive.entries(toc_at, _MAGICS.get(python, 0))
    yield Entry(nested(path, "(tail)"), view[cookie:], is_raw=True)


class _Archive:
    """A CArchive: ``view`` begins with its first entry."""

    def __init__(self, path: str, view: memoryview, ledger: Ledger) -> None:
        self.path = path
        self.view = view
        self.ledger = ledger

    def entries(self, toc_at: int, magic: int) -> Iterator[Entry]:
        """The entries in the order of the table of contents."""
        at = toc_at
        for _ in range(_MAX_ENTRIES):
            if at + _TOC_LAYOUT.size > len(self.view) or self.ledger.is_bomb:
                return
            size, where, packed, _, is_packed, kind = _TOC_LAYOUT.unpack_from(self.view, at)
            name = bytes(self.view[at + _TOC_LAYOUT.size : at + size]).split(b"\0", 1)[0]
            at += max(size, _TOC_LAYOUT.size)
            full = member_path(self.path, name, self.ledger.trail)
            body: bytes | memoryview = self.view[where : where + packed]
            if len(body) < packed:
                self.ledger.trail.skip(full, "truncated")
            if is_packed:
                body = inflate(full, memoryview(body), self.ledger)
            if bytes(body[:4]) == b"PYZ\0":
                yield from self._modules(full, memoryview(body))
            elif kind in _MODULES and bytes(body[:1]) in (b"c", b"\xe3") and magic:
                yield Entry(full, _header(magic) + bytes(body))
            elif len(body):
                yield Entry(full, body)

    def _modules(self, path: str, view: memoryview) -> Iterator[Entry]:
        """The modules of a PYZ: a marshalled table of (name, (kind, offset, size))."""
        magic = int.from_bytes(view[4:6], "little")
        reader = Reader(view, int.from_bytes(view[8:12], "big"), (3, 8))
        try:
            table = reader.read()
        except MalformedError as error:
            self.ledger.trail.skip(path, str(error))
            yield Entry(path, view, is_raw=True)
            return
        for row in table if isinstance(table, tuple) else ():
            match row:
                case (bytes(name), (int(), int(where), int(size))) if where >= 0 and size >= 0:
                    full = member_path(path, name + b".pyc", self.ledger.trail)
                    content = inflate(full, view[where : where + size], self.ledger)
                    if self.ledger.is_bomb:
                        return
                    yield Entry(full, _header(magic) + content)
                case _:
                    self.ledger.trail.skip(path, "encrypted" if row is None else "bad-header")


def _header(magic: int) -> bytes:
    """The head of a ``.pyc`` of this version, without time and size."""
    size = 16 if magic >= 3390 and magic < 20_000 else 12 if magic < 20_000 else 8  # noqa: PLR2004 - 3.7; 2.x counts from 20121
    return magic.to_bytes(2, "little") + b"\r\n" + bytes(size - 4)
