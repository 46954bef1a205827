"""A page of ``_changes`` as CouchDB writes it, read without trust."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from monitor.http.answers import decoded
from monitor.model import Notice
from monitor.watchers import actions

_MAX_NAME = 512  # npm allows 214; older packages are longer
_MAX_SEQUENCE = 1024  # CouchDB 2 and later: a number and an opaque text


class Rows(Struct, frozen=True, kw_only=True):
    """What a page says: the notices, the last sequence, all rows, and those that had no sense."""

    notices: list[Notice]
    last: str
    count: int
    malformed: int = 0


class _Body(Struct):
    results: list[Any]
    last_seq: Any = None


class _Database(Struct):
    update_seq: Any = field(default=None)


def read(body: bytes, since: str) -> Rows:
    """The page; ValueError if it is none. Rows without sense are counted and passed over.

    ``last`` is ``since`` where the page holds no sequence.
    """
    page = decoded(body, _Body)
    notices: list[Notice] = []
    malformed = 0
    last = since
    for row in page.results:
        sequence = text_of(row.get("seq")) if isinstance(row, dict) else ""
        if order(sequence) > order(last):
            last = sequence
        notice = _notice(row, sequence or last)
        if notice is not None:
            notices.append(notice)
        elif not _is_design(row):
            malformed += 1
    closing = text_of(page.last_seq)
    if order(closing) >= order(last) and closing:
        last = closing
    return Rows(notices=notices, last=last, count=len(page.results), malformed=malformed)


def read_update_sequence(body: bytes) -> str:
    """``update_seq`` of the database's own record; ValueError if it has none."""
    sequence = text_of(decoded(body, _Database).update_seq)
    if not sequence:
        raise ValueError("the database names no update_seq")
    return sequence


def order(sequence: str) -> int:
    """The number that a sequence begins with: sequences may be texts; -1 for none."""
    number = sequence.partition("-")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 20 else -1  # noqa: PLR2004 - 64 bits have at most 20 digits


def text_of(sequence: object) -> str:
    """A sequence as text; empty for what can be none."""
    if isinstance(sequence, int) and not isinstance(sequence, bool):
        sequence = str(sequence) if 0 <= sequence < 1 << 63 else ""
    if not isinstance(sequence, str) or len(sequence) > _MAX_SEQUENCE or order(sequence) < 0:
        return ""
    return sequence if sequence.isprintable() else ""


def _notice(row: Any, sequence: str) -> Notice | None:
    name = row.get("id") if isinstance(row, dict) else None
    if not isinstance(name, str) or not _is_name(name):
        return None
    return Notice(
        ecosystem="npm",
        name=name,
        action=actions.REMOVED if row.get("deleted") is True else actions.CHANGED,
        position=sequence,
        revision=_revision(row.get("changes")),
    )


def _revision(changes: object) -> str:
    first = changes[0] if isinstance(changes, list) and changes else None
    revision = first.get("rev") if isinstance(first, dict) else None
    return revision[:_MAX_SEQUENCE] if isinstance(revision, str) else ""


def _is_name(name: str) -> bool:
    is_plain = 0 < len(name) <= _MAX_NAME and name.isprintable() and " " not in name
    return is_plain and not name.startswith("_")


def _is_design(row: Any) -> bool:
    name = row.get("id") if isinstance(row, dict) else None
    return isinstance(name, str) and name.startswith("_design/")
