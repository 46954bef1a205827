"""How a database's schema stands to this program, and which older program may stay with it.

During a rolling upgrade the programs on a database differ. A revision that only adds, so that the
leakmon before it works on with the tables as they have become, says so: ``works_with = "0003"`` in
its file names the oldest schema whose program may stay. The upgrade leaves that in the database,
where an older program, which cannot know the newer revision, reads it: it works on (``AHEAD``) or
refuses. A revision that says nothing lets no older program stay.
"""

from __future__ import annotations

import enum
import os
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from monitor.errors import ConfigError
from monitor.store.tables_work import SchemaWindowRow


class Standing(enum.Enum):
    """How a database's schema compares with this program's."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    AHEAD = "ahead"
    """Newer, but this program may stay."""
    NEWER = "newer"


class Schema(Struct, frozen=True):
    """What ``status`` says: revisions are empty where there is none."""

    standing: Standing
    revision: str
    newest: str


def revisions() -> list[str]:
    """All revisions, oldest first."""
    return [script.revision for script in scripts().walk_revisions()][::-1]


def standing_of(connection: sa.Connection) -> Schema:
    """How the database at the other end stands."""
    from alembic.migration import MigrationContext

    revision = MigrationContext.configure(connection).get_current_revision() or ""
    latest = newest()
    if not revision:
        return Schema(Standing.EMPTY, "", latest)
    if revision == latest:
        return Schema(Standing.CURRENT, revision, latest)
    known = revisions()
    if revision in known:
        return Schema(Standing.OLDER, revision, latest)
    is_window = sa.inspect(connection).has_table(SchemaWindowRow.__tablename__)
    query = sa.select(SchemaWindowRow.oldest).where(SchemaWindowRow.revision == revision)
    oldest = connection.scalar(query) if is_window else None
    return Schema(Standing.AHEAD if oldest in known else Standing.NEWER, revision, latest)


def fit(found: Schema) -> None:
    """Raises ConfigError for a database whose program of today lets this one not stay."""
    if found.standing is Standing.NEWER:
        raise ConfigError(
            f"the database is of a newer leakmon (schema {found.revision}, this one knows up "
            f"to {found.newest}): upgrade leakmon, or restore a backup from before"
        )


def open_window(connection: sa.Connection) -> None:
    """Leave word of the oldest schema whose program may stay."""
    if not sa.inspect(connection).has_table(SchemaWindowRow.__tablename__):
        return  # a schema from before there was a window
    from alembic.migration import MigrationContext

    revision = MigrationContext.configure(connection).get_current_revision()
    module = scripts().get_revision(revision).module
    oldest = getattr(module, "works_with", revision)
    connection.execute(sa.delete(SchemaWindowRow))
    connection.execute(sa.insert(SchemaWindowRow).values(revision=revision, oldest=oldest))


def newest() -> str:
    """The revision that this program's tables are declared by."""
    return revisions()[-1]


def scripts() -> Any:
    """Alembic's view of the revisions."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(folder())


def folder() -> str:
    """Where the migrations lie: in the wheel, or beside a checkout's code."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for place in (
        os.path.join(package, "_bundled", "alembic"),
        os.path.join(os.path.dirname(package), "alembic"),
    ):
        if os.path.isfile(os.path.join(place, "env.py")):
            return place
    raise ConfigError("the migrations that come with leakmon are missing: install it again")
