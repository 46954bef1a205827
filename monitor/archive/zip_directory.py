"""Where a zip says its members are: end records and the central directory (APPNOTE 4.3.12-16)."""

from __future__ import annotations

import struct
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

END = Struct("<4s4H2LH")
END64 = Struct("<4sQ2H2L4Q")
CENTRAL = Struct("<4s6H3L5H2L")
LOCAL = Struct("<4s5H3L2H")

_LOCATOR64 = Struct("<4sLQL")
_TAIL = 1 << 20  # end record, comment and as much that was appended
_MAX_CANDIDATES = 32
_PIECE = 1 << 20
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_ZIP64_EXTRA = 1
_DULL_EXTRA = 64


class Record(NamedTuple):
    """One entry of the central directory; ``offset`` is that of the local header, as stated."""

    offset: int
    name: bytes
    flags: int
    method: int
    stamp: int
    crc: int
    packed: int
    size: int
    mode: int


class Directory(NamedTuple):
    """The directory that an unpacker would choose: its place, and how far all offsets are off.

    ``start`` to ``stop`` is the directory itself, ``end`` the byte behind the whole zip, ``shift``
    the length of what was put before it, ``stated`` the number of entries it claims.
    ``is_ambiguous``: another end record claims the comment in which this one stands.
    """

    start: int
    stop: int
    end: int
    shift: int
    stated: int
    comment: bytes
    is_ambiguous: bool = False


def find_directory(view: memoryview) -> Directory | None:
    """The last end record that points to a directory; None if there is none."""
    first = max(0, len(view) - _TAIL)
    tail = bytes(view[first:])
    position = len(tail)
    chosen: Directory | None = None
    for _ in range(_MAX_CANDIDATES):
        position = tail.rfind(b"PK\5\6", 0, position + 3)
        if position < 0:
            break
        found = _directory_at(view, first + position)
        if found is None:
            continue
        if chosen is None:
            chosen = found
        elif found.end >= chosen.end:
            return chosen._replace(is_ambiguous=True)
    return chosen


def _directory_at(view: memoryview, position: int) -> Directory | None:
    """What the end record at ``position`` points to, if that is a directory."""
    if position + END.size > len(view):
        return None
    _, _, _, _, count, size, offset, comment_size = END.unpack_from(view, position)
    end = position + END.size + comment_size
    comment = bytes(view[position + END.size : end])
    stop = position
    if count == _FULL16 or _FULL32 in (size, offset):
        found = _end64(view, position)
        if found is not None:
            stop, count, size, offset = found
    for start, shift in ((stop - size, stop - size - offset), (offset, 0)):
        if start < 0 or shift < 0 or start > position:
            continue
        if (not count and not size) or bytes(view[start : start + 4]) == b"PK\1\2":
            return Directory(start, position, min(end, len(view)), shift, count, comment)
    return None


def _end64(view: memoryview, position: int) -> tuple[int, int, int, int] | None:
    """Place, count, size and offset from the zip64 end record before the end record."""
    locator = position - _LOCATOR64.size
    if locator < 0 or bytes(view[locator : locator + 4]) != b"PK\6\7":
        return None
    stated = _LOCATOR64.unpack_from(view, locator)[2]
    for place in (locator - END64.size, stated):
        if 0 <= place <= locator - END64.size and bytes(view[place : place + 4]) == b"PK\6\6":
            fields = END64.unpack_from(view, place)
            return place, fields[7], fields[8], fields[9]
    return None


def records(view: memoryview, directory: Directory, notes: list[bytes]) -> Iterator[Record]:
    """The entries of a directory, up to the first that is none.

    Comments and extra fields beyond the usual are added to ``notes``.
    """
    position = directory.start
    unpack, step = CENTRAL.unpack_from, CENTRAL.size
    while position + step <= directory.stop:
        fields = unpack(view, position)
        if fields[0] != b"PK\1\2":
            return
        _, made_by, _, flags, method, time, date, crc, packed, size = fields[:10]
        name_size, extra_size, comment_size, _, _, attributes, offset = fields[10:]
        start = position + step
        position = start + name_size + extra_size + comment_size
        name = bytes(view[start : start + name_size])
        if extra_size:
            extra = bytes(view[start + name_size : start + name_size + extra_size])
            if _FULL32 in (packed, size, offset):
                packed, size, offset = _zip64(extra, packed, size, offset)
            if extra_size > _DULL_EXTRA:
                notes.append(extra)
        if comment_size:
            notes.append(bytes(view[position - comment_size : position]))
        mode = attributes >> 16 if made_by >> 8 == 3 else 0  # noqa: PLR2004 - made on Unix
        yield Record(offset, name, flags, method, date << 16 | time, crc, packed, size, mode)


def _zip64(extra: bytes, packed: int, size: int, offset: int) -> tuple[int, int, int]:
    """The fields that are all ones, from the zip64 extra field (APPNOTE 4.5.3)."""
    position = 0
    while position + 4 <= len(extra):
        kind = int.from_bytes(extra[position : position + 2], "little")
        length = int.from_bytes(extra[position + 2 : position + 4], "little")
        position += 4
        if kind == _ZIP64_EXTRA:
            values = iter(
                int.from_bytes(extra[place : place + 8], "little")
                for place in range(position, min(position + length, len(extra)) - 7, 8)
            )
            size = next(values, size) if size == _FULL32 else size
            packed = next(values, packed) if packed == _FULL32 else packed
            offset = next(values, offset) if offset == _FULL32 else offset
            break
        position += length
    return packed, size, offset


def local_at(view: memoryview, position: int) -> tuple[Record, int] | None:
    """The local header at ``position`` as a record, and where its bytes begin; None if none."""
    try:
        fields = LOCAL.unpack_from(view, position)
    except struct.error:
        return None
    signature, _, flags, method, time, date, crc, packed, size, name_size, extra_size = fields
    if signature != b"PK\3\4":
        return None
    start = position + LOCAL.size
    body = start + name_size + extra_size
    if body > len(view):
        return None
    name = bytes(view[start : start + name_size])
    if _FULL32 in (packed, size):
        extra = bytes(view[start + name_size : body])
        packed, size, _ = _zip64(extra, packed, size, 0)
    return Record(position, name, flags, method, date << 16 | time, crc, packed, size, 0), body


def positions(view: memoryview, needle: bytes, start: int, stop: int) -> Iterator[int]:
    """Every place of ``needle`` between two places, each byte copied once."""
    lap = len(needle) - 1
    for begin in range(start, stop, _PIECE):
        piece = bytes(view[begin : min(stop, begin + _PIECE + lap)])
        place = piece.find(needle)
        while place >= 0:
            yield begin + place
            place = piece.find(needle, place + 1)


def unix_time(stamp: int) -> int:
    """Seconds since 1970 of a DOS date and time, taken as UTC; 0 if it is none."""
    date, time = stamp >> 16, stamp & _FULL16
    year, month, day = 1980 + (date >> 9), date >> 5 & 15, date & 31
    if not 1 <= month <= 12 or not day:  # noqa: PLR2004 - months
        return 0
    shifted = year - (month <= 2)  # noqa: PLR2004 - the year begins in March: leap days come last
    era_days = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400
    days = era_days + (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - 719_468
    return days * 86_400 + (time >> 11) * 3_600 + (time >> 5 & 63) * 60 + (time & 31) * 2
