"""The 512-byte tar header and the records of pax headers (POSIX.1-2017, "pax", section ustar)."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from monitor.archive.budget import ArchiveError
from monitor.patterns import later

BLOCK = 512
UNPACK = Struct("100s24x12s12s8xc100s6s2x32s32s16x155s12x").unpack_from
"""name, size, mtime, type, link, magic, user, group, prefix."""

_TERMINATORS = b"\0 "
_SHORT_VALUE = 16
_MAX_SIZE = 1 << 63


_TIME = later(rb"(\d{1,2}) [amc]time=[\d.]{1,40}\n")


class Header(NamedTuple):
    """The raw fields of one header, in the order of ``UNPACK``."""

    name: bytes
    size: bytes
    mtime: bytes
    kind: bytes
    link: bytes
    magic: bytes
    user: bytes
    group: bytes
    prefix: bytes

    def full_name(self) -> bytes:
        """The name with its ustar prefix; GNU keeps times where ustar keeps the prefix."""
        name = self.name.rstrip(b"\0")
        if self.magic == b"ustar\0" and self.prefix[0]:
            return self.prefix.rstrip(b"\0") + b"/" + name
        return name


def number(field: bytes) -> int:
    """A size or time: octal, or base-256 when its first bit is set. ArchiveError if neither."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big", signed=True)
        if field[0] == 0x80:  # noqa: PLR2004 - the usual mark of a positive number
            value = int.from_bytes(field[1:], "big")
    else:
        digits = field.strip(_TERMINATORS).split(b"\0", 1)[0]
        try:
            value = int(digits or b"0", 8)
        except ValueError:
            raise ArchiveError(f"not a number: {field!r}") from None
    if not -_MAX_SIZE < value < _MAX_SIZE:
        raise ArchiveError("a number beyond 64 bits")
    return value


def length(field: bytes) -> int:
    """The size of a member. ArchiveError if it is no number or negative."""
    value = number(field)
    if value < 0:
        raise ArchiveError("a negative size")
    return value


def mtime(field: bytes) -> int:
    """Seconds since 1970, 0 where the field is no number."""
    try:
        return number(field)
    except ArchiveError:
        return 0


class Pax(NamedTuple):
    """What the records of one pax header say; empty or None where they are silent."""

    path: bytes | None = None
    link: bytes | None = None
    size: int | None = None
    user: str | None = None
    is_sparse: bool = False
    notes: tuple[bytes, ...] = ()


def is_time_alone(block: memoryview, octal: bytes) -> bool:
    """Whether the pax header in a block, of a size in octal digits, says but a finer time.

    Python's packers write one for every member.
    """
    record = _TIME.match(block)
    return (
        record is not None
        and f"{record.end():o}".encode() == octal
        and int(record[1]) == record.end()
    )


def parse_pax(body: bytes) -> Pax:
    """The records of a pax header, up to the first that is malformed."""
    found: dict[bytes, bytes] = {}
    notes: list[bytes] = []
    position = 0
    while position < len(body):
        space = body.find(b" ", position, position + 20)
        digits = body[position:space]
        if space < 0 or not digits.isdigit():
            break
        end = position + int(digits)
        if end <= space or end > len(body):
            break
        key, _, value = body[space + 1 : end - 1].partition(b"=")
        found[key] = value
        if key not in _KNOWN and len(value) >= _SHORT_VALUE:
            notes.append(key + b"=" + value)
        position = end
    if body[position:].strip(b"\0"):
        notes.append(body[position:])
    size = found.get(b"size")
    user = found.get(b"uname")
    return Pax(
        path=found.get(b"GNU.sparse.name", found.get(b"path")),
        link=found.get(b"linkpath"),
        size=_decimal(size) if size is not None else None,
        user=user.decode("utf-8", "replace") if user is not None else None,
        is_sparse=any(key.startswith(b"GNU.sparse.") for key in found),
        notes=tuple(notes),
    )


_KNOWN = frozenset(
    (
        *(b"path", b"linkpath", b"size", b"mtime", b"atime", b"ctime", b"uid", b"gid"),
        *(b"uname", b"gname", b"hdrcharset", b"LIBARCHIVE.creationtime", b"GNU.sparse.name"),
    )
)


def _decimal(digits: bytes) -> int:
    """A pax size. ArchiveError when it is no number or negative."""
    if not digits.isdigit() or len(digits) > 19:  # noqa: PLR2004 - the digits of 2**63
        raise ArchiveError(f"not a size: {digits[:32]!r}")
    return int(digits)
