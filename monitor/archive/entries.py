"""What a container reader gives: entries, streams of bytes, and the trail of what went wrong."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.model import NESTED, Hazard, MemberRecord, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

Buffer = bytes | memoryview | mmap.mmap

_MAX_SKIPPED_PER_REASON = 1_000
_MAX_HAZARDS_PER_KIND = 200


class Stream:
    """Bytes that come once, in order, and are too many to hold.

    ``chunks`` yields non-empty bytes-like pieces. ``size`` is what the container claims (-1: it
    does not say); it is a stranger's word and used for nothing but choosing a strategy.
    """

    __slots__ = ("_chunks", "_pending", "size")

    def __init__(self, chunks: Iterator[bytes | memoryview], size: int = -1) -> None:
        self._chunks = chunks
        self._pending: list[bytes | memoryview] = []
        self.size = size

    def __iter__(self) -> Iterator[bytes | memoryview]:
        return self

    def __next__(self) -> bytes | memoryview:
        if self._pending:
            return self._pending.pop()
        return next(self._chunks)

    def push(self, piece: bytes | memoryview) -> None:
        """Puts a piece back: it is the next to come."""
        if len(piece):
            self._pending.append(piece)

    def split(self, size: int) -> None:
        """Makes the next piece no longer than ``size``."""
        piece = next(self, None)
        if piece is not None and len(piece) > size:
            view = memoryview(piece)
            self.push(view[size:])
            piece = view[:size]
        if piece is not None:
            self.push(piece)

    def peek(self, count: int) -> bytes:
        """The next bytes, ``count`` of them or all that there are, left in place."""
        pieces: list[bytes | memoryview] = []
        have = 0
        for piece in self:
            pieces.append(piece)
            have += len(piece)
            if have >= count:
                break
        head = b"".join([bytes(piece[:count]) for piece in pieces])[:count]
        for piece in reversed(pieces):
            self.push(piece)
        return head


class Member(Struct, gc=False):
    """One leaf of an artifact, or one window of a leaf that is too large to hold.

    ``path`` is printable and joins nested names with ``!/``. ``data`` is valid until the next
    member is asked for, and longer if it is kept (it then keeps a chunk of up to 1 MiB alive).
    ``offset`` is the place of ``data[0]`` inside the member; windows of one member follow each
    other and overlap, ``is_last`` is false for all but the last. ``mtime`` is seconds since 1970.

    A reader yields these too, as its entries (``Entry``): ``container`` and ``depth`` are then
    filled in by ``walk``; an entry that comes as a ``stream`` has empty ``data``. ``is_raw`` keeps
    an entry from being opened as a container itself. ``compiled`` is the bytecode that the text was
    read from, where it was.
    """

    path: str
    data: bytes | memoryview = b""
    mtime: int = 0
    owner: str = ""
    container: str = ""
    depth: int = 0
    offset: int = 0
    is_last: bool = True
    stream: Stream | None = None
    is_raw: bool = False
    compiled: bytes | memoryview = b""


Entry = Member


class Trail:
    """What a walk notes besides members: what was not inspected, and what no honest packer makes.

    Each (path, reason) is noted once. Both lists are capped for each reason and each kind, so that
    a flood of one does not hide the others; the path ``(more)`` says that a cap was met.
    """

    __slots__ = ("_seen", "_tally", "hazards", "skipped")

    def __init__(self) -> None:
        self.skipped: list[Skipped] = []
        self.hazards: list[Hazard] = []
        self._seen: set[tuple[str, str]] = set()
        self._tally: dict[str, int] = {}

    def skip(self, path: str, reason: str) -> None:
        """Notes that the member at ``path``, or a part of it, was not inspected."""
        room = self._room(path, reason, _MAX_SKIPPED_PER_REASON)
        if room >= 0:
            self.skipped.append(Skipped(path if room else "(more)", reason))

    def is_noted(self, path: str, reason: str) -> bool:
        """Whether ``skip`` was called with these two."""
        return (path, reason) in self._seen

    def hazard(self, path: str, kind: str, detail: str) -> None:
        """Notes a property of a container that is dangerous to whoever unpacks it."""
        room = self._room(path, "hazard:" + kind, _MAX_HAZARDS_PER_KIND)
        if room > 0:
            self.hazards.append(Hazard(path, kind, detail))
        elif room == 0:
            self.hazards.append(Hazard("(more)", kind, "more of these are not listed"))

    def _room(self, path: str, key: str, cap: int) -> int:
        """How many notes of this key still fit: 0 exactly once, negative for what is dropped."""
        if (path, key) in self._seen:
            return -1
        count = self._tally.get(key, 0)
        if count > cap:
            return -1
        self._seen.add((path, key))
        self._tally[key] = count + 1
        return cap - count


def nested(path: str, name: str) -> str:
    """The path of a member called ``name`` in the container at ``path``."""
    return f"{path}{NESTED}{name}"


SCRIPTS = (".js", ".mjs", ".cjs", ".jsx")
"""Whose lines are counted: a bundle that can suddenly be read is a sign."""


def record_of(member: Member, *, has_lines: bool = True) -> MemberRecord:
    """What is kept of a member for those who look at the artifact as a whole."""
    data = member.data
    lines = 0
    if has_lines and member.path.endswith(SCRIPTS):
        lines = bytes(data).count(b"\n")
    size = member.offset + len(data)
    return MemberRecord(member.path, size, member.container, member.mtime, member.owner, lines)
