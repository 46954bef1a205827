"""GitLab groups (and users): the list of public projects, and ``ls-remote`` for the busy ones.

Source: GitLab's REST documentation, "List a group's projects" (``include_subgroups``, pages by
``Link``), "List a user's projects". GitLab moves ``last_activity_at`` at most once an hour: a
project that was active within the last hour is asked for its refs by git at each poll.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from monitor.errors import NotFoundError, TargetError
from monitor.model import Checkpoint, Notice
from monitor.registries.npm import time_of
from monitor.registries.repository import named
from monitor.watchers import actions, holdings, pages
from monitor.watchers.holdings import Holding, Holdings, digest
from monitor.watchers.perimeter.facts import PackageFacts
from monitor.watchers.perimeter.repositories import place as place_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from monitor.model import Page
    from monitor.registries.network import Network
    from monitor.registries.settings import NetworkSettings
    from monitor.watchers.interest import Interest

BACKFILL = "gitlab/backfill"
BUSY = timedelta(minutes=75)
MAX_BUSY = 200
MAX_PAGES = 200


def watch(settings: NetworkSettings, network: Network) -> list[Group]:
    """One feed for each tracked group, user or project."""
    found = tracked(settings)
    return [Group(settings, network, one, siblings=found) for one in found]


def tracked(settings: NetworkSettings) -> list[str]:
    """The paths that are watched: ``acme``, ``acme/tools``, ``acme/tools/cli``."""
    found = []
    for entry in settings.repositories:
        kind, _, path = place_of(entry).partition(":")
        if kind == "gitlab" and path and not any(character in path for character in "*?["):
            found.append(path)
    return list(dict.fromkeys(found))


async def ownership(_settings: NetworkSettings, _network: Network, name: str) -> PackageFacts:
    """Nothing needs to be asked: a project's path says whose it is."""
    return PackageFacts(ecosystem="gitlab", name=name)


class Group:
    """One path. The position is what it holds; the mark of a busy project is that of its refs."""

    def __init__(
        self,
        settings: NetworkSettings,
        network: Network,
        path: str,
        *,
        siblings: Sequence[str] = (),
    ) -> None:
        self.feed = f"gitlab/{path}"
        self.place = f"gitlab:{path}"
        self._path = path
        self._settings = settings
        self._network = network
        self._rest = network.gitlab.rest
        self._siblings = siblings

    async def start_position(self) -> Checkpoint:
        """The beginning: what the first poll lists was there before."""
        return Checkpoint(feed=self.feed, position="", moved_at=self._rest.client.clock.now())

    async def poll(self, checkpoint: Checkpoint | None, *, limit: int = 0) -> Page:
        """What the path holds, against what it held.

        Raises NotFoundError (no such path), DeniedError, TransientError, TargetError.
        """
        del limit
        now = self._rest.client.clock.now()
        if checkpoint is None:
            return pages.standing(await self.start_position())
        try:
            before = holdings.read(checkpoint.position)
        except ValueError as error:
            return pages.gap(checkpoint, "malformed-page", str(error), rewound_to="", at=now)
        found = await self._marked(await self._listed(), now)
        notices, after = holdings.compared("gitlab", before, found, place=self.place, is_whole=True)
        position = holdings.written(after)
        return pages.moved(checkpoint, position, notices, at=now, rows=len(found))

    async def backfill(
        self, since: datetime | None, interest: Interest, *, after: str = ""
    ) -> AsyncIterator[Page]:
        """All projects of all paths, one page a path; each is asked for its own past."""
        del interest
        now = self._rest.client.clock.now()
        wanted = since.isoformat() if since is not None else ""
        for path in sorted(self._siblings):
            if path <= after:
                continue
            other = Group(self._settings, self._network, path)
            found = await other._listed()
            notices = [
                Notice(
                    ecosystem="gitlab",
                    name=name,
                    action=actions.HISTORY,
                    position=f"history/{wanted or 'all'}/{one.pushed}",
                    revision=wanted,
                    place=other.place,
                )
                for name, one in found.items()
                if since is None or one.pushed >= holdings.epoch(since)
            ]
            checkpoint = Checkpoint(feed=BACKFILL, position=path, moved_at=now)
            yield pages.moved(checkpoint, path, notices, at=now, rows=len(found))

    async def _listed(self) -> Holdings:
        """The public projects of a group with its subgroups, of a user, or the one project."""
        path = quote(self._path, safe="")
        order = "order_by=last_activity_at&sort=desc&per_page=100&visibility=public"
        ways = [f"groups/{path}/projects?include_subgroups=true&{order}"]
        if "/" not in self._path:
            ways.append(f"users/{path}/projects?{order}")
        for url in ways:
            try:
                return of_rows(await self._rest.rows(url, MAX_PAGES))
            except NotFoundError:
                continue
        if "/" not in self._path:
            raise NotFoundError(f"{self.place}: there is no such group or user")
        try:
            leaf = await self._rest.page(f"projects/{path}")
        except NotFoundError:
            return {}  # removed, private, or not there yet
        if not isinstance(leaf.value, dict):
            raise TargetError(f"{self.place} is no project", reason="bad-answer")
        return of_rows([leaf.value])

    async def _marked(self, found: Holdings, now: datetime) -> Holdings:
        """The holdings, the busy ones with a digest of their refs."""
        busy = holdings.epoch(now - BUSY)
        names = [name for name, one in found.items() if one.pushed >= busy][:MAX_BUSY]
        for name in names:
            address = named("gitlab", name, self._settings).address
            try:
                mark = digest(await self._network.mirrors.refs(address))
            except (NotFoundError, TargetError):
                continue
            one = found[name]
            found[name] = Holding(one.number, one.pushed, mark, one.is_fork)
        return found


def of_rows(rows: Sequence[Mapping[str, Any]]) -> Holdings:
    """The public projects of the rows. Rows without sense are left out."""
    found: Holdings = {}
    for row in rows:
        name, number = row.get("path_with_namespace"), row.get("id")
        if not isinstance(name, str) or not holdings.is_name(name):
            continue
        if row.get("visibility", "public") != "public":
            continue
        found[name] = Holding(
            number if isinstance(number, int) else 0,
            holdings.epoch(time_of(row.get("last_activity_at"))),
            "",
            isinstance(row.get("forked_from_project"), dict),
        )
    return found
