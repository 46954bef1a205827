"""The other channels hear that one does not work: at once or in time, once, and of its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.alerts.delivery import Trouble
from monitor.alerts.errors import UnreachableError
from monitor.alerts.jsonl import JsonLinesChannel
from monitor.alerts.settings import JsonLinesSettings
from monitor.service.troubles import LASTING, Troubles


class Notices(JsonLinesChannel):
    """A channel that keeps what it was told, or cannot be reached."""

    def __init__(self, name: str) -> None:
        super().__init__(JsonLinesSettings(path="-"))
        self.name = name
        self.told: list[str] = []
        self.is_down = False

    async def notify(self, text: str) -> str:
        if self.is_down:
            raise UnreachableError("down")
        self.told.append(text)
        return "x"


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def trouble(message: str = "Slack failed", *, is_operators: bool = False) -> Trouble:
    return Trouble(channel="slack", reason="x", message=message, is_operators=is_operators)


async def test_what_the_operator_must_mend_is_told_at_once_and_once(clock: Clock) -> None:
    slack, mail = Notices("slack"), Notices("email")
    troubles = Troubles([slack, mail], clock)
    troubles.note(trouble("the token was revoked", is_operators=True))
    await troubles.tell()
    await troubles.tell()
    assert slack.told == []
    assert len(mail.told) == 1
    assert "revoked" in mail.told[0]
    troubles.note(trouble(""))
    await troubles.tell()
    assert "works again" in mail.told[1]


async def test_an_outage_is_told_when_it_has_lasted(clock: Clock) -> None:
    mail = Notices("email")
    troubles = Troubles([Notices("slack"), mail], clock)
    troubles.note(trouble())
    await troubles.tell()
    assert mail.told == []
    clock.at += LASTING
    await troubles.tell()
    assert len(mail.told) == 1


async def test_a_short_outage_is_told_nobody(clock: Clock) -> None:
    mail = Notices("email")
    troubles = Troubles([Notices("slack"), mail], clock)
    troubles.note(trouble())
    troubles.note(trouble(""))
    clock.at += timedelta(days=1)
    await troubles.tell()
    assert mail.told == []


async def test_a_second_channel_that_is_down_costs_nothing(clock: Clock) -> None:
    mail = Notices("email")
    mail.is_down = True
    troubles = Troubles([Notices("slack"), mail], clock)
    troubles.note(trouble(is_operators=True))
    await troubles.tell()
    assert mail.told == []
