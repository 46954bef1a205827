"""GitHub: ``owner`` lists what a place holds, ``events`` hints at pushes, ``people`` its members.

The first feed of a place finds everything; events only tell sooner, and which commits a push threw
away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.registries import places
from monitor.watchers.perimeter.facts import PackageFacts
from monitor.watchers.perimeter.repositories import place

from .events import Events
from .owner import Owner

if TYPE_CHECKING:
    from monitor.registries.network import Network
    from monitor.registries.settings import NetworkSettings

__all__ = ["Events", "Owner", "ownership", "tracked", "watch"]


def watch(settings: NetworkSettings, network: Network) -> list[Owner | Events]:
    """The feeds of every tracked place, those that find everything first."""
    rest = network.github.rest
    graphql = places.github_graphql(settings)
    found = tracked(settings)
    owners: list[Owner | Events] = [
        Owner(rest, graphql, one, siblings=found, has_members=settings.github.members)
        for one in found
    ]
    logins = dict.fromkeys(one.partition("/")[0] for one in found)
    return owners + [Events(rest, login) for login in logins]


def tracked(settings: NetworkSettings) -> list[str]:
    """What is watched: ``acme``, ``acme/cli``, ``acme/cli-*``; an owner's name is no pattern."""
    found = []
    for entry in settings.repositories:
        kind, _, path = place(entry).partition(":")
        login = path.partition("/")[0]
        if kind == "github" and path.count("/") <= 1 and not any(c in login for c in "*?["):
            found.append(path)
    return list(dict.fromkeys(found))


async def ownership(_settings: NetworkSettings, _network: Network, name: str) -> PackageFacts:
    """Nothing needs to be asked: a repository's name says whose it is."""
    return PackageFacts(ecosystem="github", name=name)
