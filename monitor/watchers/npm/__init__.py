"""npm: ``changes`` is the feed, ``packuments`` what a change was, ``backfill`` the past."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import TargetError
from monitor.http.answers import decoded_object
from monitor.registries import places
from monitor.watchers.perimeter.facts import PackageFacts, of_npm

from .changes import Changes
from .packuments import Difference, Known, Packument, Packuments

if TYPE_CHECKING:
    from monitor.registries.network import Network
    from monitor.registries.settings import NetworkSettings

__all__ = [
    "Changes",
    "Difference",
    "Known",
    "Packument",
    "Packuments",
    "ownership",
    "packuments",
    "watch",
]


def watch(settings: NetworkSettings, network: Network) -> tuple[Changes]:
    """The feeds of npm, the primary one first."""
    return (Changes(network.client, places.npm_changes(settings), packuments(network)),)


def packuments(network: Network) -> Packuments:
    """The records of packages, each from the registry that serves its name."""
    return Packuments(network.client, network.npm.registry_of)


async def ownership(_settings: NetworkSettings, network: Network, name: str) -> PackageFacts:
    """Who maintains a package, by the manifest of its latest version (cheap, a few kB)."""
    url = f"{network.npm.registry_of(name)}{name.replace('/', '%2f')}/latest"
    document = await network.client.document(url)
    try:
        return of_npm(name, decoded_object(document.body))
    except ValueError as error:
        raise TargetError(f"{url}: {error}", reason="bad-answer") from error
