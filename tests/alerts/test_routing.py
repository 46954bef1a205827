"""Who hears of what, and that nothing is lost to nobody."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.alerts.routing import DAYS, Hours, Route, Routing, Telling, hearers
from monitor.model import Severity
from tests.alerts.incidents import event, incident

ALL = ("slack", "pagerduty", "email")
SUNDAY_NIGHT = datetime(2026, 3, 29, 23, 30, tzinfo=UTC)


def at(moment: datetime, **changes: object) -> dict[str, Telling]:
    """What ``NIGHT`` says of an incident at a time."""
    about = replace(incident(1), **changes)
    return dict(NIGHT.of(about, replace(event(about), at=moment)))


NIGHT = Routing(
    channels=ALL,
    routes=(
        Route(
            channels=("pagerduty",),
            min_severity=Severity.HIGH,
            hours=Hours(start=time(18), end=time(8), days=frozenset({"sun"}), zone="UTC"),
        ),
        Route(channels=("slack",), min_severity=Severity.MEDIUM),
        Route(channels=("email",), max_severity=Severity.LOW, is_digest=True),
    ),
)


def test_without_routes_everybody_hears_of_everything() -> None:
    routing = Routing(channels=ALL)
    assert routing.of(incident(1), event(incident(1))) == dict.fromkeys(ALL, Telling.NOW)


def test_all_that_fit_hear_of_it() -> None:
    assert at(SUNDAY_NIGHT) == {"slack": Telling.NOW, "pagerduty": Telling.NOW}
    monday_morning = datetime(2026, 3, 30, 7, 59, tzinfo=UTC)
    assert "pagerduty" in at(monday_morning)  # Sunday's night goes on
    assert "pagerduty" not in at(datetime(2026, 3, 30, 8, 0, tzinfo=UTC))
    assert "pagerduty" not in at(datetime(2026, 3, 30, 23, 0, tzinfo=UTC))
    assert "pagerduty" not in at(SUNDAY_NIGHT, severity=Severity.MEDIUM)


def test_the_low_ones_are_held_for_the_digest() -> None:
    assert at(SUNDAY_NIGHT, severity=Severity.LOW) == {"email": Telling.DIGEST}
    heard = hearers(NIGHT)(replace(incident(1), severity=Severity.LOW), event(incident(1)), ())
    assert heard == {"email": True}


def test_what_no_route_takes_goes_to_all() -> None:
    routing = Routing(channels=ALL, routes=(Route(channels=("email",), organisations=("other",)),))
    assert set(routing.of(incident(1), event(incident(1)))) == set(ALL)


def test_who_was_told_of_an_incident_hears_of_its_end() -> None:
    low = replace(incident(1), severity=Severity.LOW)
    chosen = NIGHT.of(low, event(low, "resolved"), ["slack", "gone-since"])
    assert chosen == {"slack": Telling.NOW, "email": Telling.DIGEST}
    assert NIGHT.of(low, event(low), ["email"]) == {"email": Telling.NOW}


KINDS = [
    (("secret",), "secret:ab", True),
    (("source-maps",), "secret:ab", False),
    ((), "anything", True),
]


@pytest.mark.parametrize(("kinds", "cause", "fits"), KINDS)
def test_kinds_are_beginnings_of_causes(kinds: tuple[str, ...], cause: str, fits: bool) -> None:  # noqa: FBT001 - a row of the table
    route = Route(channels=("slack",), kinds=kinds)
    assert route.fits(replace(incident(1), cause=cause), SUNDAY_NIGHT) is fits


def test_hours_follow_their_zone_through_the_summer_time() -> None:
    day = Hours(start=time(8), end=time(18), zone="Europe/Berlin")
    assert not day.hold(datetime(2026, 3, 28, 6, 30, tzinfo=UTC))  # 07:30, winter
    assert day.hold(datetime(2026, 3, 30, 6, 30, tzinfo=UTC))  # 08:30, summer


_MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy wants naive bounds
_routes = st.lists(
    st.builds(
        Route,
        channels=st.lists(st.sampled_from(ALL), min_size=1, max_size=3).map(tuple),
        min_severity=st.sampled_from(Severity),
        max_severity=st.sampled_from(Severity),
        organisations=st.sampled_from([(), ("acme",), ("other",)]),
        hours=st.one_of(
            st.none(),
            st.builds(
                Hours,
                start=st.times(),
                end=st.times(),
                days=st.frozensets(st.sampled_from(DAYS)),
                zone=st.sampled_from(["UTC", "Pacific/Kiritimati", "America/New_York"]),
            ),
        ),
        is_digest=st.booleans(),
    ),
    max_size=5,
)


@given(
    _routes,
    _MOMENTS,
    st.sampled_from(Severity),
)
def test_every_event_is_heard_by_somebody(
    routes: list[Route], moment: datetime, severity: Severity
) -> None:
    routing = Routing(channels=ALL, routes=tuple(routes))
    about = replace(incident(1), severity=severity)
    assert routing.of(about, replace(event(about), at=moment))
