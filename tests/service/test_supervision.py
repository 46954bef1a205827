"""Loops live, die and are counted; a full disk closes the intake and is said once."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from monitor.errors import ConfigError, TransientError
from monitor.http.pace import Clock
from monitor.service.intake import PAUSE, Intake
from monitor.service.meters import Meters
from monitor.service.schedule import Bell
from monitor.service.supervision import MAX_DEATHS, DoomedError, supervised
from tests.watchers.conftest import PatientClock


class Stopping(asyncio.Event):
    """Never set; whoever waits for it is timed out at once."""

    async def wait(self) -> bool:  # type: ignore[override]
        raise TimeoutError


def count(meters: Meters, name: str, **labels: str) -> float:
    return meters.registry.get_sample_value(name, labels) or 0.0


async def test_a_loop_that_dies_is_started_again_and_counted() -> None:
    meters, lives = Meters(), []

    async def mortal() -> None:
        lives.append(1)
        if len(lives) < 3:
            raise ValueError("of no great age")

    await supervised("mortal", mortal, Stopping(), Clock(), meters)
    assert len(lives) == 3
    assert count(meters, "leakmon_loop_restarts_total", loop="mortal") == 2


async def test_a_loop_that_cannot_live_ends_the_process() -> None:
    meters = Meters()

    async def doomed() -> None:
        raise ValueError("again")

    with pytest.raises(DoomedError, match="died 6 times in a row"):
        await supervised("doomed", doomed, Stopping(), Clock(), meters)
    assert count(meters, "leakmon_loop_restarts_total", loop="doomed") == MAX_DEATHS


async def test_the_operators_own_mistake_is_told_at_once() -> None:
    async def misled() -> None:
        raise ConfigError("evidence.key: gone")

    with pytest.raises(ConfigError):
        await supervised("misled", misled, Stopping(), Clock(), Meters())


async def test_deaths_after_a_long_life_do_not_add_up() -> None:
    clock, meters, lives = PatientClock(), Meters(), []

    async def old() -> None:
        lives.append(1)
        await clock.sleep(3600)
        if len(lives) <= 2 * MAX_DEATHS:
            raise ValueError("of old age")

    await supervised("old", old, Stopping(), clock, meters)
    assert len(lives) == 2 * MAX_DEATHS + 1


async def test_a_full_disk_stops_the_intake_and_is_said_once() -> None:
    clock = PatientClock()
    intake = Intake(clock)
    full = TransientError("the database's disk is full", reason="disk-full")
    opened = []
    with structlog.testing.capture_logs() as said:
        intake.saw(TransientError("elsewhere", reason="database-locked"))
        opened.append(intake.is_open)
        intake.saw(full)
        intake.saw(full)
        opened.append(intake.is_open)
        await clock.sleep(PAUSE.total_seconds())
        opened.append(intake.is_open)  # one attempt shows how things stand
        intake.saw(full)
        opened.append(intake.is_open)
        intake.went_well()
        opened.append(intake.is_open)
        intake.went_well()
    assert opened == [True, False, True, False, True]
    assert [line.get("reason", "") for line in said] == ["disk-full", ""]


async def test_a_bell_that_rings_twice_unheard_is_heard_once() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    await bell.wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await bell.wait()
