"""What a snapshot of the catalogue answers: files by number, by digest, by the end of a path."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from monitor.private_code.index import schema
from monitor.private_code.prints import Channel, IndexedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ABSENT = 0


class Place(Struct, frozen=True):
    """Where a file stands: ``is_present`` says that it was there when its source was read last."""

    repository: str
    path: str
    is_present: bool


class Rows:
    """A snapshot, opened once in each process; what is open stays readable when it is replaced."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._opened = {os.getpid(): schema.snapshot(path)}

    def close(self) -> None:
        """Let go of the file. A connection that came with a fork is not ours to close."""
        own = self._opened.pop(os.getpid(), None)
        if own is not None:
            own.close()

    def __del__(self) -> None:
        # A reader that another thread still asks must not be closed when a newer one takes over.
        if hasattr(self, "_opened"):
            self.close()

    def file(self, number: int) -> IndexedFile | None:
        """A file, or None if there is none of this number. Of its places one that is present."""
        rows = self._all(
            "SELECT s.name, p.path, f.language, f.lines, f.tokens, f.commit_id, f.first_commit_at, "
            "f.selected FROM files f LEFT JOIN places p ON p.file = f.number "
            "LEFT JOIN sources s ON s.id = p.source WHERE f.number = ? "
            "ORDER BY p.is_present DESC, p.source = f.source AND p.path = f.path DESC LIMIT 1",
            (number,),
        )
        if not rows:
            return None
        repository, path, language, lines, tokens, commit, first, selected = rows[0]
        return IndexedFile(
            number=number, repository=repository or "", path=path or "", language=language,
            lines=lines, tokens=tokens, commit=commit, first_commit_at=first,
            selected=counts(selected),
        )  # fmt: skip

    def first_commits(self, numbers: Iterable[int]) -> dict[int, int]:
        """When each of these files was first committed: Unix time in seconds, 0 for unknown."""
        found: dict[int, int] = {}
        for number in numbers:
            rows = self._all("SELECT first_commit_at FROM files WHERE number = ?", (number,))
            found[number] = rows[0][0] if rows else _ABSENT
        return found

    def places(self, number: int) -> list[Place]:
        """Every place of a file."""
        rows = self._all(
            "SELECT s.name, p.path, p.is_present FROM places p JOIN sources s ON s.id = p.source "
            "WHERE p.file = ? ORDER BY p.is_present DESC, s.name, p.path",
            (number,),
        )
        return [Place(row[0], row[1], bool(row[2])) for row in rows]

    def by_digest(self, digest: bytes) -> list[int]:
        """Files with this keyed digest."""
        rows = self._all("SELECT file FROM digests WHERE digest = ? ORDER BY file", (digest,))
        return [row[0] for row in rows]

    def by_suffix(self, suffix: bytes) -> list[int]:
        """Files with this keyed end of a path."""
        rows = self._all("SELECT file FROM suffixes WHERE suffix = ? ORDER BY file", (suffix,))
        return [row[0] for row in rows]

    def numbers(self) -> list[tuple[int, str]]:
        """Every file's number and selected counts, as they are written."""
        return [
            (row[0], row[1])
            for row in self._all("SELECT number, selected FROM files ORDER BY 1", ())
        ]

    def tally(self) -> list[dict[str, Any]]:
        """What is known of each source: its name and counts."""
        return [
            dict(
                zip(
                    (
                        "name",
                        "address",
                        "kind",
                        "history",
                        "updated_at",
                        "files",
                        "deleted",
                        "lines",
                    ),
                    row,
                    strict=True,
                )
            )
            for row in self._all(
                "SELECT s.name, s.address, s.kind, s.has_history, s.updated_at, "
                "(SELECT count(*) FROM places p WHERE p.source = s.id AND p.is_present), "
                "(SELECT count(*) FROM places p WHERE p.source = s.id AND NOT p.is_present), "
                "(SELECT coalesce(sum(lines), 0) FROM files f WHERE f.source = s.id) "
                "FROM sources s ORDER BY s.name",
                (),
            )
        ]

    def reasons(self) -> dict[str, dict[str, int]]:
        """How many files of each source were left out, by reason."""
        found: dict[str, dict[str, int]] = {}
        for name, reason, count in self._all(
            "SELECT s.name, k.reason, count(*) FROM skipped k JOIN sources s ON s.id = k.source "
            "GROUP BY 1, 2 ORDER BY 1, 3 DESC",
            (),
        ):
            found.setdefault(name, {})[reason] = count
        return found

    def skipped(self, name: str = "") -> list[tuple[str, str, str]]:
        """What was left out: source, path, reason."""
        return [
            (row[0], row[1], row[2])
            for row in self._all(
                "SELECT s.name, k.path, k.reason FROM skipped k JOIN sources s ON s.id = k.source "
                "WHERE ? IN ('', s.name) ORDER BY 1, 2",
                (name,),
            )
        ]

    def listing(self, name: str = "") -> list[tuple[str, str, bool, int]]:
        """What is known: source, path, whether it is present, its file's number."""
        return [
            (row[0], row[1], bool(row[2]), row[3])
            for row in self._all(
                "SELECT s.name, p.path, p.is_present, p.file FROM places p "
                "JOIN sources s ON s.id = p.source WHERE ? IN ('', s.name) ORDER BY 1, 2",
                (name,),
            )
        ]

    def check(self) -> str:
        """What SQLite finds wrong, else empty."""
        rows = self._all("PRAGMA integrity_check(1)", ())
        return "" if rows == [("ok",)] else str(rows[0][0])

    def _all(self, question: str, values: Sequence[object]) -> list[Any]:
        with self._lock, schema.reading(self.path):
            own = self._opened.get(os.getpid())
            if own is None:
                # A connection must not be used across a fork.
                own = self._opened[os.getpid()] = schema.snapshot(self.path)
            return own.execute(question, values).fetchall()


def counts(selected: str) -> dict[Channel, int]:
    """A file's selected prints by channel, as they are written: ``{"1": 20}``."""
    return {Channel(int(channel)): count for channel, count in json.loads(selected).items()}
