"""The lines of PyPI's journal: what was done to a project, in the words of its source (warehouse).

``create``, ``new release``, ``add py3 file acme-1.0-py3-none-any.whl``, ``remove file ...``,
``yank release``, ``add Owner alice``, ``project quarantined`` and so on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from packaging.utils import canonicalize_name

from monitor.model import Notice
from monitor.watchers import actions

_WHOLE = {
    "create": actions.CREATED,
    "new release": actions.RELEASED,
    "yank release": actions.YANKED,
    "unyank release": actions.UNYANKED,
    "remove release": actions.REMOVED,
    "remove project": actions.REMOVED,
    "remove": actions.REMOVED,  # as it was written before 2018, of releases and projects
    "project quarantined": actions.QUARANTINED,
    "release quarantined": actions.QUARANTINED,
    "project quarantine cleared": actions.RELEASED_FROM_QUARANTINE,
    "release quarantine cleared": actions.RELEASED_FROM_QUARANTINE,
}
_ROLES = ("Owner", "Maintainer")
_ROLE_VERBS = {"add", "remove", "change", "accepted", "declined", "invite", "revoke_invite"}
_ROW = 5
_MAX_NAME = 512
_MAX_SERIAL = 1 << 63


def notice(row: Any) -> Notice | None:
    """``[name, version or None, unix time, action, serial]`` as a notice; None without sense."""
    if not isinstance(row, list) or len(row) != _ROW:
        return None
    name, version, at, action, number = row
    position = serial(number)
    if not isinstance(name, str) or not isinstance(action, str) or position is None:
        return None
    if not 0 < len(name) <= _MAX_NAME or not name.isprintable() or "/" in name:
        return None
    meaning, filename = meaning_of(action)
    return Notice(
        ecosystem="pypi",
        name=canonicalize_name(name),
        version=version[:_MAX_NAME] if isinstance(version, str) and version else None,
        filename=filename,
        action=meaning,
        position=str(position),
        occurred_at=_time(at),
    )


def meaning_of(action: str) -> tuple[str, str | None]:
    """Our word for a journal's, and the file that it names. What nobody knows is a change."""
    whole = _WHOLE.get(action)
    if whole is not None:
        return whole, None
    verb, _, rest = action.partition(" ")
    kind, found, filename = rest.partition("file ")
    if found and filename:
        if verb == "add":
            return actions.PUBLISHED, filename
        if verb == "remove" and not kind.strip():
            return actions.REMOVED, filename
    if verb in _ROLE_VERBS and rest.startswith(_ROLES):
        return actions.ROLES_CHANGED, None
    return actions.CHANGED, None


def serial(number: object) -> int | None:
    """A serial; they may arrive as text. None for what is none."""
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 20:  # noqa: PLR2004 - 64 bits have at most 20 digits
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < _MAX_SERIAL:
        return None
    return number


def _time(at: object) -> datetime | None:
    if isinstance(at, bool) or not isinstance(at, int | float):
        return None
    try:
        return datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return None
