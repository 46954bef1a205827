"""PyPI: ``changelog`` is the primary feed, ``updates`` the second, ``listing`` reconciles both."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from monitor.errors import TargetError
from monitor.http.answers import decoded_object
from monitor.registries import places
from monitor.watchers.perimeter.facts import PackageFacts, of_pypi

from .changelog import Changelog
from .listing import Listing
from .updates import Updates

if TYPE_CHECKING:
    from monitor.registries.network import Network
    from monitor.registries.settings import NetworkSettings

__all__ = ["Changelog", "Listing", "Updates", "ownership", "watch"]


def watch(settings: NetworkSettings, network: Network) -> tuple[Changelog, Updates, Listing]:
    """The feeds of PyPI, the primary one first."""
    site = places.pypi_site(settings)
    client = network.client
    return Changelog(client, site), Updates(client, site), Listing(client, site)


async def ownership(settings: NetworkSettings, network: Network, name: str) -> PackageFacts:
    """Who owns a project, by its JSON."""
    url = f"{places.pypi_site(settings)}pypi/{quote(name, safe='')}/json"
    document = await network.client.document(url)
    try:
        return of_pypi(name, decoded_object(document.body))
    except ValueError as error:
        raise TargetError(f"{url}: {error}", reason="bad-answer") from error
