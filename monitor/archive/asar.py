"""Electron's ``asar``: a Chromium pickle that holds a JSON index, then the files end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from monitor.archive.budget import NOT_THIS_FORMAT, ArchiveError
from monitor.archive.entries import Entry, nested
from monitor.archive.names import member_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail

_PREFIX = 16
_MAX_DEPTH = 100


def read(path: str, data: Buffer, budget: Budget, trail: Trail) -> Iterator[Entry]:
    """The files of the index, then whatever lies between and behind them."""
    view = memoryview(data)
    pickle, size = (int.from_bytes(view[at : at + 4], "little") for at in (4, 12))
    start = 8 + pickle
    try:
        index = msgspec.json.decode(view[_PREFIX : _PREFIX + size])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ArchiveError("the index is no JSON", reason="bad-header") from error
    if not isinstance(index, dict) or not isinstance(index.get("files"), dict):
        raise ArchiveError("the index lists no files", reason=NOT_THIS_FORMAT)
    taken: list[tuple[int, int]] = []
    produced = 0
    for name, node in _files(path, index["files"], budget, trail):
        full = member_path(path, name.encode("utf-8", "surrogatepass"), trail)
        begin, end = _extent(node, start)
        if begin < start or end > len(view):
            trail.skip(full, "truncated" if begin >= start else "bad-header")
        body = view[max(begin, start) : max(end, start)]
        produced += len(body)
        if produced > len(view):
            trail.hazard(path, "overlap", "files of the index share their bytes")
        if budget.is_bomb(produced, len(view)):
            trail.skip(path, "over-ratio")
            return
        taken.append((max(begin, start), max(begin, start) + len(body)))
        yield Entry(full, body)
    yield from _rest(path, view, start, taken)


def _files(
    path: str, top: dict[str, Any], budget: Budget, trail: Trail
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files in the archive; links and files that are kept outside are left out."""
    folders: list[tuple[str, dict[str, Any], int]] = [("", top, 0)]
    while folders:
        prefix, folder, depth = folders.pop()
        budget.check()
        for name, node in folder.items():
            full = f"{prefix}{name}"
            if not isinstance(node, dict):
                trail.skip(nested(path, full), "bad-header")
            elif isinstance(node.get("files"), dict):
                if depth >= _MAX_DEPTH:
                    trail.skip(nested(path, full), "over-depth")
                else:
                    folders.append((f"{full}/", node["files"], depth + 1))
            elif "link" in node:
                trail.skip(nested(path, full), "link")
            elif not node.get("unpacked"):
                yield full, node


def _extent(node: dict[str, Any], start: int) -> tuple[int, int]:
    """Where a file begins and ends; the offset is text, since JSON numbers end at 2**53."""
    offset, size = node.get("offset"), node.get("size")
    if not isinstance(offset, str) or not offset.isascii() or not offset.isdigit():
        return -1, -1
    if len(offset) > 20 or not isinstance(size, int) or size < 0:  # noqa: PLR2004 - digits of 2**64
        return -1, -1
    return start + int(offset), start + int(offset) + size


def _rest(path: str, view: memoryview, start: int, taken: list[tuple[int, int]]) -> Iterator[Entry]:
    """The bytes that no file of the index claims."""
    at = start
    for begin, end in sorted(taken):
        if begin > at:
            yield Entry(nested(path, f"(unlisted at {at})"), view[at:begin])
        at = max(at, end)
    if at < len(view):
        yield Entry(nested(path, f"(unlisted at {at})"), view[at:])
