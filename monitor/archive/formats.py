"""The containers that leakmon opens: one table, first match wins.

To add one, write ``monitor/archive/<name>.py`` with

    def read(path: str, data: Buffer, budget: Budget, trail: Trail) -> Iterator[Entry]

and add its line here. The module is imported when its magic is first met. A reader yields entries
with full paths (``nested(path, name)``); what it cannot read it says by ``trail.skip`` and goes on,
or raises ArchiveError when the container gives nothing further. It never sees more than
``Limits.max_member_bytes`` unless the artifact itself is larger.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Entry, Stream, Trail

    Source = Buffer | Stream
    Reader = Callable[[str, Any, Budget, Trail], Iterator[Entry]]  # Any: Buffer, or Source

_TAR_BLOCK = 512
_ZIP_TAIL = 65_557  # end record and the longest comment


class Format(NamedTuple):
    """One line of the table.

    ``first`` holds every byte that can begin such a container (empty: any byte can; costs time on
    every member, so keep these few). ``matches`` looks at the bytes only when the first one fits;
    it gets at least the first 512 bytes, or all there are, and must cost below a microsecond on a
    file that is something else. ``reader`` is ``module:function``. ``is_stream`` readers also take
    a Stream. ``keeps_raw``: the container's own bytes hold text worth a scan (a picture, a
    database), so they are delivered as a member as well, before the entries.
    """

    name: str
    first: bytes
    matches: Callable[[Buffer], bool]
    reader: str
    is_stream: bool = False
    keeps_raw: bool = False

    def load(self) -> Reader:
        """The reader, imported now if it was not yet."""
        found = _LOADED.get(self.reader)
        if found is None:
            module, _, function = self.reader.partition(":")
            found = _LOADED[self.reader] = getattr(import_module(module), function)
        return found


_LOADED: dict[str, Reader] = {}


def starts_with(magic: bytes) -> Callable[[Buffer], bool]:
    """A matcher for a container that begins with ``magic``."""
    size = len(magic)
    return lambda data: data[:size] == magic


def is_tar(data: Buffer) -> bool:
    """A ustar, pax or GNU header, or the older kind whose only mark is its checksum."""
    if len(data) < _TAR_BLOCK:
        return False
    if data[257:262] == b"ustar":
        return True
    if data[154] and data[155]:
        return False
    return has_tar_checksum(data[:_TAR_BLOCK])


def has_tar_checksum(block: bytes | memoryview) -> bool:
    """Whether 512 bytes carry their own sum as a tar header does (signed sums are history)."""
    field = bytes(block[148:156]).strip(b" \0")
    if not field.isdigit() or not block[0]:
        return False
    try:
        return int(field, 8) == sum(block[:148]) + 256 + sum(block[156:_TAR_BLOCK])
    except ValueError:
        return False


def is_prefixed_zip(data: Buffer) -> bool:
    """A zip behind a script, a program or a crx header: zipapp, pex, shiv, installers."""
    if len(data) < 22:  # noqa: PLR2004 - the size of a zip's end record
        return False
    if data[-22:-18] == b"PK\5\6":
        return True
    if data[:2] in (b"#!", b"MZ") or data[:4] in (b"\x7fELF", b"Cr24"):
        return b"PK\5\6" in bytes(data[-_ZIP_TAIL:])
    return False


FORMATS: tuple[Format, ...] = (
    Format(
        "gzip",
        b"\x1f",
        starts_with(b"\x1f\x8b\x08"),
        "monitor.archive.gzipped:read_gzip",
        is_stream=True,
    ),
    Format("zip", b"P", starts_with(b"PK\3\4"), "monitor.archive.zip:read"),
    Format("zip", b"P", starts_with(b"PK\5\6"), "monitor.archive.zip:read"),
    Format("zip", b"P", starts_with(b"PK\7\x08PK\3\4"), "monitor.archive.zip:read"),
    Format(
        "bzip2", b"B", starts_with(b"BZh"), "monitor.archive.streams:read_bzip2", is_stream=True
    ),
    Format(
        "xz", b"\xfd", starts_with(b"\xfd7zXZ\0"), "monitor.archive.streams:read_xz", is_stream=True
    ),
    Format(
        "zstd",
        b"\x28",
        starts_with(b"\x28\xb5\x2f\xfd"),
        "monitor.archive.streams:read_zstd",
        is_stream=True,
    ),
    Format("tar", b"", is_tar, "monitor.archive.tar:read", is_stream=True),
    Format("zip", b"", is_prefixed_zip, "monitor.archive.zip:read"),
)

BROTLI = Format(
    "brotli", b"", lambda _: True, "monitor.archive.streams:read_brotli", is_stream=True
)
"""Brotli has no magic bytes: it is tried for names that end in ``.br`` alone."""

_ANY = tuple(line for line in FORMATS if not line.first)
_BY_FIRST = tuple(
    tuple(line for line in FORMATS if line.first and byte in line.first) + _ANY
    for byte in range(256)
)


def sniff(data: Buffer, path: str = "") -> Format | None:
    """The format of a container that begins (and ends) like ``data``; None for a leaf."""
    if not data:
        return None
    for line in _BY_FIRST[data[0]]:
        if line.matches(data):
            return line
    return BROTLI if path.endswith(".br") else None
