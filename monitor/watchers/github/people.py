"""A user's gists, and what an organisation's public members hold: repositories and gists.

Sources: GitHub's REST documentation, "List public organization members", "List gists for a user".
Bounded: so many members, the latest hundred of each, every ten minutes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from monitor.errors import NotFoundError
from monitor.registries.npm import time_of
from monitor.registries.repository import GISTS
from monitor.registries.rest import objects
from monitor.watchers import holdings
from monitor.watchers.holdings import Holding, Holdings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from monitor.registries.rest import Rest

EVERY = timedelta(minutes=10)
MAX_MEMBERS = 200
_MAX_PAGES = 3


class People:
    """The people of one organisation, or the one user that the place is."""

    def __init__(self, rest: Rest, login: str) -> None:
        self._rest = rest
        self._login = login
        self._asked_at: datetime | None = None

    async def holdings(self, now: datetime, *, is_user: bool) -> Holdings | None:
        """What they hold; None while it is not their turn. Raises as ``Rest.page``."""
        if self._asked_at is not None and now - self._asked_at < EVERY:
            return None
        found: Holdings = {}
        if is_user:
            found |= await self._gists(self._login)
        else:
            url = f"orgs/{quote(self._login)}/public_members?per_page=100"
            members = [row.get("login") for row in await self._rest.rows(url, _MAX_PAGES)]
            for member in members[:MAX_MEMBERS]:
                if isinstance(member, str) and holdings.is_name(member) and "/" not in member:
                    found |= await self._of(member)
        self._asked_at = now
        return found

    async def _of(self, member: str) -> Holdings:
        from .owner import of_rows

        url = f"users/{quote(member)}/repos?type=owner&sort=pushed&direction=desc&per_page=100"
        try:
            leaf = await self._rest.page(url)
            return of_rows(objects(leaf.value, url)) | await self._gists(member)
        except NotFoundError:
            return {}  # gone since the list was made

    async def _gists(self, login: str) -> Holdings:
        url = f"users/{quote(login)}/gists?per_page=100"
        leaf = await self._rest.page(url)
        found: Holdings = {}
        for row in objects(leaf.value, url):
            name = gist_name(login, row)
            if name:
                found[name] = Holding(0, holdings.epoch(time_of(row.get("updated_at"))))
        return found


def gist_name(login: str, row: Mapping[str, Any]) -> str:
    """``octocat/gists/aa5a315d61ae9438b18d`` of a public gist's row, or nothing."""
    gist = row.get("id")
    is_fit = isinstance(gist, str) and gist.isalnum() and gist.isascii() and len(gist) <= 64  # noqa: PLR2004 - gists have 20 to 32 digits
    return f"{login}{GISTS}{gist}" if is_fit and row.get("public") is not False else ""


def is_of_another(login: str) -> Callable[[str], bool]:
    """Whether a holding is a person's: another owner's, or a gist."""
    own = f"{login.lower()}/"
    return lambda name: not name.lower().startswith(own) or GISTS in name
