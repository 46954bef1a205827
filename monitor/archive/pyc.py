"""Python bytecode files: the constants, names and assignments in them, as text.

``.pyc`` begins with a magic number of two bytes that tells the version, ``0D0A``, and flags, time
and size (PEP 552): 8 bytes in all up to 3.2, 12 up to 3.6, 16 since 3.7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.archive.budget import ArchiveError, Budget
from monitor.archive.bytecode import Assignments
from monitor.archive.entries import Buffer, Entry, Trail, nested
from monitor.archive.marshalled import Code, MalformedError, Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

CONSTANTS = "(constants)"
UNREAD = "(unread)"

# The first magic number of each version that differs in header, marshal format or bytecode
# (CPython, Include/internal/pycore_magic_number.h); 2.x counts from 20121, 50428, 62001.
_VERSIONS = (
    (3650, (3, 15)),
    (3600, (3, 14)),
    (3550, (3, 13)),
    (3500, (3, 12)),
    (3450, (3, 11)),
    (3430, (3, 10)),
    (3420, (3, 9)),
    (3400, (3, 8)),
    (3390, (3, 7)),
    (3360, (3, 6)),
    (3200, (3, 3)),
    (3000, (3, 0)),
)
_NEWEST_MAGIC = 3_999
_PYTHON_2_MAGICS = range(62_001, 62_300)
_CODE = b"c\xe3"


def version(head: bytes) -> tuple[int, int] | None:
    """The Python that wrote a file with these first four bytes; None if it was none."""
    if head[2:4] != b"\r\n":
        return None
    magic = int.from_bytes(head[:2], "little")
    if magic in _PYTHON_2_MAGICS:
        return 2, 7
    if magic > _NEWEST_MAGIC:
        return None
    return next((found for first, found in _VERSIONS if magic >= first), None)


def header_size(found: tuple[int, int]) -> int:
    """The bytes before the code object."""
    if found >= (3, 7):
        return 16
    return 12 if found >= (3, 3) else 8


def read(path: str, data: Buffer, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """One text member with an item a line: assignments, then what stands in none.

    What lies behind bytes that are malformed comes as a second member, as it is.
    """
    found = version(bytes(data[:4]))
    if found is None or len(data) <= header_size(found) or data[header_size(found)] not in _CODE:
        raise ArchiveError("no Python bytecode", reason="not-this-format")
    view = memoryview(data)
    reader = Reader(view, header_size(found), found)
    try:
        reader.read()
    except MalformedError as error:
        trail.skip(path, str(error))
    text = _text(reader, found)
    budget.count_bytes(len(text))
    if text:
        yield Entry(nested(path, CONSTANTS), text, is_raw=True, compiled=view)
    if reader.at < len(view):
        yield Entry(nested(path, UNREAD), view[reader.at :], is_raw=True)


def _text(reader: Reader, found: tuple[int, int]) -> bytes:
    shown: set[bytes] = set()
    assignments = Assignments(shown)
    for code in reader.codes:
        if isinstance(code, Code):
            assignments.walk(code, found)
    lines = dict.fromkeys(assignments.lines)
    rest = dict.fromkeys(reader.strings)
    return b"\n".join([*lines, *(text for text in rest if text not in shown)])
