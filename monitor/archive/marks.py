"""How the rarer formats are told, without importing their readers.

Each function costs below a microsecond on a file that is something else; ``formats`` calls it only
for files that begin with the right byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.archive.entries import Buffer

_HEAD = 512
_FIRST_KEY = 64
_TAIL = 1 << 16
_ELF_TAIL = 1 << 14
_PYINSTALLER_COOKIE = b"MEI\014\013\012\013\016"
_CPIO_DIGITS = 70
_PYC_HEADERS = (8, 12, 16)
_PYC_SECOND = b"\x0b\x0c\x0d\x0e\x0f\xf2\xf3"

PYC_FIRST = bytes(
    magic & 255
    for magic in (
        62211,
        3230,
        3310,
        3350,
        3351,
        3379,
        3394,
        3413,
        3425,
        3439,
        3495,
        3531,
        3571,
        3627,
    )
)
"""The first bytes of the magic numbers of Python's releases, 2.7 and 3.3 to 3.14."""


UNOPENED: tuple[tuple[str, bytes], ...] = (
    ("7z", b"7z\xbc\xaf\x27\x1c"),
    ("rar", b"Rar!\x1a\x07"),
    ("cab", b"MSCF\0\0\0\0"),
    ("lz4", b"\x04\x22\x4d\x18"),
    ("lz4", b"\x02\x21\x4c\x18"),
    ("lzip", b"LZIP\1"),
    ("lzop", b"\x89LZO\0\r\n\x1a\n"),
    ("snappy", b"\xff\x06\0\0sNaPpY"),
    ("xar", b"xar!\0\x1c"),
    ("squashfs", b"hsqs"),
    ("wim", b"MSWIM\0\0\0"),
    ("pack200", b"\xca\xfe\xd0\x0d"),
)
"""Kinds of archives that are known and not opened, with what they begin with."""


def is_pyc(data: Buffer) -> bool:
    """A Python magic number, and a code object behind one of the headers there have been."""
    if bytes(data[2:4]) != b"\r\n" or data[1] not in _PYC_SECOND:
        return False
    return any(bytes(data[at : at + 1]) in (b"c", b"\xe3") for at in _PYC_HEADERS)


def is_cpio(data: Buffer) -> bool:
    """The ASCII forms: a magic number in octal digits, then digits only."""
    head = bytes(data[:_CPIO_DIGITS])
    return head[:6] in (b"070701", b"070702", b"070707") and head.isalnum()


def is_compress(data: Buffer) -> bool:
    """What Unix ``compress`` writes: two bytes, then flags with a code size of 9 to 16 bits."""
    if bytes(data[:2]) != b"\x1f\x9d" or len(data) <= len(b"\x1f\x9d\x90"):
        return False
    return data[2] & 0x60 == 0 and 9 <= data[2] & 0x1F <= 16  # noqa: PLR2004 - bits of a code


def is_asar(data: Buffer) -> bool:
    """Four little-endian sizes, the first of them 4, then the index."""
    return bytes(data[:4]) == b"\4\0\0\0" and bytes(data[16:25]) == b'{"files":'


def is_notebook(data: Buffer) -> bool:
    """A JSON object that begins as notebooks do; the reader makes sure."""
    head = bytes(data[:_FIRST_KEY])
    if b'"cells"' in head or b'"nbformat"' in head:
        return True
    return b'"metadata"' in head and b'"nbformat"' in bytes(data[:_HEAD])  # version 3


def is_pyinstaller(data: Buffer) -> bool:
    """A program with PyInstaller's cookie near its end.

    Section headers follow it in ELF, a signature in other formats.
    """
    tail = _ELF_TAIL if data[0] == 0x7F else _TAIL  # noqa: PLR2004 - the first byte of ELF
    return bytes(data[-tail:]).rfind(_PYINSTALLER_COOKIE) >= 0
