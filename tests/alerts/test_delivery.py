"""At least once from our side, once as people see it: the real client, a Slack on loopback."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from monitor.alerts import CHANNELS, channels
from monitor.alerts.delivery import Delivery, Passed, Trouble
from monitor.alerts.errors import MisconfiguredError
from monitor.alerts.settings import (
    AlertSettings,
    EmailSettings,
    GithubSettings,
    JsonLinesSettings,
    PagerDutySettings,
    SlackSettings,
    TeamsSettings,
    WebhookSettings,
)
from monitor.alerts.slack import SlackChannel
from monitor.model import Digest, Outgoing, Severity
from tests.alerts.fake_slack import FakeSlack, Fault
from tests.alerts.incidents import NOW, event, incident
from tests.house.tree import files, top_level_functions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Clock:
    """Passes only when told to."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def seconds(self) -> float:
        return self.at.timestamp()

    def pass_by(self, **span: float) -> None:
        self.at += timedelta(**span)


class Box:
    """An outbox in memory that keeps the store's promises, and dies on demand.

    ``dies_before`` names a step before which the process ends, once.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rows: dict[str, Outgoing] = {}
        self.state: dict[str, str] = {}
        self.due_at: dict[str, datetime] = {}
        self.message: dict[str, str] = {}
        self.reasons: list[str] = []
        self.dies_before = ""

    def add(self, of: int, kind: str = "opened", number: int = 0) -> str:
        about = incident(of)
        made = event(about, kind, number)
        name = f"{made.id}:slack"
        self.rows[name] = Outgoing(
            id=name, channel="slack", event=made, incident=about, created_at=self.clock.now()
        )
        self.state[name] = "waiting"
        self.due_at[name] = self.clock.now()
        return name

    async def outbox_due(self, channel: str, now: datetime, limit: int = 1) -> list[Outgoing]:
        found = [
            replace(row, thread=self._thread(row), is_uncertain=self.state[name] == "sending")
            for name, row in self.rows.items()
            if self.state[name] in {"waiting", "sending"} and self.due_at[name] <= now
        ]
        return [each for each in found if each.channel == channel][:limit]

    async def digest_due(self, _channel: str, _now: datetime) -> Digest | None:
        return None

    async def outbox_sending(self, outgoing: str, now: datetime) -> None:
        self._die("sending")
        assert now == self.clock.now()
        self.state[outgoing] = "sending"

    async def outbox_sent(self, outgoing: str, message: str, now: datetime) -> None:
        self._die("sent")
        assert now == self.clock.now()
        self.state[outgoing] = "sent"
        self.message[outgoing] = message

    async def outbox_failed(
        self, outgoing: str, reason: str, due_at: datetime, *, is_uncertain: bool
    ) -> None:
        self._die("failed")
        self.reasons.append(reason)
        self.state[outgoing] = "sending" if is_uncertain else "waiting"
        self.due_at[outgoing] = due_at

    async def outbox_abandon(self, outgoing: str, reason: str) -> None:
        self.reasons.append(reason)
        self.state[outgoing] = "failed"

    def _thread(self, row: Outgoing) -> str | None:
        for name, other in self.rows.items():
            if other.incident.id == row.incident.id and self.state[name] == "sent":
                return self.message[name]
        return None

    def _die(self, step: str) -> None:
        if self.dies_before == step:
            self.dies_before = ""
            raise ProcessEndsError


class ProcessEndsError(BaseException):
    """kill -9, as far as the code after it is concerned."""


class Desk:
    """Everything between an outbox and a Slack."""

    def __init__(self, slack: FakeSlack, clock: Clock) -> None:
        self.slack = slack
        self.clock = clock
        self.box = Box(clock)
        self.told: list[Trouble] = []
        self.channel = "#leaks"
        self.restart()

    def restart(self) -> None:
        """A new process: what was in memory is gone."""
        settings = SlackSettings(
            token=lambda: self.slack_token, channel=self.channel, base_url=self.slack.url
        )
        slack = SlackChannel(settings, now=self.clock.now)
        self.delivery = Delivery(slack, self.box, now=self.clock.now, tell=self.told.append)

    slack_token = FakeSlack().token

    async def until_done(self, rounds: int = 60) -> None:
        for _ in range(rounds):
            passed = await self.delivery.deliver()
            if passed.again_at is None:
                return
            self.clock.at = max(passed.again_at, self.clock.at)
        raise AssertionError("it never ends")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def desk(clock: Clock) -> AsyncIterator[Desk]:
    async with FakeSlack(now=clock.seconds) as slack:
        yield Desk(slack, clock)


async def test_an_incident_is_one_thread_and_escalation_is_told_to_the_channel(desk: Desk) -> None:
    names = [desk.box.add(1)]
    names += [desk.box.add(1, kind) for kind in ("version-added", "escalated", "resolved")]
    names += [desk.box.add(2)]
    assert await desk.delivery.deliver() == Passed(sent=5)
    assert desk.slack.ids() == names
    first, added, escalated, resolved, other = desk.slack.messages
    assert [each.get("thread_ts") for each in (first, added, escalated, resolved, other)] == [
        None, first["ts"], first["ts"], first["ts"], None,
    ]  # fmt: skip
    assert [bool(each.get("reply_broadcast")) for each in desk.slack.messages] == [
        False, False, True, False, False,
    ]  # fmt: skip
    assert first["edits"] == 3
    assert desk.told == []


@pytest.mark.parametrize("kind", ["lost", "lost-500", "garbage", "cut", "500"])
@pytest.mark.parametrize("position", [0, 1, 2])
async def test_a_lost_answer_neither_loses_nor_doubles(
    desk: Desk, kind: str, position: int
) -> None:
    names = [desk.box.add(1), desk.box.add(1, "version-added"), desk.box.add(1, "escalated")]
    desk.slack.faults.append(Fault(kind, after=position))
    await desk.until_done()
    assert desk.slack.ids() == names


@pytest.mark.parametrize("step", ["sending", "sent"])
@pytest.mark.parametrize("count", [1, 3])
async def test_a_process_that_ends_between_two_steps_neither_loses_nor_doubles(
    desk: Desk, step: str, count: int
) -> None:
    kinds = ["opened", "version-added", "escalated"]
    names = [desk.box.add(1, kind) for kind in kinds[:count]]
    desk.box.dies_before = step
    with pytest.raises(ProcessEndsError):
        await desk.delivery.deliver()
    desk.restart()
    await desk.until_done()
    assert desk.slack.ids() == names


async def test_a_rate_limit_is_obeyed_to_the_second(desk: Desk, clock: Clock) -> None:
    names = [desk.box.add(1), desk.box.add(2)]
    desk.slack.faults.append(Fault("429", retry_after=7))
    passed = await desk.delivery.deliver()
    assert passed.sent == 0
    assert passed.again_at == clock.now() + timedelta(seconds=7)
    called = len(desk.slack.calls)
    clock.pass_by(seconds=6.9)
    await desk.delivery.deliver()
    assert len(desk.slack.calls) == called
    clock.pass_by(seconds=0.2)
    assert await desk.delivery.deliver() == Passed(sent=2)
    assert desk.slack.ids() == names
    assert desk.told == []


async def test_slacks_own_limits_hold_under_a_flood(clock: Clock) -> None:
    async with FakeSlack(now=clock.seconds, has_limits=True) as slack:
        desk = Desk(slack, clock)
        names = [desk.box.add(number) for number in range(60)]
        await desk.until_done(rounds=200)
        assert slack.ids() == names


async def test_a_day_without_slack_loses_nothing_and_keeps_the_order(
    desk: Desk, clock: Clock
) -> None:
    await desk.slack.stop()
    names: list[str] = []
    for hour in range(24):
        names.append(desk.box.add(hour))
        for _ in range(6):
            await desk.delivery.deliver()
            clock.pass_by(minutes=10)
    assert len(desk.told) == 1
    await desk.slack.start()
    await desk.until_done()
    assert desk.slack.ids() == names
    assert [(each.reason, bool(each.message)) for each in desk.told] == [
        ("unreachable", True),
        ("unreachable", False),
    ]


@pytest.mark.parametrize("code", ["token_revoked", "account_inactive", "missing_scope"])
async def test_a_revoked_token_is_told_once_and_everything_is_kept(
    desk: Desk, clock: Clock, code: str
) -> None:
    names = [desk.box.add(1), desk.box.add(2)]
    desk.slack.refuses = code
    for _ in range(5):
        await desk.delivery.deliver()
        clock.pass_by(minutes=5)
    (trouble,) = desk.told
    assert trouble.reason == code
    assert trouble.is_operators
    assert code in trouble.message
    desk.slack.refuses = ""
    await desk.until_done()
    assert desk.slack.ids() == names
    assert desk.told[-1].message == ""


async def test_an_unknown_channel_is_the_operators(desk: Desk) -> None:
    desk.channel = "#nowhere"
    desk.restart()
    desk.box.add(1)
    await desk.delivery.deliver()
    assert [each.reason for each in desk.told] == ["channel_not_found"]
    assert "alerts.slack.channel" in desk.told[0].message


async def test_a_new_token_is_taken_up_without_a_restart(desk: Desk, clock: Clock) -> None:
    name = desk.box.add(1)
    desk.slack.token = "xoxb-" + "rotated"
    await desk.delivery.deliver()
    assert desk.told[0].reason == "invalid_auth"
    desk.slack_token = desk.slack.token
    clock.pass_by(minutes=2)
    await desk.delivery.deliver()
    assert desk.slack.ids() == [name]


async def test_a_bot_that_is_not_in_the_channel_joins_it(desk: Desk) -> None:
    desk.slack.members.clear()
    name = desk.box.add(1)
    await desk.delivery.deliver()
    assert desk.slack.ids() == [name]


async def test_a_refused_message_is_sent_as_a_line_and_else_set_aside(desk: Desk) -> None:
    first, second, third = (desk.box.add(number) for number in range(3))
    desk.slack.faults.append(Fault("invalid_blocks"))
    await desk.delivery.deliver(limit=1)
    assert "blocks" not in desk.slack.messages[0]
    desk.slack.faults.append(Fault("restricted_words", times=2))
    await desk.delivery.deliver()
    assert desk.slack.ids() == [first, third]
    assert desk.box.state[second] == "failed"
    assert [each.reason for each in desk.told if each.message] == ["restricted_words"]


async def test_a_first_message_that_somebody_deleted_is_told_again(desk: Desk) -> None:
    desk.box.add(1)
    await desk.delivery.deliver()
    desk.slack.messages.clear()
    later = desk.box.add(1, "escalated")
    await desk.delivery.deliver()
    assert desk.slack.ids() == [later]
    assert not desk.slack.messages[0].get("thread_ts")


async def test_a_thread_outlives_a_change_of_the_channel(desk: Desk) -> None:
    desk.box.add(1)
    await desk.delivery.deliver()
    desk.channel = "#general"
    desk.restart()
    desk.box.add(1, "resolved")
    desk.box.add(2)
    await desk.delivery.deliver()
    first, reply, other = desk.slack.messages
    assert reply["thread_ts"] == first["ts"]
    assert reply["channel"] == first["channel"] == desk.slack.channels["leaks"]
    assert other["channel"] == desk.slack.channels["general"]


async def test_the_check_says_who_and_where_and_what_is_missing(desk: Desk) -> None:
    slack = desk.delivery.channel
    assert await slack.check() == "leakmon in Acme, channel C00000002"
    desk.slack.scopes.discard("channels:history")
    with pytest.raises(MisconfiguredError, match="channels:history"):
        await slack.check()
    assert (await slack.notify("hello")).startswith("C00000002:")


async def test_a_message_is_up_to_date_with_its_incident(desk: Desk) -> None:
    desk.box.add(1)
    await desk.delivery.deliver()
    name = desk.box.add(1, "escalated")
    row = desk.box.rows[name]
    desk.box.rows[name] = replace(row, incident=replace(row.incident, severity=Severity.CRITICAL))
    await desk.delivery.deliver()
    assert "CRITICAL" in desk.slack.messages[0]["blocks"][0]["text"]["text"]
    assert desk.slack.messages[0]["metadata"]["event_payload"]["id"].startswith("ev-")


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_goes_wrong_each_event_is_told_once_and_in_order(
    desk: Desk, clock: Clock, seed: int
) -> None:
    chance = random.Random(seed)
    names: list[str] = []
    kinds = ["lost", "lost-500", "500", "cut", "429", "garbage"]
    for step in range(60):
        if chance.random() < 0.7:
            number = chance.randrange(5)
            kind = "note" if any(f"{number:010}" in each for each in names) else "opened"
            names.append(desk.box.add(number, kind, step))
        if chance.random() < 0.5:
            method = chance.choice(["chat.postMessage", "chat.update", ""])
            desk.slack.faults.append(Fault(chance.choice(kinds), method))
        if chance.random() < 0.3:
            desk.box.dies_before = chance.choice(["sending", "sent", "failed"])
        try:
            await desk.delivery.deliver()
        except ProcessEndsError:
            desk.restart()
        clock.pass_by(seconds=chance.randrange(100))
    desk.slack.faults.clear()
    desk.box.dies_before = ""
    clock.pass_by(hours=2)
    await desk.until_done()
    assert desk.slack.ids() == names


def test_the_table_is_the_folder() -> None:
    folder = files(".py", "monitor")
    written = {
        f"monitor.alerts.{path.parts[2].removesuffix('.py')}"
        for path in folder
        if path.parts[:2] == ("monitor", "alerts")
        and (len(path.parts) == 3 or path.parts[3] == "__init__.py")
        and top_level_functions(path).get("channel") == ["settings"]
    }
    assert set(CHANNELS.values()) == written


def test_the_table_makes_the_configured_channels() -> None:
    assert channels(AlertSettings()) == []
    slack = SlackSettings(token=lambda: "x", channel="#leaks")
    every = AlertSettings(
        slack=slack,
        webhook=WebhookSettings(url=lambda: "x", secret=lambda: "x"),
        email=EmailSettings(host="mail", port=587, sender="a@b.example", to=("c@d.example",)),
        pagerduty=PagerDutySettings(routing_key=lambda: "x", base_url="https://p.example"),
        teams=TeamsSettings(url=lambda: "x"),
        github=GithubSettings(token=lambda: "x", repository="a/b", api="https://g.example"),
        jsonl=JsonLinesSettings(path="-"),
    )
    assert [each.name for each in channels(every)] == list(CHANNELS)
    assert "x" not in repr(slack).replace("xoxb", "")
