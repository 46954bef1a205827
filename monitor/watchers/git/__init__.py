"""Any address of git, by ``ls-remote``: what its refs point to is all that there is to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import NotFoundError
from monitor.model import Checkpoint, Notice
from monitor.registries.repository import is_address, name_of
from monitor.watchers import actions, pages
from monitor.watchers.holdings import digest
from monitor.watchers.perimeter.facts import PackageFacts
from monitor.watchers.perimeter.repositories import globs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from monitor.model import Page
    from monitor.registries.network import Network
    from monitor.registries.settings import NetworkSettings
    from monitor.watchers.interest import Interest

BACKFILL = "git/backfill"
GONE = "gone"


def watch(settings: NetworkSettings, network: Network) -> list[Address]:
    """One feed for each address that no forge's feed covers."""
    found = tracked(settings)
    return [Address(network, one, siblings=found) for one in found]


def tracked(settings: NetworkSettings) -> list[str]:
    """The addresses that are watched."""
    wanted = [one for one in settings.repositories if _is_certain(one) and globs(one, "git")]
    return [one for one in dict.fromkeys(wanted) if not any(each in one for each in "*?[")]


def _is_certain(entry: str) -> bool:
    """Whether an entry is surely git's: a web address may stand for all that lies below it."""
    is_web = entry.startswith(("http:", "https:"))
    return is_address(entry) and (not is_web or entry.endswith(".git"))


async def ownership(_settings: NetworkSettings, _network: Network, name: str) -> PackageFacts:
    """Nothing needs to be asked: the address says whose it is."""
    return PackageFacts(ecosystem="git", name=name)


class Address:
    """One repository; the position is a digest of its refs."""

    def __init__(self, network: Network, address: str, *, siblings: Sequence[str] = ()) -> None:
        self.name = name_of(address)
        self.feed = f"git/{self.name}"
        self._network = network
        self._address = address
        self._siblings = siblings

    async def start_position(self) -> Checkpoint:
        """The beginning: what is there at the first poll was there before."""
        return self._at("")

    async def poll(self, checkpoint: Checkpoint | None, *, limit: int = 0) -> Page:
        """Whether the refs are others. Raises DeniedError, TransientError, TargetError."""
        del limit
        if checkpoint is None:
            return pages.standing(await self.start_position())
        before = checkpoint.position
        now = self._network.client.clock.now()
        try:
            position = digest(await self._network.mirrors.refs(self._address.removeprefix("git+")))
        except NotFoundError:
            position = GONE
        if position == before:
            return pages.standing(checkpoint, rows=1)
        action = actions.CHANGED
        if position == GONE:
            action = actions.REMOVED
        elif not before:
            action = actions.TRACKED
        elif before == GONE:
            action = actions.FOUND
        if action == actions.REMOVED and not before:
            return pages.moved(checkpoint, position, [], at=now, rows=1)
        notice = Notice(
            ecosystem="git",
            name=self.name,
            action=action,
            position=f"{action}/{position[:16]}/{int(now.timestamp())}",
            occurred_at=None if action in {actions.REMOVED, actions.TRACKED} else now,
        )
        return pages.moved(checkpoint, position, [notice], at=now, rows=1)

    async def backfill(
        self, since: datetime | None, interest: Interest, *, after: str = ""
    ) -> AsyncIterator[Page]:
        """Each address is asked for its own past."""
        del interest
        now = self._network.client.clock.now()
        for address in sorted(self._siblings):
            if address <= after:
                continue
            wanted = since.isoformat() if since is not None else ""
            notice = Notice(
                ecosystem="git",
                name=name_of(address),
                action=actions.HISTORY,
                position=f"history/{wanted or 'all'}/{int(now.timestamp())}",
                revision=wanted,
            )
            checkpoint = Checkpoint(feed=BACKFILL, position=address, moved_at=now)
            yield pages.moved(checkpoint, address, [notice], at=now, rows=1)

    def _at(self, position: str) -> Checkpoint:
        now = self._network.client.clock.now()
        return Checkpoint(feed=self.feed, position=position, moved_at=now)
