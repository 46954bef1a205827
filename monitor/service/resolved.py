"""What a look at a registry gave, and the errors that ask for another look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from msgspec import Struct, field

from monitor.errors import NotFoundError
from monitor.model import Notice, Ownership, Release
from monitor.registries.network import resolve
from monitor.registries.targets import PackageTarget
from monitor.store.keys import BACKFILL
from monitor.watchers.rechecks import MISSES, STALE

if TYPE_CHECKING:
    from monitor.service.parts import Parts

MAX_VERSIONS = 2_000
"""So many versions of one change are looked at; the newest ones."""


class NotYet(NotFoundError):  # noqa: N818 - it is no fault: the feed is ahead of the registry
    """The feed spoke of more than the registry shows: look again later."""

    default_reason = "not-yet"


class Stale(NotYet):
    """The page is older than the row that spoke of it: look again soon."""

    default_reason = "stale-page"


class Look(Struct, frozen=True, kw_only=True):
    """One look at what a notice is about. ``attempts`` counts those that failed before."""

    notice: Notice
    ownership: Ownership
    priority: int = 0
    attempts: int = 0

    @property
    def is_backfill(self) -> bool:
        """Whether the past is meant, also what was published before the watch began."""
        return self.priority <= BACKFILL

    @property
    def is_last(self) -> bool:
        """Whether it is not looked at again for what the registry holds back."""
        return self.attempts >= len(MISSES)

    @property
    def is_last_of_stale(self) -> bool:
        """The same for a page that is older than the notice."""
        return self.attempts >= len(STALE)


class Seen(Struct, frozen=True, kw_only=True):
    """What was seen: releases to announce, what to note once they are on record, what is missing.

    ``missing`` is raised after all of it: the feed spoke of more.
    """

    releases: list[Release] = field(default_factory=list)
    noted: Callable[[Ownership], Awaitable[None]] | None = None
    missing: NotYet | None = None


def package_target(ecosystem: str, name: str, version: str) -> PackageTarget:
    """One version of a package, in its ecosystem's words."""
    return PackageTarget(
        text=f"{ecosystem}:{name} {version}",
        ecosystem=ecosystem,
        name=name,
        spec=version if ecosystem == "npm" else f"=={version}",
    )


async def release_of(notice: Notice, version: str, parts: Parts) -> Release:
    """One version as its registry shows it. Raises NotFoundError, NotYet."""
    target = package_target(notice.ecosystem, notice.name, version)
    (release,) = await resolve(target, parts.network)
    if notice.ecosystem == "npm" and release.version != version:
        raise NotYet(f"npm:{notice.name}@{version}: the registry does not show it")
    return release
