"""Watchers: a checkpoint in; notices, a new checkpoint and gaps out.

They hold no store, no loop and no clock of their own (the client's is injected). A page's
checkpoint is to be stored together with the work that its notices are, never before.

To add a registry: write ``monitor/watchers/<name>.py`` (or a package) and its line here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from monitor.registries.network import Network
from monitor.registries.settings import NetworkSettings
from monitor.watchers import git, github, gitlab, npm, pypi
from monitor.watchers.perimeter import PackageFacts

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.model import Checkpoint, Page
    from monitor.watchers.interest import Interest

__all__ = ["WATCHERS", "Registry", "Watcher"]


class Watcher(Protocol):
    """One feed of one registry."""

    feed: str

    async def start_position(self) -> Checkpoint:
        """The present: a first start begins here."""
        ...

    async def poll(self, checkpoint: Checkpoint | None, *, limit: int = ...) -> Page:
        """What came after the checkpoint, at most ``limit`` rows: as many mean that more follow.

        Without a checkpoint: no rows, the present. Gaps stand in the page and never raise.
        Raises TransientError (down, busy: after retries), or a TargetError: the checkpoint stands.
        """
        ...

    def backfill(
        self, since: datetime | None, interest: Interest, *, after: str = ""
    ) -> AsyncIterator[Page]:
        """The past, by name, bounded; None for all of it.

        A page's checkpoint is the backfill's own, not the feed's; given back as ``after`` it goes
        on where it broke off.
        """
        ...


class Registry(Struct, frozen=True):
    """A registry's feeds, the primary first, and who owns a package of it.

    ``ownership(settings, network, name)`` raises NotFoundError where there is no such package.
    """

    watch: Callable[[NetworkSettings, Network], Sequence[Watcher]]
    ownership: Callable[[NetworkSettings, Network, str], Awaitable[PackageFacts]]


WATCHERS: Mapping[str, Registry] = {
    "npm": Registry(npm.watch, npm.ownership),
    "pypi": Registry(pypi.watch, pypi.ownership),
    "github": Registry(github.watch, github.ownership),
    "gitlab": Registry(gitlab.watch, gitlab.ownership),
    "git": Registry(git.watch, git.ownership),
}
