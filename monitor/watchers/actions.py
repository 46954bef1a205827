"""The words for what a feed says of a package, the same for all feeds (``Notice.action``)."""

from __future__ import annotations

CHANGED = "changed"
"""Something of the package: what it was is for the package's own record to say."""
CREATED = "created"
RELEASED = "released"
"""A version exists; its files are announced one by one, or not at all."""
PUBLISHED = "published"
"""A file can be fetched."""
YANKED = "yanked"
UNYANKED = "unyanked"
REMOVED = "removed"
"""The file if there is one, else the version if there is one, else the whole package."""
QUARANTINED = "quarantined"
RELEASED_FROM_QUARANTINE = "quarantine-cleared"
ROLES_CHANGED = "roles-changed"
"""Who owns or maintains the package is another than before: it may become ours, or cease to be."""

FETCHABLE = frozenset({CHANGED, CREATED, RELEASED, PUBLISHED, UNYANKED, RELEASED_FROM_QUARANTINE})
"""After these there may be something new to fetch; the others are only recorded."""
