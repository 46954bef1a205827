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

TRACKED = "tracked"
"""A repository that was there when the watch began: what it holds is the past."""
FOUND = "found"
"""A repository that is new, or newly public: all of its history is new to the public."""
PUSHED = "pushed"
"""Somebody pushed to a repository; ``revision`` is the commit that the ref pointed to before."""
HISTORY = "history"
"""The past of a repository is asked for; ``revision`` is from when on (ISO 8601), empty for all."""

FETCHABLE = frozenset({CHANGED, CREATED, RELEASED, PUBLISHED, UNYANKED, RELEASED_FROM_QUARANTINE})
"""After these there may be something new to fetch; the others are only recorded."""
