"""The incidents whose sources are looked for in what others publish, and the names that fit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.model import IncidentState, Severity
from monitor.store import IncidentFilter
from monitor.watchers.perimeter.republished import Wanted

if TYPE_CHECKING:
    from monitor.config.settings import Copies
    from monitor.model import Incident
    from monitor.service.parts import Parts

FRESH = timedelta(minutes=1)
"""For so long the incidents are not read again."""

MOST = 50
"""Incidents that are followed at once, the latest; each costs every name of a feed a little."""

_CAUSES = ("source-maps", "private-code", "drift:")
_ECOSYSTEMS = ("npm", "pypi")


class Followed:
    """What is followed now; nothing where the configuration does not ask for it."""

    def __init__(self, settings: Copies) -> None:
        self._settings = settings
        self._incidents: list[Incident] = []
        self._wanted = Wanted(())
        self._read_at: datetime | None = None

    def is_wanted(self, ecosystem: str, name: str) -> bool:
        """Whether a name of a feed speaks of a package with sources that leaked."""
        return bool(self._incidents and ecosystem in _ECOSYSTEMS and self._wanted.find(name))

    async def refresh(self, parts: Parts) -> None:
        """Take up what was opened since, and let go of what is too long ago."""
        now = parts.clock.now()
        if not self._settings.follow or (self._read_at is not None and now - self._read_at < FRESH):
            return
        since = now - timedelta(days=self._settings.days)
        wanted = IncidentFilter(since=since, min_severity=Severity.HIGH)
        found = [each for each in await parts.store.incidents(wanted) if _is_of_sources(each)]
        self._incidents = found[:MOST]
        self._wanted = Wanted(dict.fromkeys(each.package for each in self._incidents))
        self._read_at = now

    async def of(self, name: str, parts: Parts) -> list[Incident]:
        """The incidents whose sources a package of this name may hold."""
        await self.refresh(parts)
        packages = set(self._wanted.find(name)) if self._incidents else set()
        return [each for each in self._incidents if each.package in packages]


def _is_of_sources(incident: Incident) -> bool:
    """Whether source code leaked: a secret's file is nothing that people copy."""
    is_judged = incident.state is IncidentState.FALSE_POSITIVE
    is_package = incident.ecosystem in _ECOSYSTEMS
    return is_package and not is_judged and incident.cause.startswith(_CAUSES)
