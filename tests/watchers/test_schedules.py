"""When to look again, as numbers; and a registry that is down, said once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import TransientError
from monitor.watchers.outages import Outage, observed
from monitor.watchers.rechecks import GROWTH, after_miss, growth, next_growth, next_poll

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_a_miss_is_looked_at_again_four_times_and_then_set_aside() -> None:
    found = [after_miss(misses, NOW) for misses in range(1, 6)]
    assert found == [
        NOW + timedelta(seconds=30),
        NOW + timedelta(minutes=2),
        NOW + timedelta(minutes=10),
        NOW + timedelta(hours=1),
        None,
    ]


def test_a_release_is_looked_at_until_it_can_grow_no_more() -> None:
    checked, times = NOW, []
    while (due := next_growth(NOW, checked)) is not None:
        times.append(due)
        checked = due
    assert times == growth(NOW)
    assert len(times) == len(GROWTH)
    assert times[-1] > NOW + timedelta(days=14)


def test_a_check_that_came_late_makes_up_for_the_others() -> None:
    late = NOW + timedelta(days=4)
    assert next_growth(NOW, late) == NOW + timedelta(days=5)
    assert next_growth(NOW, NOW + timedelta(days=400)) is None


@given(
    st.floats(1, 86_400),
    st.integers(-3, 10_000),
    st.floats(0, 1),
)
def test_a_poll_is_neither_hurried_nor_forgotten(seconds: float, many: int, chance: float) -> None:
    wait = next_poll(seconds, many, chance)
    assert 0.89 * seconds <= wait <= 1.11 * max(seconds, 300.0)


def test_feeds_that_fail_are_asked_less_often() -> None:
    waits = [next_poll(5, failures, 0.5) for failures in range(8)]
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]


def test_an_outage_is_said_once_and_once_when_it_is_over() -> None:
    down = TransientError("no answer", reason="connection")
    state, said = Outage(), []
    for minute, error in enumerate([None, down, down, down, None, None, down]):
        state, turn = observed(state, error, NOW + timedelta(minutes=minute))
        said.append((turn, state.failures))
    assert said == [
        (None, 0),
        ("down", 1),
        (None, 2),
        (None, 3),
        ("back", 0),
        (None, 0),
        ("down", 1),
    ]
    assert (state.since, state.reason) == (NOW + timedelta(minutes=6), "connection")
