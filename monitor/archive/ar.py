"""Unix ``ar`` archives: Debian packages, static libraries; System V and BSD names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.archive.entries import Entry, nested
from monitor.archive.names import member_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail

_MAGIC_SIZE = 8
_HEADER_SIZE = 60
_TABLES = (b"/", b"/SYM64/", b"__.SYMDEF", b"__.SYMDEF SORTED")


def read(path: str, data: Buffer, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """The members in order; symbol tables are left out, the table of long names is not."""
    view = memoryview(data)
    at = _MAGIC_SIZE
    names = b""
    seen: set[bytes] = set()
    while at < len(view):
        header = bytes(view[at : at + _HEADER_SIZE])
        size = _number(header[48:58])
        if len(header) < _HEADER_SIZE or header[58:] != b"`\n" or size is None:
            trail.skip(path, "truncated" if len(header) < _HEADER_SIZE else "bad-header")
            yield Entry(nested(path, "(unread)"), view[at:], is_raw=True)
            return
        start = at + _HEADER_SIZE
        body = view[start : start + size]
        name, body = _name(header[:16].rstrip(b" "), body, names)
        budget.check()
        if name == b"//":
            names = bytes(body)
        elif name not in _TABLES:
            full = member_path(path, name, trail)
            if name in seen:
                trail.hazard(full, "duplicate", "the name occurs twice")
            seen.add(name)
            if start + size > len(view):
                trail.skip(full, "truncated")
            yield Entry(full, body, mtime=_number(header[16:28]) or 0)
        at = start + size + size % 2


def _number(field: bytes) -> int | None:
    text = field.strip()
    return int(text) if text.isdigit() else None


def _name(field: bytes, body: memoryview, names: bytes) -> tuple[bytes, memoryview]:
    """The member's whole name, and its body without one that stands in front of it (BSD)."""
    if field.startswith(b"#1/"):
        size = _number(field[3:]) or 0
        return bytes(body[:size]).rstrip(b"\0"), body[size:]
    if field.startswith(b"/") and field[1:].isdigit():
        return names[int(field[1:]) :].split(b"\n", 1)[0].rstrip(b"/"), body
    if field in (b"//", *_TABLES):
        return field, body
    return field.removesuffix(b"/"), body
