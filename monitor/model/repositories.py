"""What a repository's history is made of, as far as a leak in it is told of."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field


class Commit(Struct, frozen=True, kw_only=True):
    """One commit: its id (hex), its parents' and when its author says that it was made.

    ``source`` is the id that it was reached from, where that was asked for.
    """

    id: str
    parents: list[str] = field(default_factory=list)
    authored_at: datetime | None = None
    committed_at: datetime | None = None
    source: str = ""


class Change(Struct, frozen=True):
    """A file as one commit made it. ``path`` is the tree's, undecodable bytes as surrogates."""

    commit: str
    path: str
    blob: str


class CommitMark(Struct, frozen=True, kw_only=True):
    """A commit that is to be looked at, the ref it was met on, and whether that ref left it.

    ``is_away``: no ref leads to it any more (it was force-pushed away, or its branch removed); the
    host still gives it to whoever knows its id.
    """

    commit: str
    ref: str = ""
    is_away: bool = False


class Place(Struct, frozen=True, kw_only=True):
    """Where in a history some bytes stand. ``is_in_head`` is None where that is not known."""

    commit: str
    path: str
    blob: str
    ref: str = ""
    authored_at: datetime | None = None
    is_away: bool = False
    is_in_head: bool | None = None
