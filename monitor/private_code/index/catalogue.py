"""The working catalogue: what was read from where, what it became, and what was left out.

One method is one transaction or question. Only the lock's holder is here; readers have ``rows``.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from msgspec import Struct, field

from monitor.private_code.index import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class Source(Struct, frozen=True, kw_only=True):
    """A repository or folder: ``address`` is where it is read, ``name`` what people are told.

    ``kind`` is ``git`` (a repository on this machine), ``remote`` or ``folder``. ``refs`` is empty
    for the default branch; ``heads`` are the commits that were read last.
    """

    id: int = 0
    name: str
    address: str
    kind: str
    refs: list[str] = field(default_factory=list)
    has_history: bool = False
    is_shallow: bool = False
    heads: list[str] = field(default_factory=list)
    updated_at: int = 0


class SegmentRow(Struct, frozen=True):
    """A segment on disk: ``position`` orders by age, the oldest first."""

    name: str
    position: int
    entries: int
    size: int
    digest: str


class Known(Struct, frozen=True, kw_only=True):
    """A file to be written down: the newest version that was read of it."""

    number: int
    path: str
    language: str
    lines: int
    tokens: int
    commit: str
    first_commit_at: int
    selected: str


class Change(Struct, kw_only=True):
    """One batch of one source, written down as a whole or not at all."""

    source: int
    files: list[Known] = field(default_factory=list)
    places: list[tuple[str, int]] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    blobs: list[tuple[str, str, int]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    digests: list[tuple[bytes, int]] = field(default_factory=list)
    suffixes: list[tuple[bytes, int]] = field(default_factory=list)
    is_history: bool = False


_SOURCE = "id, name, address, kind, refs, has_history, is_shallow, heads, updated_at"


class Catalogue:
    """The catalogue in a store's folder. Raises ConfigError if it is damaged.

    Git's names of contents are kept as ``named`` gives them.
    """

    def __init__(self, folder: str, named: Callable[[str], bytes]) -> None:
        self._named = named
        self.path = os.path.join(folder, "catalogue.db")
        self._connection = schema.connected(self.path)
        self._ask = self._connection.execute

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def fact(self, name: str) -> str:
        """What was written under this name, else empty."""
        row = self._ask("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def set_fact(self, name: str, value: str) -> None:
        """Write down a value."""
        self._ask("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def sources(self) -> list[Source]:
        """All sources in the order in which they came."""
        rows = self._ask(f"SELECT {_SOURCE} FROM sources ORDER BY id").fetchall()  # noqa: S608 - our own words
        return [
            Source(
                id=row[0], name=row[1], address=row[2], kind=row[3], refs=json.loads(row[4]),
                has_history=bool(row[5]), is_shallow=bool(row[6]), heads=json.loads(row[7]),
                updated_at=row[8],
            )
            for row in rows
        ]  # fmt: skip

    def put_source(self, source: Source) -> int:
        """Write down a source, new or known by its id; gives the id."""
        values = (
            source.name, source.address, source.kind, json.dumps(source.refs),
            source.has_history, source.is_shallow, json.dumps(source.heads), source.updated_at,
        )  # fmt: skip
        words = _SOURCE.partition(", ")[2]
        if source.id:
            self._ask(
                f"UPDATE sources SET ({words}) = (?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?",  # noqa: S608 - our own words
                (*values, source.id),
            )
            return source.id
        made = self._ask(f"INSERT INTO sources ({words}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608 - our own words
        return int(made.lastrowid or 0)

    def unseen(self, source: int, pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Of (path, blob) those that were not read yet."""
        for path, blob in pairs:
            row = self._ask(
                "SELECT 1 FROM seen WHERE source = ? AND path = ? AND blob = ?",
                (source, path, self._named(blob)),
            ).fetchone()
            if row is None:
                yield path, blob

    def file_of_blob(self, blob: str, kind: str) -> int:
        """The file as which a blob was read, 0 for none."""
        row = self._ask(
            "SELECT file FROM blobs WHERE blob = ? AND kind = ?", (self._named(blob), kind)
        ).fetchone()
        return int(row[0]) if row else 0

    def file_at(self, source: int, path: str) -> int:
        """The file that a path has of its own, 0 for none."""
        row = self._ask(
            "SELECT number FROM files WHERE source = ? AND path = ?", (source, path)
        ).fetchone()
        return int(row[0]) if row else 0

    def first_commit_at(self, source: int, path: str) -> int:
        """When the file at a path was first committed, 0 where it is unknown."""
        row = self._ask(
            "SELECT f.first_commit_at FROM places p JOIN files f ON f.number = p.file "
            "WHERE p.source = ? AND p.path = ? AND f.source = p.source",
            (source, path),
        ).fetchone()
        return int(row[0]) if row else 0

    def count_files(self) -> int:
        """How many files there are."""
        return int(self._ask("SELECT count(*) FROM files").fetchone()[0])

    def next_number(self) -> int:
        """A number that no file ever had."""
        row = self._ask("SELECT seq FROM sqlite_sequence WHERE name = 'files'").fetchone()
        return int(row[0]) + 1 if row else 1

    def put(self, change: Change, segments: Sequence[SegmentRow]) -> None:
        """Write down a batch together with the segment that holds its prints."""
        many = self._connection.executemany
        source = change.source
        with schema.transaction(self._connection):
            many(
                _OLDER_FILE if change.is_history else _NEWER_FILE,
                [
                    (f.number, source, f.path, f.language, f.lines, f.tokens, f.commit,
                     f.first_commit_at, f.selected)
                    for f in change.files
                ],
            )  # fmt: skip
            many(
                _OLDER_PLACE if change.is_history else _NEWER_PLACE,
                [(source, path, file, not change.is_history) for path, file in change.places],
            )
            many(
                "INSERT OR IGNORE INTO seen VALUES (?, ?, ?)",
                [(source, path, self._named(blob)) for path, blob in change.seen],
            )
            many(
                "INSERT OR IGNORE INTO blobs VALUES (?, ?, ?)",
                [(self._named(blob), kind, file) for blob, kind, file in change.blobs],
            )
            many("INSERT OR IGNORE INTO digests VALUES (?, ?)", change.digests)
            many("INSERT OR IGNORE INTO suffixes VALUES (?, ?)", change.suffixes)
            if not change.is_history:
                many("DELETE FROM skipped WHERE source = ? AND path = ?",
                     [(source, path) for path, _ in change.places])  # fmt: skip
                many("INSERT OR REPLACE INTO skipped VALUES (?, ?, ?)",
                     [(source, *one) for one in change.skipped])  # fmt: skip
            self._put_segments(segments)

    def set_present(self, source: int, paths: Iterable[str]) -> None:
        """Of a source's files these are there; the others stay known as deleted."""
        with schema.transaction(self._connection):
            self._ask("CREATE TEMP TABLE IF NOT EXISTS listed (path TEXT PRIMARY KEY)")
            self._ask("DELETE FROM listed")
            self._connection.executemany(
                "INSERT OR IGNORE INTO listed VALUES (?)", ((path,) for path in paths)
            )
            self._ask(
                "UPDATE places SET is_present = path IN (SELECT path FROM listed) WHERE source = ?",
                (source,),
            )
            self._ask(
                "DELETE FROM skipped WHERE source = ? AND path NOT IN (SELECT path FROM listed)",
                (source,),
            )

    def walked(self, source: int) -> list[str]:
        """The commits whose whole history was read."""
        rows = self._ask("SELECT commit_id FROM walked WHERE source = ?", (source,))
        return [str(row[0]) for row in rows]

    def set_walked(self, source: int, commits: Iterable[str]) -> None:
        """From now on only these need to be named to name all that was read."""
        with schema.transaction(self._connection):
            self._ask("DELETE FROM walked WHERE source = ?", (source,))
            self._connection.executemany(
                "INSERT INTO walked VALUES (?, ?)",
                [(source, one) for one in dict.fromkeys(commits)],
            )

    def numbers(self, source: int) -> list[int]:
        """The numbers of a source's own files."""
        rows = self._ask("SELECT number FROM files WHERE source = ?", (source,))
        return [int(row[0]) for row in rows]

    def forget(self, source: int, rewrite: Callable[[], Sequence[SegmentRow]]) -> int:
        """Remove a source with all that is known of it; ``rewrite`` gives segments without it.

        What another source has at the same content is forgotten as well, so that it is read anew;
        gives how many of those there are.
        """
        with schema.transaction(self._connection):
            segments = rewrite()
            own = "(SELECT number FROM files WHERE source = :id)"
            bound = {"id": source}
            shared = f"SELECT source, path FROM places WHERE source != :id AND file IN {own}"  # noqa: S608 - our own words
            others = self._ask(shared, bound).fetchall()
            self._connection.executemany("DELETE FROM seen WHERE source = ? AND path = ?", others)
            for table in schema.BY_FILE:
                self._ask(f"DELETE FROM {table} WHERE file IN {own}", bound)  # noqa: S608 - our own words
            for table in schema.BY_SOURCE:
                self._ask(f"DELETE FROM {table} WHERE source = :id", bound)  # noqa: S608 - our own words
            self._ask("DELETE FROM sources WHERE id = :id", bound)
            self._put_segments(segments, is_whole=True)
        return len(others)

    def segments(self) -> list[SegmentRow]:
        """The segments, the oldest first."""
        rows = self._ask(
            "SELECT name, position, entries, size, digest FROM segments ORDER BY position"
        )
        return [SegmentRow(*row) for row in rows]

    def replace_segments(self, segments: Sequence[SegmentRow]) -> None:
        """These and no others."""
        with schema.transaction(self._connection):
            self._put_segments(segments, is_whole=True)

    def write_snapshot(self, path: str) -> None:
        """All of it in a new file, which readers get."""
        self._ask("VACUUM INTO ?", (path,))

    def _put_segments(self, segments: Sequence[SegmentRow], *, is_whole: bool = False) -> None:
        if is_whole:
            self._ask("DELETE FROM segments")
        self._connection.executemany(
            "INSERT INTO segments VALUES (?, ?, ?, ?, ?)",
            [(s.name, s.position, s.entries, s.size, s.digest) for s in segments],
        )


_OLDER_FILE = "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO NOTHING"
_NEWER_FILE = (
    "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET "
    "language = excluded.language, lines = excluded.lines, tokens = excluded.tokens, "
    "commit_id = excluded.commit_id, selected = excluded.selected, "
    "first_commit_at = min(first_commit_at, excluded.first_commit_at)"
)
_OLDER_PLACE = "INSERT INTO places VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_NEWER_PLACE = (
    "INSERT INTO places VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET file = excluded.file, "
    "is_present = 1"
)
