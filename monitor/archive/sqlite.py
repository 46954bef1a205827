"""SQLite databases: the rows of every table and index, deleted ones' remains included.

An own reader of the file format (sqlite.org, "Database File Format") rather than the library:
``sqlite3.deserialize`` copies the file, runs C code over a stranger's bytes, needs a schema that
parses, and shows no deleted rows. Here no tree is followed: every page that looks like a leaf is
read, so loops cannot occur and orphaned pages count. Only overflow chains are followed, each page
at most once.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from monitor.archive.budget import NOT_THIS_FORMAT, ArchiveError
from monitor.archive.entries import Entry, nested

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail

_HEADER = 100
_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR = 13, 10, 2
_ENCODINGS = {1: "utf-8", 2: "utf-16-le", 3: "utf-16-be"}
_MAX_COLUMNS = 32_767
_FIRST_BLOB = 12
_BATCH = 4 << 20


def read(path: str, data: Buffer, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """The rows as text, a row a line, columns parted by tabs; then the bytes that no row owns."""
    database = _Database(memoryview(data), budget)
    if not database.is_sound():
        raise ArchiveError("no SQLite database", reason=NOT_THIS_FORMAT)
    number = 0
    for number, batch in enumerate(database.rows(), 1):
        yield Entry(nested(path, f"(rows {number})"), batch, is_raw=True)
    if database.is_truncated:
        trail.skip(path, "truncated")
    for place, batch in enumerate(database.unowned(), 1):
        yield Entry(nested(path, f"(free space {place})"), batch, is_raw=True)


class _Database:
    """A database file. ``used`` tells, for each overflow page, how many bytes a row owns."""

    def __init__(self, view: memoryview, budget: Budget) -> None:
        self.view = view
        self.budget = budget
        size = int.from_bytes(view[16:18], "big")
        self.page_size = 65_536 if size == 1 else size
        self.usable = self.page_size - (view[20] if len(view) > _HEADER else 0)
        self.encoding = _ENCODINGS.get(int.from_bytes(view[56:60], "big"), "utf-8")
        self.is_truncated = False
        self.used = array("I")

    def is_sound(self) -> bool:
        """Whether the header's sizes are possible (1.3.2)."""
        size = self.page_size
        if len(self.view) < _HEADER or size < 512 or size & (size - 1) or self.usable < 480:  # noqa: PLR2004 - the format's minima
            return False
        count = -(-len(self.view) // size)
        self.used = array("I", bytes(4 * count))
        self.is_truncated = len(self.view) % size != 0
        return True

    def rows(self) -> Iterator[bytes]:
        """The text of all cells in batches of about 4 MiB."""
        batch = bytearray()
        for number in range(1, len(self.used) + 1):
            if not number % 256:
                self.budget.check()
            for payload, _, _ in self._cells(number, follow=True):
                batch += self._line(payload)
            if len(batch) >= _BATCH:
                self.budget.count_bytes(len(batch))
                yield bytes(batch)
                batch.clear()
        if batch:
            yield bytes(batch)

    def unowned(self) -> Iterator[bytes]:
        """The bytes of pages outside their cells: free pages, free blocks, tails."""
        batch = bytearray()
        for number in range(1, len(self.used) + 1):
            page = self._page(number)
            at = self.used[number - 1] or (_HEADER if number == 1 else 0)
            if not self.used[number - 1]:
                for _, start, end in sorted(self._cells(number, follow=False), key=_start):
                    batch += bytes(page[at:start]).strip(b"\0") + b"\n" if start > at else b""
                    at = max(at, end)
            batch += bytes(page[at:]).strip(b"\0") + b"\n"
            if len(batch) >= _BATCH:
                yield bytes(batch)
                batch.clear()
        if batch.strip():
            yield bytes(batch)

    def _page(self, number: int) -> memoryview:
        return self.view[(number - 1) * self.page_size : number * self.page_size]

    def _cells(self, number: int, *, follow: bool) -> Iterator[tuple[bytes, int, int]]:
        """``(payload, start, end)`` of the cells of a page that holds rows, else nothing.

        Without ``follow`` the payload is left empty.
        """
        page = self._page(number)
        head = _HEADER if number == 1 else 0
        if self.used[number - 1] or len(page) < head + 12:
            return
        kind = page[head]
        if kind not in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR):
            return
        array_at = head + (12 if kind == _INDEX_INTERIOR else 8)
        count = int.from_bytes(page[head + 3 : head + 5], "big")
        room = 2 * len(page)  # cells that share their bytes must not multiply them
        for place in range(min(count, (len(page) - array_at) // 2)):
            at = array_at + 2 * place
            start = int.from_bytes(page[at : at + 2], "big")
            if start < array_at + 2 * count:
                continue
            cell = self._cell(page, start, kind, follow=follow)
            room -= max(cell[2] - start, 1)
            if room < 0:
                return
            yield cell

    def _cell(
        self, page: memoryview, start: int, kind: int, *, follow: bool
    ) -> tuple[bytes, int, int]:
        """A cell (1.6): payload size, row id for tables, the payload's part on this page."""
        at = start + (4 if kind == _INDEX_INTERIOR else 0)
        size, at = _varint(page, at)
        if kind == _TABLE_LEAF:
            _, at = _varint(page, at)
        local = self._local(size, kind)
        end = min(at + local, len(page))
        if not follow:
            return b"", start, end
        payload = bytes(page[at:end])
        if local < size:
            payload += self._overflow(int.from_bytes(page[end : end + 4], "big"), size - local)
        return payload, start, end

    def _local(self, size: int, kind: int) -> int:
        """How much of a payload lies on its own page (1.6, "the overflow threshold")."""
        usable = self.usable
        most = usable - 35 if kind == _TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        if size <= most:
            return size
        least = (usable - 12) * 32 // 255 - 23
        part = least + (size - least) % (usable - 4)
        return part if part <= most else least

    def _overflow(self, number: int, size: int) -> bytes:
        """The rest of a payload; a page that belongs to another chain already ends it."""
        pieces = []
        while size > 0 and 0 < number <= len(self.used) and not self.used[number - 1]:
            page = self._page(number)
            piece = bytes(page[4 : min(4 + size, self.usable)])
            self.used[number - 1] = 4 + len(piece)
            pieces.append(piece)
            size -= len(piece)
            if not piece:
                break
            number = int.from_bytes(page[:4], "big")
        return b"".join(pieces)

    def _line(self, payload: bytes) -> bytes:
        """The text and blob columns of a record (2.1)."""
        size, at = _varint(payload, 0)
        body = size
        columns: list[bytes] = []
        while at < min(size, len(payload)) and len(columns) < _MAX_COLUMNS:
            kind, at = _varint(payload, at)
            width = (kind - _FIRST_BLOB) // 2 if kind >= _FIRST_BLOB else _WIDTHS[kind]
            value = payload[body : body + width]
            body += width
            if kind < _FIRST_BLOB:
                continue
            if kind % 2 and self.encoding != "utf-8":
                value = value.decode(self.encoding, "replace").encode()
            columns.append(value)
        if body < len(payload):  # a lying header must not hide what follows
            columns.append(payload[body:])
        return b"\t".join(columns) + b"\n" if columns else b""


_WIDTHS = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)


def _start(cell: tuple[bytes, int, int]) -> int:
    return cell[1]


def _varint(view: bytes | memoryview, at: int) -> tuple[int, int]:
    """A big-endian number of up to nine bytes, seven bits each but the last, and its end."""
    value = 0
    for _ in range(8):
        if at >= len(view):
            return value, at
        byte = view[at]
        at += 1
        value = value << 7 | byte & 127
        if byte < 128:  # noqa: PLR2004 - no further byte follows
            return value, at
    last = view[at] if at < len(view) else 0
    return value << 8 | last, at + 1
