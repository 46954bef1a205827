"""What the feeds of registries say, and how far they have been read."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field


class Checkpoint(Struct, frozen=True, kw_only=True):
    """How far a feed has been read, in the feed's own word (sequence, serial, etag)."""

    feed: str
    position: str
    moved_at: datetime


class Gap(Struct, frozen=True, kw_only=True):
    """A stretch of a feed that may have been missed; it starts a bounded backfill.

    ``kind`` is ``no-overlap``, ``serial-reset``, ``empty-page``, ``malformed-page`` or ``resync``;
    ``since`` and ``until`` are positions of the feed, empty where unknown.
    """

    feed: str
    kind: str
    detail: str = ""
    since: str = ""
    until: str = ""


class Notice(Struct, frozen=True, kw_only=True):
    """One row of a feed that may concern us. ``version`` is None where only the package is named.

    ``action`` is the watcher's word: ``published``, ``yanked``, ``removed`` ...; ``position`` is
    where in the feed it stood. ``revision`` is what the feed announced of the package's own record
    (npm's ``_rev``): a record that is older is not yet what the feed speaks of. ``place`` is the
    tracked place (``github:acme``) that a repository was found through, whatever its own name is.
    """

    ecosystem: str
    name: str
    action: str
    position: str
    version: str | None = None
    filename: str | None = None
    occurred_at: datetime | None = None
    revision: str = ""
    place: str = ""


class Page(Struct, frozen=True, kw_only=True):
    """What one poll gave. ``rows`` counts all rows read, also those that no notice came of."""

    notices: list[Notice]
    checkpoint: Checkpoint
    gaps: list[Gap] = field(default_factory=list)
    rows: int = 0


class Ownership(Struct, frozen=True, kw_only=True):
    """Whose a package is, and why the perimeter says so (``npm scope @acme``)."""

    organisation: str
    reason: str
