"""Procrastinate's own schema: put into a database, and brought up to date with the library.

The library numbers its migrations and marks each as ``pre`` (before the new program) or ``post``
(after the last old one is gone). Which ones a database has is on record in a table of ours, since
procrastinate keeps no such record. ``pre`` ones are done at once; ``post`` ones by the next upgrade
after, when the machines have been brought up to date.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING, Any

import psycopg
from procrastinate.schema import SchemaManager

from monitor.errors import LeakmonError
from monitor.store import migrations

if TYPE_CHECKING:
    import sqlalchemy as sa

_LATER = re.compile(r"\d\d\.\d\d\.\d\d_\d\d_post_")


def upgrade(url: str, *, timeout: float = 30) -> list[str]:
    """Bring procrastinate's schema up to date, whole or not at all; the migrations that ran.

    A database that has none gets all of it at once, said as ``schema``.
    """
    with migrations.alone(url, timeout=timeout) as connection:
        cursor = _cursor(connection)
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS procrastinate_migrations (name text PRIMARY KEY)"
        )
        if _has_none(cursor):
            cursor.execute(SchemaManager.get_schema().encode())
            _note(cursor, known())
            return ["schema"]
        cursor.execute("SELECT name FROM procrastinate_migrations")
        done = {row[0] for row in cursor.fetchall()}
        if not done:  # somebody else's procrastinate shares the database: it is theirs to upgrade
            return []
        chosen = pending(known(), done)
        for name in chosen:
            try:
                cursor.execute(_text(name).encode())
            except psycopg.Error as error:
                raise LeakmonError(
                    f"procrastinate's migration {name} failed: {error.diag.message_primary}",
                    reason="database",
                ) from error
        _note(cursor, chosen)
        return chosen


def known() -> list[str]:
    """All migrations of the library, in their order."""
    found = resources.files("procrastinate.sql").joinpath("migrations").iterdir()
    return sorted(path.name for path in found if path.name.endswith(".sql"))


def pending(all_of_them: list[str], done: set[str]) -> list[str]:
    """What to do now: the first kind if any of it is to be done, else the second."""
    missing = [name for name in all_of_them if name not in done]
    return [name for name in missing if not _LATER.match(name)] or missing


def _text(name: str) -> str:
    return resources.files("procrastinate.sql").joinpath("migrations", name).read_text("utf-8")


def _has_none(cursor: psycopg.Cursor[Any]) -> bool:
    cursor.execute("SELECT to_regclass('procrastinate_jobs')")
    row = cursor.fetchone()
    return row is None or row[0] is None


def _note(cursor: psycopg.Cursor[Any], names: list[str]) -> None:
    rows = [(name,) for name in names]
    cursor.executemany("INSERT INTO procrastinate_migrations VALUES (%s)", rows)


def _cursor(connection: sa.Connection) -> psycopg.Cursor[Any]:
    """The driver's own: procrastinate's files hold many statements each."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw.cursor()
