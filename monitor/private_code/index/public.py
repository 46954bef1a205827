"""What of an index everybody has: learnt from packages of others, kept only for its own prints.

A print is public if a package that held it was published before our first commit of every file that
has it, or if packages of two unrelated publishers hold it. Whoever calls ``learn`` leaves out the
organisation's own packages and those with an open incident; ``withdraw`` takes back what was learnt
from a publisher who turned out to be a leak.
"""

from __future__ import annotations

import contextlib
import json
import os
from datetime import datetime
from typing import TYPE_CHECKING, Self

import numpy as np
from msgspec import Struct

from monitor.private_code.index import manifest
from monitor.private_code.index.schema import connected, reading, transaction
from monitor.private_code.index.segment import MOST_PLACES, joined
from monitor.private_code.prints import Channel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import numpy.typing as npt

    from monitor.private_code.index.reader import OpenIndex
    from monitor.private_code.index.schema import Cursor
    from monitor.private_code.index.segment import Places
    from monitor.private_code.prints import FilePrints, Hashes

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS packages (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    publishers TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    postings INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS sightings (
    hash INTEGER NOT NULL, package INTEGER NOT NULL, is_before INTEGER NOT NULL,
    PRIMARY KEY (hash, package)
) WITHOUT ROWID;
"""
_MOST_SIGHTINGS = 8  # of one print: more of them can hardly all be related
MOST_KEPT = 5_000_000
"""Sightings that are kept, some 150 MB: beyond them nothing is learnt that is new."""

_SHIFT = np.uint64(1)  # SQLite's integers have a sign; the last bit of a kept print is zero


class Package(Struct, frozen=True, kw_only=True):
    """Where prints were seen: ``npm:left-pad``, and everybody who may publish it.

    ``publishers`` are all the names by which two packages may be related: maintainers, publisher,
    scope, owner of the repository. Without any nothing is learnt from it but what was earlier.
    """

    name: str
    publishers: frozenset[str]
    published_at: datetime | None = None


class Source(Struct, frozen=True):
    """A package that was learnt from, with everybody who was seen to publish it."""

    name: str
    publishers: frozenset[str]


class Tally(Struct, frozen=True):
    """Packages learnt from, prints that they share with us, and how many of those are public."""

    packages: int
    shared: int
    public: int


class PublicPrints:
    """What was learnt for one index, for the one process that learns. Use as a block.

    Nothing of it counts for readers before ``publish``.
    """

    def __init__(self, index: OpenIndex) -> None:
        self._index = index
        self._folder = index.folder
        self._path = os.path.join(index.folder, "public.db")
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(manifest.locked(self._folder, "public.lock"))
            self._connection = stack.enter_context(
                contextlib.closing(connected(self._path, _TABLES))
            )
            with reading(self._path):
                self._begin()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def learn(
        self, package: Package, prints: Iterable[FilePrints], *, keeps_strangers: bool = True
    ) -> int:
        """Note which of our prints a package has; gives how many. Versions add to each other.

        The earliest time of publication counts, and everybody who published one of them. A package
        with none of our prints is a stranger: it is remembered for ``has``, or not at all. Nothing
        is learnt beyond ``MOST_KEPT``.
        """
        kept, places = self._places(prints)
        rows, first, counts = np.unique(places[0], return_index=True, return_counts=True)
        if len(rows) > self.room or not (len(rows) or keeps_strangers):
            return 0
        at = int(package.published_at.timestamp()) if package.published_at else 0
        before = self._published_before(at, places[1], first, counts)
        seats = (kept[rows] >> _SHIFT).astype(np.int64)
        with reading(self._path), transaction(self._connection):
            number = self._put_package(package, at)
            added = self._connection.executemany(
                "INSERT OR IGNORE INTO sightings VALUES (?, ?, 0)",
                [(seat, number) for seat in seats.tolist()],
            ).rowcount
            self._connection.executemany(
                "UPDATE sightings SET is_before = 1 WHERE hash = ? AND package = ?",
                [(seat, number) for seat in seats[before].tolist()],
            )
            self._ask("UPDATE packages SET postings = postings + ? WHERE id = ?", added, number)
        return len(rows)

    def withdraw(self, *, package: str = "", publisher: str = "") -> int:
        """Take back what was learnt from a package or from all of a publisher's; gives how many."""
        with reading(self._path), transaction(self._connection):
            gone = [
                number
                for number, name, publishers in self._packages()
                if name == package or publisher in publishers
            ]
            for number in gone:
                self._ask("DELETE FROM sightings WHERE package = ?", number)
                self._ask("DELETE FROM packages WHERE id = ?", number)
        return len(gone)

    @property
    def room(self) -> int:
        """How many sightings may be added."""
        kept = self._ask("SELECT coalesce(sum(postings), 0) FROM packages").fetchone()[0]
        return max(0, MOST_KEPT - int(kept))

    def sources(self) -> list[Source]:
        """Every package that was learnt from."""
        with reading(self._path):
            return [Source(name, publishers) for _, name, publishers in self._packages()]

    def has(self, package: str) -> bool:
        """Whether this package was learnt from already, of the index as it is now."""
        row = self._ask("SELECT postings FROM packages WHERE name = ?", package).fetchone()
        return row is not None and self._fact("generation") == str(self._index.told.generation)

    def tally(self) -> Tally:
        """What was learnt so far."""
        with reading(self._path):
            packages = int(self._ask("SELECT count(*) FROM packages").fetchone()[0])
            shared = int(self._ask("SELECT count(DISTINCT hash) FROM sightings").fetchone()[0])
            return Tally(packages, shared, len(self._public()))

    def publish(self) -> Tally:
        """Put what is public in force for readers."""
        with reading(self._path):
            public = self._public()
        serial = int(self._fact("serial") or "0") + 1
        name = f"public-{serial}.npy"
        path = os.path.join(self._folder, name)
        with open(path, "wb") as stream:
            np.save(stream, public)
            stream.flush()
            os.fsync(stream.fileno())
        self._set_fact("serial", str(serial))
        before = manifest.read_public(self._folder)
        manifest.replace(
            self._folder,
            manifest.Public(
                key_id=self._index.told.key_id,
                serial=serial,
                hashes=manifest.part(self._folder, name),
            ),
        )
        kept = {name, before.hashes.name if before else ""}
        for old in os.listdir(self._folder):
            if old.startswith("public-") and old.endswith(".npy") and old not in kept:
                os.unlink(os.path.join(self._folder, old))
        return self.tally()

    def settle(self) -> None:
        """All packages were learnt from as the index is now: ``has`` may say so."""
        self._set_fact("generation", str(self._index.told.generation))

    def _begin(self) -> None:
        """Begin anew where the index has another key or other prints than what was learnt."""
        told = self._index.told
        now = f"{told.key_id} {told.parameters} {told.hash_bits}"
        if self._fact("of") != now:
            with transaction(self._connection):
                self._ask("DELETE FROM sightings")
                self._ask("DELETE FROM packages")
                self._set_fact("of", now)

    def _places(self, prints: Iterable[FilePrints]) -> tuple[Hashes, Places]:
        """The kept form of all prints of a package, and where ours of them stand."""
        seen: dict[bool, list[Hashes]] = {False: [], True: []}
        for file in prints:
            for channel, one in file.channels.items():
                seen[channel is Channel.WORDS].append(one.hashes)
        kept, found = np.empty(0, np.uint64), []
        for is_words, parts in seen.items():
            if not parts:
                continue
            channel = Channel.WORDS if is_words else Channel.TOKENS
            own, places = self._index.places_of(channel, np.unique(np.concatenate(parts)))
            found.append((places[0] + np.uint32(len(kept)), *places[1:]))
            kept = np.concatenate([kept, own])
        return kept, joined(found)

    def _published_before(
        self,
        at: int,
        files: npt.NDArray[np.uint32],
        first: npt.NDArray[np.int64],
        counts: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.bool_]:
        """For each print, whether its package is older than every file of ours that has it.

        A print of which not all files are known, and a file whose beginning is not, say no.
        """
        if not len(files):
            return np.zeros(0, np.bool_)
        numbers, places = np.unique(files, return_inverse=True)
        times = self._index.rows.first_commits(numbers.tolist())
        starts = np.array([times[number] for number in numbers.tolist()], np.int64)[places]
        earliest = np.minimum.reduceat(starts, first)
        return np.asarray((at > 0) & (at < earliest) & (counts < MOST_PLACES))

    def _put_package(self, package: Package, at: int) -> int:
        row = self._ask(
            "SELECT published_at, publishers FROM packages WHERE name = ?", package.name
        ).fetchone()
        publishers = package.publishers
        if row is not None:
            at = min(filter(None, (at, row[0])), default=0)
            publishers |= frozenset(json.loads(row[1]))
        names = json.dumps(sorted(publishers))
        self._ask(
            "INSERT INTO packages (name, publishers, published_at, postings) VALUES (?, ?, ?, 0) "
            "ON CONFLICT (name) DO UPDATE SET publishers = excluded.publishers, "
            "published_at = excluded.published_at",
            package.name, names, at,
        )  # fmt: skip
        row = self._ask("SELECT id FROM packages WHERE name = ?", package.name).fetchone()
        return int(row[0])

    def _public(self) -> Hashes:
        """The prints that are public by what was learnt, in order."""
        before = self._ask("SELECT DISTINCT hash FROM sightings WHERE is_before ORDER BY hash")
        public = {row[0] for row in before}
        publishers = {number: names for number, _, names in self._packages()}
        many = self._ask(
            "SELECT hash, group_concat(package) FROM sightings GROUP BY hash HAVING count(*) > 1"
        )
        for kept, packages in many:
            numbers = [int(one) for one in packages.split(",")[:_MOST_SIGHTINGS]]
            if kept not in public and _are_unrelated([publishers[one] for one in numbers]):
                public.add(kept)
        return np.sort(np.fromiter(public, np.int64, len(public)).astype(np.uint64) << _SHIFT)

    def _packages(self) -> list[tuple[int, str, frozenset[str]]]:
        rows = self._ask("SELECT id, name, publishers FROM packages").fetchall()
        return [(row[0], row[1], frozenset(json.loads(row[2]))) for row in rows]

    def _ask(self, question: str, *values: object) -> Cursor:
        return self._connection.execute(question, values)

    def _fact(self, name: str) -> str:
        row = self._ask("SELECT value FROM facts WHERE name = ?", name).fetchone()
        return str(row[0]) if row else ""

    def _set_fact(self, name: str, value: str) -> None:
        self._ask("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)


def _are_unrelated(publishers: Collection[frozenset[str]]) -> bool:
    """Whether two of these share no name; who has none cannot be told from another."""
    named = list(filter(None, publishers))
    return any(one.isdisjoint(other) for one in named for other in named)
