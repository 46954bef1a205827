"""Jupyter notebooks (nbformat 3 and 4): the text of every cell, its outputs and the metadata.

In the file a cell's text is a JSON list of lines, so a value that spans lines or holds quotes is
broken up there. Pictures in outputs stay base64 text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from monitor.archive.budget import NOT_THIS_FORMAT, ArchiveError
from monitor.archive.entries import Entry, nested

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.archive.budget import Budget
    from monitor.archive.entries import Buffer, Trail

_MAX_DEPTH = 100


def read(path: str, data: Buffer, budget: Budget, _trail: Trail) -> Iterator[Entry]:
    """One text for each cell's source, one for its other strings, one for those outside cells."""
    try:
        document = msgspec.json.decode(memoryview(data))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ArchiveError("no JSON", reason=NOT_THIS_FORMAT) from error
    if not isinstance(document, dict) or "nbformat" not in document:
        raise ArchiveError("no notebook", reason=NOT_THIS_FORMAT)
    for number, cell in enumerate(_cells(document), 1):
        source = cell.pop("source", None) or cell.pop("input", None)
        for name, value in (("", source), (" outputs", cell)):
            text = "\n".join(_strings(value, 0))
            budget.count_bytes(len(text))
            if text:
                yield _entry(path, f"(cell {number}{name})", text)
    text = "\n".join(_strings(document, 0))
    if text:
        yield _entry(path, "(metadata)", text)


def _entry(path: str, name: str, text: str) -> Entry:
    return Entry(nested(path, name), text.encode("utf-8", "surrogatepass"), is_raw=True)


def _cells(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Takes the cells out of the document; version 3 keeps them in worksheets."""
    sheets = document.get("worksheets")
    for holder in [document, *(sheets if isinstance(sheets, list) else [])]:
        cells = holder.pop("cells", None) if isinstance(holder, dict) else None
        for cell in cells if isinstance(cells, list) else [cells]:
            if isinstance(cell, dict):
                yield cell
            elif cell is not None:
                yield {"source": cell}


def _strings(value: Any, depth: int) -> Iterator[str]:
    """Every string below ``value``, a list of lines joined; a key stands before its string."""
    if depth > _MAX_DEPTH:
        yield msgspec.json.encode(value).decode()
    elif isinstance(value, str):
        yield value
    elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        yield "".join(value)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str):
                yield f'"{key}": "{item}"'
            else:
                yield f"{key}:"
                yield from _strings(item, depth + 1)
