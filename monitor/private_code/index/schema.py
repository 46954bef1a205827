"""The tables of a catalogue and how its file is opened. SQL of the index is here and beside it.

The catalogue is a file of its own, made and read on machines that have no leakmon database.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING
from urllib.parse import quote

from monitor.private_code.index.faults import damaged, replaced

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    refs TEXT NOT NULL,
    has_history INTEGER NOT NULL,
    is_shallow INTEGER NOT NULL DEFAULT 0,
    heads TEXT NOT NULL DEFAULT '[]',
    updated_at INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS files (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL,
    path TEXT NOT NULL,
    language TEXT NOT NULL,
    lines INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    commit_id TEXT NOT NULL,
    first_commit_at INTEGER NOT NULL,
    selected TEXT NOT NULL,
    UNIQUE (source, path)
);
CREATE TABLE IF NOT EXISTS places (
    source INTEGER NOT NULL,
    path TEXT NOT NULL,
    file INTEGER NOT NULL,
    is_present INTEGER NOT NULL,
    PRIMARY KEY (source, path)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS places_by_file ON places (file);
CREATE TABLE IF NOT EXISTS seen (
    source INTEGER NOT NULL,
    path TEXT NOT NULL,
    blob BLOB NOT NULL,
    PRIMARY KEY (source, path, blob)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs (
    blob BLOB NOT NULL,
    kind TEXT NOT NULL,
    file INTEGER NOT NULL,
    PRIMARY KEY (blob, kind)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS skipped (
    source INTEGER NOT NULL,
    path TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (source, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS digests (
    digest BLOB NOT NULL, file INTEGER NOT NULL, PRIMARY KEY (digest, file)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS suffixes (
    suffix BLOB NOT NULL, file INTEGER NOT NULL, PRIMARY KEY (suffix, file)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS walked (
    source INTEGER NOT NULL, commit_id TEXT NOT NULL, PRIMARY KEY (source, commit_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segments (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE,
    entries INTEGER NOT NULL,
    size INTEGER NOT NULL,
    digest TEXT NOT NULL
);
"""

Connection = sqlite3.Connection
Cursor = sqlite3.Cursor

BY_FILE = ("digests", "suffixes", "blobs", "places")
BY_SOURCE = ("files", "places", "seen", "skipped", "walked")


def connected(path: str, tables: str = TABLES) -> Connection:
    """A file that is written to, made for its owner alone if it is not there."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    with _told(path):
        connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(tables)
        return connection


def snapshot(path: str) -> Connection:
    """A snapshot, which nobody changes any more; many threads may ask in turn.

    Raises TransientError if it is gone: what is open already stays readable.
    """
    if not os.path.exists(path):
        raise replaced(path)
    with _told(path):
        return sqlite3.connect(
            f"file:{quote(path)}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # ours, not the file's
    except sqlite3.DatabaseError as error:
        raise damaged(path, str(error)) from None


@contextlib.contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


reading = _told
"""A block in which SQLite's complaint about this file becomes a ConfigError."""


def write_empty(path: str) -> None:
    """A snapshot in which nothing is written: that of a sketch."""
    with _told(path), contextlib.closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.executescript(TABLES)
