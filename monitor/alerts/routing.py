"""Which channels hear of an event: rules of the operator's, and a rule that nothing is lost.

With no routes every channel hears everything. With routes, the channels of every route that fits
hear it; what no route takes goes to every channel. A route whose ``is_digest`` is set holds what it
takes for the daily digest. A channel that already told of an incident hears of its end as well.
"""

from __future__ import annotations

import enum
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from monitor.model import Incident, IncidentEvent, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Telling(enum.Enum):
    """How a channel hears of an event."""

    NOW = "now"
    DIGEST = "digest"


class Hours(Struct, frozen=True, kw_only=True):
    """A part of the week, in a time zone of the IANA database. ``start`` after ``end``: overnight.

    The day is that on which the span began.
    """

    start: time = time(0)
    end: time = time(0)
    days: frozenset[str] = frozenset(DAYS)
    zone: str = "UTC"

    def hold(self, at: datetime) -> bool:
        """Whether the moment lies within; equal ends mean the whole day."""
        local = at.astimezone(ZoneInfo(self.zone))
        clock = local.time()
        began = local.date()
        if self.start < self.end:
            is_within = self.start <= clock < self.end
        elif self.start > self.end:
            is_within = clock >= self.start or clock < self.end
            if clock < self.end:
                began -= timedelta(days=1)
        else:
            is_within = True
        return is_within and DAYS[began.weekday()] in self.days


class Route(Struct, frozen=True, kw_only=True):
    """Whoever fits all that is set is told in ``channels``; an empty list fits everything.

    ``kinds`` are beginnings of an incident's cause: ``secret``, ``source-maps``, ``private-code``.
    """

    channels: tuple[str, ...]
    organisations: tuple[str, ...] = ()
    min_severity: Severity = Severity.NONE
    max_severity: Severity = Severity.CRITICAL
    kinds: tuple[str, ...] = ()
    ecosystems: tuple[str, ...] = ()
    hours: Hours | None = None
    is_digest: bool = False

    def fits(self, incident: Incident, at: datetime) -> bool:
        """Whether the route takes what happens to this incident at this time."""
        return (
            (not self.organisations or incident.organisation in self.organisations)
            and self.min_severity <= incident.severity <= self.max_severity
            and (not self.kinds or incident.cause.startswith(self.kinds))
            and (not self.ecosystems or incident.ecosystem in self.ecosystems)
            and (self.hours is None or self.hours.hold(at))
        )


class Routing(Struct, frozen=True, kw_only=True):
    """All channels by name, and the routes in the order of the configuration."""

    channels: tuple[str, ...] = ()
    routes: tuple[Route, ...] = field(default=())

    def of(
        self, incident: Incident, event: IncidentEvent, told: Sequence[str] = ()
    ) -> Mapping[str, Telling]:
        """Who hears of an event, in the channels' order; ``told`` heard of the incident already.

        A route that tells now wins over one that holds for the digest.
        """
        chosen: dict[str, Telling] = {}
        fitting = [route for route in self.routes if route.fits(incident, event.at)]
        for route in sorted(fitting, key=lambda route: route.is_digest):
            for name in route.channels:
                chosen.setdefault(name, Telling.DIGEST if route.is_digest else Telling.NOW)
        if not fitting:
            chosen = dict.fromkeys(self.channels, Telling.NOW)
        for name in told:
            chosen[name] = Telling.NOW
        return {name: chosen[name] for name in self.channels if name in chosen}


def hearers(
    routing: Routing,
) -> Callable[[Incident, IncidentEvent, Sequence[str]], dict[str, bool]]:
    """The routing as the store asks for it: channel -> whether it is held for the digest."""

    def heard(incident: Incident, event: IncidentEvent, told: Sequence[str]) -> dict[str, bool]:
        chosen = routing.of(incident, event, told)
        return {name: how is Telling.DIGEST for name, how in chosen.items()}

    return heard
