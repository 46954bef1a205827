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

from isal import isal_zlib

from monitor.archive import marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Entry, Stream, Trail

    Source = Buffer | Stream
    Reader = Callable[[str, Any, Budget, Trail], Iterator[Entry]]  # Any: Buffer, or Source

_TAR_BLOCK = 512
_BLANK = b" " * 8  # the checksum is taken with its own field blank
_ADLER = 65_521
_ZIP_END = 22
_LETTER_P, _LETTER_U = b"Pu"
_ZIP_TAIL = _ZIP_END + 65_535  # end record and the longest comment


class Format(NamedTuple):
    """One line of the table.

    ``first`` holds every byte that can begin such a container (empty: any byte can; ``sniff`` then
    needs a test of its own that costs every member next to nothing). ``matches`` looks at the bytes
    only when the first one fits; it gets at least the first 512 bytes, or all there are, and must
    cost below a microsecond on a file that is something else. ``reader`` is ``module:function``.
    ``is_stream`` readers also take a Stream. ``keeps_raw``: the container's own bytes hold text
    worth a scan (a picture, a database), so they are delivered as a member, before the entries.
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
    block = bytes(block)
    try:
        stated = int(block[148:156].strip(b" \0").partition(b"\0")[0], 8)
    except ValueError:
        return False
    blank = block[:148] + _BLANK + block[156:]
    # Half of an Adler checksum is the sum of the bytes: fifty times as fast as adding them here.
    if (stated + 1) % _ADLER == isal_zlib.adler32(blank) & 0xFFFF:
        return True
    high = sum(byte > 127 for byte in blank)  # noqa: PLR2004 - as signed
    return high > 0 and stated == sum(blank) - 256 * high


def is_bzip2(data: Buffer) -> bool:
    """``BZh``, the block size, and the first digits of pi, or of its root in an empty stream."""
    return data[:3] == b"BZh" and data[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")


def is_lzma(data: Buffer) -> bool:
    """The usual properties, a whole dictionary size, a size that is sane or open, a first zero."""
    return (
        data[:3] == b"\x5d\0\0"
        and data[13:14] == b"\0"
        and (data[5:13] == b"\xff" * 8 or data[10:13] == b"\0\0\0")
    )


def is_zlib(data: Buffer) -> bool:
    """The header of the usual levels; that of level 2 to 5 (``x^``) begins texts, so it is not."""
    return data[:2] in (b"x\x9c", b"x\xda", b"x\x01")


def is_appended_zip(data: Buffer) -> bool:
    """A zip behind a script, a program or a crx header: zipapp, pex, shiv, installers."""
    if data[:2] in (b"#!", b"MZ") or data[:4] in (b"\x7fELF", b"Cr24"):
        return b"PK\5\6" in bytes(data[-_ZIP_TAIL:])
    return False


def ends_as_zip(data: Buffer) -> bool:
    """A zip without a comment behind anything at all."""
    return data[-_ZIP_END:-18] == b"PK\5\6"


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
    Format("bzip2", b"B", is_bzip2, "monitor.archive.streams:read_bzip2", is_stream=True),
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
    Format("xz", b"\x5d", is_lzma, "monitor.archive.streams:read_xz", is_stream=True),
    Format("zlib", b"x", is_zlib, "monitor.archive.gzipped:read_zlib", is_stream=True),
    Format("ar", b"!", starts_with(b"!<arch>\n"), "monitor.archive.ar:read"),
    Format("asar", b"\4", marks.is_asar, "monitor.archive.asar:read"),
    Format("pyc", marks.PYC_FIRST, marks.is_pyc, "monitor.archive.pyc:read"),
    Format("notebook", b"{", marks.is_notebook, "monitor.archive.notebook:read"),
    Format("sqlite", b"S", starts_with(b"SQLite format 3\0"), "monitor.archive.sqlite:read"),
    Format("png", b"\x89", starts_with(b"\x89PNG\r\n\x1a\n"), "monitor.archive.png:read"),
    Format("pdf", b"%", starts_with(b"%PDF-"), "monitor.archive.pdf:read", keeps_raw=True),
    Format(
        "pyinstaller",
        b"\x7fM\xcf\xce\xca\xfe",
        marks.is_pyinstaller,
        "monitor.archive.pyinstaller:read",
    ),
    Format("rpm", b"\xed", starts_with(b"\xed\xab\xee\xdb"), "monitor.archive.rpm:read"),
    Format("cpio", b"0", marks.is_cpio, "monitor.archive.cpio:read"),
    *(
        Format(name, magic[:1], starts_with(magic), "monitor.archive.unopened:read")
        for name, magic in marks.UNOPENED
    ),
    Format("compress", b"\x1f", marks.is_compress, "monitor.archive.unopened:read"),
    Format("tar", b"", is_tar, "monitor.archive.tar:read", is_stream=True),
    Format("zip", b"#M\x7fC", is_appended_zip, "monitor.archive.zip:read"),
    Format("zip", b"", ends_as_zip, "monitor.archive.zip:read"),
)

BROTLI = Format(
    "brotli", b"", lambda _: True, "monitor.archive.streams:read_brotli", is_stream=True
)
"""Brotli has no magic bytes: it is tried for names that end in ``.br`` alone."""

_ANYWHERE = tuple(line for line in FORMATS if not line.first)
_BY_FIRST = tuple(tuple(line for line in FORMATS if byte in line.first) for byte in range(256))


def sniff(data: Buffer, path: str = "") -> Format | None:
    """The format of a container that begins (and ends) like ``data``; None for a leaf."""
    size = len(data)
    if not size:
        return None
    for line in _BY_FIRST[data[0]]:
        if line.matches(data):
            return line
    # every member pays for this test: "u" of "ustar", the end of a checksum, "P" of an end record
    if (size >= _ZIP_END and data[size - _ZIP_END] == _LETTER_P) or (
        size >= _TAR_BLOCK and (data[257] == _LETTER_U or not data[154] or not data[155])
    ):
        for line in _ANYWHERE:
            if line.matches(data):
                return line
    return BROTLI if path.endswith(".br") else None
