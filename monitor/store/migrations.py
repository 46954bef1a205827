"""The schema's versions: what a database has, bringing it up to date, and copying it.

Alembic and the synchronous drivers are imported here and nowhere else; all of it is for the start
of the daemon and for ``leakmon db``, in a thread or before there is a loop.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from monitor.errors import ConfigError, TransientError
from monitor.store import tables, tables_repositories, tables_work
from monitor.store.columns import Json, Moment, Row, Words
from monitor.store.database import address, prepare, translated
from monitor.store.standing import (
    Schema,
    Standing,
    fit,
    folder,
    newest,
    open_window,
    revisions,
    standing_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic.config import Config

__all__ = ["Schema", "Standing", "revisions"]

ADVISORY_LOCK = 0x6C65616B6D6F6E
"""Whoever migrates a PostgreSQL database holds this: the word leakmon."""

SCHEMA = (tables, tables_work, tables_repositories)
"""The modules that declare tables; to import them is to know them."""


def status(url: str, *, timeout: float = 5) -> Schema:
    """How the database stands; a SQLite file that is not there counts as empty."""
    place = address(url)
    if place.get_backend_name() == "sqlite" and not os.path.exists(place.database or ""):
        return Schema(Standing.EMPTY, "", newest())
    with _connected(url, timeout=timeout) as connection:
        return standing_of(connection)


def upgrade(url: str, *, timeout: float = 30, revision: str = "head") -> Schema:
    """Bring an empty or older database up to date, whole or not at all; gives how it stood.

    Only one process migrates at a time; another waits ``timeout`` seconds, then TransientError.
    A database of a newer leakmon that lets this one stay is left as it is; for any other one
    ConfigError, with the remedy.
    """
    from alembic import command

    _owned(url)
    with alone(url, timeout=timeout) as connection:
        before = standing_of(connection)
        fit(before)
        if before.standing is Standing.AHEAD:
            return before
        if before.standing is not Standing.CURRENT or revision != "head":
            command.upgrade(_config(connection), revision)
            open_window(connection)
            _whole(connection)
        return before


def working(url: str, *, timeout: float = 5) -> Schema:
    """How a database stands that this program may work on as it is.

    Raises ConfigError if only another program may, TransientError (``schema-older``) if an upgrade
    of the database is all that it takes.
    """
    found = status(url, timeout=timeout)
    fit(found)
    if found.standing in (Standing.EMPTY, Standing.OLDER):
        raise TransientError(
            f"the database is older than this leakmon (schema {found.revision or 'none'}, it needs "
            f"{found.newest}): run leakmon db upgrade, or start leakmon watch of this version",
            reason="schema-older",
        )
    return found


@contextmanager
def alone(url: str, *, timeout: float) -> Iterator[sa.Connection]:
    """One connection in one transaction, while nobody else changes the schema."""
    with _connected(url, timeout=timeout) as connection:
        _lock(connection, timeout)
        yield connection


def downgrade(url: str, revision: str, *, timeout: float = 30) -> None:
    """Take the schema, and the data that it had no place for, back to ``revision`` or ``base``."""
    from alembic import command

    with alone(url, timeout=timeout) as connection:
        command.downgrade(_config(connection), revision)
        open_window(connection)
        _whole(connection)


def differences(url: str) -> list[Any]:
    """What autogenerate would change in the database to make it as the tables are declared."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with _connected(url, timeout=5) as connection:
        context = MigrationContext.configure(connection, opts=OPTIONS)
        return list(compare_metadata(context, Row.metadata))


def revise(url: str, message: str, name: str) -> None:
    """Write the revision ``name`` which takes an upgraded database to the tables as declared."""
    from alembic import command

    with _connected(url, timeout=5) as connection:
        command.revision(_config(connection), message, autogenerate=True, rev_id=name)


def backup(url: str, path: str) -> None:
    """Copy a SQLite database into the new file ``path`` while others go on writing.

    The file appears when it is whole. Raises ConfigError if it exists, or for PostgreSQL, whose
    own tool does it: the error says the command.
    """
    place = address(url)
    if place.get_backend_name() != "sqlite":
        shown = place.set(drivername="postgresql", password=None).render_as_string()
        raise ConfigError(
            f"PostgreSQL backs itself up: pg_dump --format=custom --file={path} {shown}"
        )
    assert place.database is not None
    if not os.path.exists(place.database):
        raise ConfigError(f"{place.database}: there is no database to back up")
    part = f"{path}.part{os.getpid()}"
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with (
            closing(sqlite3.connect(place.database)) as source,
            closing(sqlite3.connect(part)) as to,
        ):
            source.backup(to, pages=4096, sleep=0.005)
            to.execute("PRAGMA journal_mode=DELETE")
        _flushed(part)
        os.link(part, path)  # unlike a rename, this never replaces a file
        _flushed(os.path.dirname(os.path.abspath(path)))
    except FileExistsError:
        raise ConfigError(f"{path}: exists already: name another file") from None
    except OSError as error:
        raise ConfigError(f"{path}: the backup cannot be written ({error.strerror})") from None
    except sqlite3.Error as error:
        raise TransientError(f"{path}: the backup failed ({error})", reason="database") from None
    finally:
        if os.path.exists(part):
            os.unlink(part)


def _owned(url: str) -> None:
    """A new SQLite file is for its owner alone; its log and index take the same mode."""
    place = address(url)
    if place.get_backend_name() == "sqlite" and place.database:
        try:
            os.close(os.open(place.database, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise ConfigError(f"database.url: {place.database}: {error.strerror}") from None


def _flushed(path: str) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _connected(url: str, *, timeout: float) -> Iterator[sa.Connection]:
    """One connection in one transaction, without foreign keys: SQLite's tables are made anew."""
    place = address(url)
    is_sqlite = place.get_backend_name() == "sqlite"
    arguments = {} if is_sqlite else {"connect_timeout": max(2, int(timeout))}
    engine = sa.create_engine(place, poolclass=NullPool, connect_args=arguments)
    prepare(engine, has_foreign_keys=False, busy_milliseconds=int(timeout * 1000))
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise translated(error) from error
    finally:
        engine.dispose()


def _lock(connection: sa.Connection, timeout: float) -> None:
    """PostgreSQL: an advisory lock. SQLite has its write lock since the transaction began."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(timeout * 1000)}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")


def _whole(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        assert broken is None, f"the migration broke a reference: {broken}"


def _config(connection: sa.Connection) -> Config:
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", folder().replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _rendered(kind: str, item: Any, _context: object) -> str | bool:
    """Our column types as the plain ones that they are: a migration outlives our classes."""
    if kind == "type" and isinstance(item, Words | Json):
        return "sa.Text()"
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    return False


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a table is declared here: the cluster's queue brings its own, and migrates them."""
    return kind != "table" or not (name or "").startswith("procrastinate_")


OPTIONS: dict[str, Any] = {
    "include_name": _is_ours,
    "target_metadata": Row.metadata,
    "render_as_batch": True,
    "compare_type": True,
    "render_item": _rendered,
}
"""How Alembic reads and writes our schema."""
