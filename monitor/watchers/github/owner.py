"""The repositories of one GitHub place, by a GraphQL sweep or by REST's list.

Sources: GitHub's REST documentation, "List organization repositories", "List repositories for a
user"; its GraphQL reference, ``RepositoryOwner.repositories``. With a token one query gives a
hundred repositories with their last push, newest release and default branch. Without one the list
is asked for, its first page (the latest pushes) at each poll, all of it once an hour.
"""

from __future__ import annotations

from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from monitor.errors import NotFoundError, TargetError
from monitor.http.settings import netloc_of
from monitor.model import Checkpoint, Notice
from monitor.registries.npm import time_of
from monitor.registries.rest import objects
from monitor.watchers import actions, holdings, pages
from monitor.watchers.holdings import MAX_REPOSITORIES, Holding, Holdings

from . import people, sweep

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from monitor.model import Page
    from monitor.registries.rest import Rest
    from monitor.watchers.interest import Interest

WHOLE_EVERY = timedelta(hours=1)
SWEEP_AGAIN = timedelta(hours=1)
MAX_PAGES = MAX_REPOSITORIES // 100
BACKFILL = "github/backfill"


class Owner:
    """One place (``acme`` or ``acme/cli``). ``siblings`` are all places, for a backfill."""

    def __init__(
        self,
        rest: Rest,
        graphql: str,
        place: str,
        *,
        siblings: Sequence[str] = (),
        has_members: bool = False,
    ) -> None:
        self.feed = f"github/{place}"
        self.place = f"github:{place}"
        self._rest = rest
        self._graphql = graphql
        self._siblings = siblings
        self._has_members = has_members
        self._login, _, self._glob = place.partition("/")
        self._kind = ""
        self._whole_at: datetime | None = None
        self._no_sweep_until: datetime | None = None
        self._polled_at: datetime | None = None
        self._people = people.People(rest, self._login)

    async def start_position(self) -> Checkpoint:
        """The beginning: what the first poll lists was there before."""
        return Checkpoint(feed=self.feed, position="", moved_at=self._rest.client.clock.now())

    async def poll(self, checkpoint: Checkpoint | None, *, limit: int = 0) -> Page:
        """What the place holds, against what it held. ``limit`` does not matter: a list is whole.

        Raises NotFoundError (no such owner), DeniedError, TransientError, TargetError.
        """
        del limit
        now = self._rest.client.clock.now()
        if checkpoint is None:
            return pages.standing(await self.start_position())
        if self._is_to_be_spared(now):
            return pages.standing(checkpoint)
        self._polled_at = now
        try:
            before = holdings.read(checkpoint.position)
        except ValueError as error:
            return pages.gap(checkpoint, "malformed-page", str(error), rewound_to="", at=now)
        found, is_whole = await self._listed(now, is_first=before is None)
        if self._has_members or self._kind == "User":
            theirs = await self._people.holdings(now, is_user=self._kind == "User")
            if theirs is None:  # not their turn: they are where they were
                is_theirs = people.is_of_another(self._login)
                theirs = {name: one for name, one in (before or {}).items() if is_theirs(name)}
            found = theirs | found
        notices, after = holdings.compared(
            "github", before, found, place=self.place, is_whole=is_whole
        )
        position = holdings.written(after)
        return pages.moved(checkpoint, position, notices, at=now, rows=len(found))

    async def backfill(
        self, since: datetime | None, interest: Interest, *, after: str = ""
    ) -> AsyncIterator[Page]:
        """All repositories of all places, one page a place; each is asked for its own past."""
        del interest
        for place in self._siblings:
            if place <= after:
                continue
            other = Owner(self._rest, self._graphql, place, has_members=self._has_members)
            now = self._rest.client.clock.now()
            found, _ = await other._listed(now, is_first=True)
            if other._has_members or other._kind == "User":
                user = other._kind == "User"
                found |= await other._people.holdings(now, is_user=user) or {}
            notices = [
                past(name, one, since, other.place)
                for name, one in found.items()
                if since is None or one.pushed >= holdings.epoch(since)
            ]
            checkpoint = Checkpoint(feed=BACKFILL, position=place, moved_at=now)
            yield pages.moved(checkpoint, place, notices, at=now, rows=len(found))

    async def _listed(self, now: datetime, *, is_first: bool) -> tuple[Holdings, bool]:
        """What the place holds, and whether that is all of it."""
        if self._glob and not any(character in self._glob for character in "*?["):
            return await self._single(), True
        if self._rest.is_authorised and (self._no_sweep_until or now) <= now:
            try:
                rows = await sweep.rows(self._rest, self._graphql, self._login, MAX_PAGES)
            except TargetError as error:
                if error.reason != "graphql":
                    raise
                self._no_sweep_until = now + SWEEP_AGAIN
            else:
                await self._know_kind()
                return self._ours(sweep.holdings_of(rows)), True
        return await self._by_list(now, is_first=is_first)

    async def _by_list(self, now: datetime, *, is_first: bool) -> tuple[Holdings, bool]:
        kind = await self._know_kind()
        way = "orgs" if kind == "Organization" else "users"
        what = "type=public" if kind == "Organization" else "type=owner"
        url = f"{way}/{quote(self._login)}/repos?{what}&sort=pushed&direction=desc&per_page=100"
        is_due = is_first or self._whole_at is None or now - self._whole_at >= WHOLE_EVERY
        found: Holdings = {}
        for _ in range(MAX_PAGES):
            leaf = await self._rest.page(url)
            found |= of_rows(objects(leaf.value, url))
            url = leaf.next_url
            if not url or not (is_due or self._rest.is_authorised):
                break
        if not url:
            self._whole_at = now
        return self._ours(found), not url

    async def _single(self) -> Holdings:
        url = f"repos/{quote(self._login)}/{quote(self._glob)}"
        try:
            leaf = await self._rest.page(url)
        except NotFoundError:
            return {}  # removed, private, or not there yet
        if not isinstance(leaf.value, dict):
            raise TargetError(f"{url} is no repository", reason="bad-answer")
        return of_rows([leaf.value])

    async def _know_kind(self) -> str:
        """``Organization`` or ``User``, asked once. Raises NotFoundError."""
        if not self._kind:
            leaf = await self._rest.page(f"users/{quote(self._login)}")
            told = leaf.value.get("type") if isinstance(leaf.value, dict) else None
            self._kind = told if isinstance(told, str) else "User"
        return self._kind

    def _ours(self, found: Holdings) -> Holdings:
        if not self._glob:
            return found
        wanted = f"{self._login}/{self._glob}".lower()
        return {name: one for name, one in found.items() if fnmatchcase(name.lower(), wanted)}

    def _is_to_be_spared(self, now: datetime) -> bool:
        """Whether what is left of the limit is better spent later: half of it is for looking.

        The requests that remain are spread over the time until the limit is reset.
        """
        netloc = netloc_of(self._rest.api)
        account = self._rest.client.limits.accounts.get((netloc, "core"))
        if account is None or account.remaining is None or self._polled_at is None:
            return False
        left = account.reset - now.timestamp()
        if left <= 0 or account.limit is None or account.remaining > account.limit // 2:
            return False
        each = left / max(1, account.remaining // 2)
        return (now - self._polled_at).total_seconds() < each


def of_rows(rows: Sequence[Mapping[str, Any]]) -> Holdings:
    """The public repositories of REST's rows. Rows without sense are left out."""
    found: Holdings = {}
    for row in rows:
        name = row.get("full_name")
        if not isinstance(name, str) or not holdings.is_name(name) or name.count("/") != 1:
            continue
        if row.get("private") is True:
            continue
        number = row.get("id")
        found[name] = Holding(
            number if isinstance(number, int) else 0,
            holdings.epoch(time_of(row.get("pushed_at"))),
            "",
            row.get("fork") is True,
        )
    return found


def past(name: str, one: Holding, since: datetime | None, place: str) -> Notice:
    """The notice that asks for a repository's past."""
    wanted = since.isoformat() if since is not None else ""
    return Notice(
        ecosystem="github",
        name=name,
        action=actions.HISTORY,
        position=f"history/{wanted or 'all'}/{one.pushed}",
        revision=wanted,
        place=place,
    )
