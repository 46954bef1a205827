"""Buttons: what they offer, who may press them, and how a press reaches us."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.alerts.settings import SlackSettings
from monitor.alerts.slack import SlackChannel, buttons, message, signed
from monitor.alerts.slack.buttons import Press, press_of
from monitor.errors import NotFoundError
from monitor.incidents import acted
from monitor.model import Incident, IncidentState
from tests.alerts.block_kit import refusal
from tests.alerts.fake_slack import TOKEN, FakeSlack
from tests.alerts.incidents import NOW, incident, incidents

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.alerts.slack.presses import Presses

ID = incident(1).id


class Desk:
    """Decides on one incident, as the service does."""

    def __init__(self) -> None:
        self.incident = incident(1)
        self.actors: list[str] = []

    async def decide(
        self, incident: str, kind: str, *, actor: str, reason: str, until: datetime | None
    ) -> Incident:
        if incident != self.incident.id:
            raise NotFoundError(f"incident {incident}: not on record")
        change = acted(self.incident, kind, at=NOW, actor=actor, reason=reason, until=until)
        self.incident = change.incident
        self.actors.append(actor)
        return self.incident

    async def look(self, _incident: str) -> Incident:
        return self.incident


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as made:
        yield made


def settings_of(slack: FakeSlack, **changes: Any) -> SlackSettings:
    told: dict[str, Any] = {
        "token": lambda: TOKEN, "channel": "#leaks", "base_url": slack.url,
        "app_token": lambda: "xapp-1", "users": ("U1",), "groups": ("S1",),
    }  # fmt: skip
    return SlackSettings(**(told | changes))


def taking(slack: FakeSlack, desk: Desk, **changes: Any) -> Presses:
    made = SlackChannel(settings_of(slack, **changes), now=lambda: NOW).presses(desk)
    assert made is not None
    return made


def press(action: str, user: str = "U1", **changes: Any) -> Press:
    told: dict[str, Any] = {
        "action": action, "incident": ID, "user": user, "user_name": "kim",
        "place": "C00000002", "thread": "1.1", "trigger": "t",
    }  # fmt: skip
    return Press(**(told | changes))


def pressed(action: str, **changes: Any) -> dict[str, Any]:
    """A payload as Slack sends it."""
    return {
        "type": "block_actions",
        "user": {"id": "U1", "username": "kim", "name": "kim"},
        "trigger_id": "t",
        "channel": {"id": "C00000002", "name": "leaks"},
        "message": {"ts": "1.1"},
        "actions": [{"action_id": f"leakmon:{action}", "value": ID, "type": "button"}],
    } | changes


@pytest.mark.parametrize("state", list(IncidentState))
def test_every_state_has_buttons_that_slack_takes(state: IncidentState) -> None:
    about = replace(incident(1), state=state)
    blocks = message.message(about, NOW, has_buttons=True)
    assert refusal({"blocks": blocks, "text": "x"}) is None
    offered = [each["action_id"].removeprefix("leakmon:") for each in blocks[-1]["elements"]]
    for action in offered:
        if action != buttons.STEPS:
            until = NOW + timedelta(days=1) if action == "snoozed" else None
            assert acted(about, action, at=NOW, actor="x", reason="why", until=until).events


@given(incidents)
@settings(max_examples=50, deadline=None)
def test_buttons_fit_below_any_incident(about: Incident) -> None:
    about = replace(about, id="lm-abcdefghij")
    blocks = message.message(about, NOW, has_buttons=True)
    assert len(json.dumps(blocks)) <= 12_000


async def test_a_press_is_a_decision_with_a_name(slack: FakeSlack) -> None:
    desk = Desk()
    told = await taking(slack, desk).take(press("acknowledged"))
    assert desk.incident.state is IncidentState.ACKNOWLEDGED
    assert desk.actors == ["kim (Slack U1)"]
    assert "acknowledged" in told
    ((method, content),) = [call for call in slack.calls if call[0] == "chat.postEphemeral"]
    assert (method, content["user"], content["thread_ts"]) == ("chat.postEphemeral", "U1", "1.1")


async def test_members_of_a_group_may_and_strangers_may_not(slack: FakeSlack) -> None:
    slack.groups = {"S1": ["U7"]}
    desk = Desk()
    presses = taking(slack, desk)
    assert "you may not" in await presses.take(press("resolved", "U9"))
    assert desk.actors == []
    await presses.take(press("resolved", "U7"))
    assert desk.incident.state is IncidentState.RESOLVED
    asked = [call for call in slack.calls if call[0] == "usergroups.users.list"]
    assert len(asked) == 1  # believed for a while
    nobody = taking(slack, Desk(), groups=(), users=())
    assert "you may not" in await nobody.take(press("resolved"))


async def test_a_false_positive_asks_why(slack: FakeSlack) -> None:
    desk = Desk()
    presses = taking(slack, desk)
    assert await presses.take(press("false-positive")) == ""
    ((_, content),) = [call for call in slack.calls if call[0] == "views.open"]
    submission = {
        "type": "view_submission",
        "user": {"id": "U1", "name": "kim"},
        "view": content["view"]
        | {"state": {"values": {"reason": {"text": {"value": "a fixture"}}}}},
    }
    again = press_of(submission)
    assert again is not None
    await presses.take(again)
    assert desk.incident.state is IncidentState.FALSE_POSITIVE
    assert desk.incident.reason == "a fixture"


async def test_steps_are_shown_and_errors_told_to_whoever_pressed(slack: FakeSlack) -> None:
    presses = taking(slack, Desk())
    assert "Next steps" in await presses.take(press("steps"))
    assert "not on record" in await presses.take(press("resolved", incident="lm-other"))
    assert "Noted" in await presses.take(press("snoozed"))


def test_slacks_payloads_are_understood() -> None:
    found = press_of(pressed("resolved"))
    assert found == press("resolved")
    assert press_of(pressed("unknown")) is None
    assert press_of(pressed("resolved", user={})) is None
    assert press_of(pressed("resolved", actions=[])) is None


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner)
    ),
    max_leaves=12,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["block_actions", "view_submission", "x"]),
            "user": st.one_of(_json, st.just({"id": "U1"})),
            "actions": st.one_of(_json, st.just([{"action_id": "leakmon:resolved"}])),
            "view": st.one_of(_json, st.just({"callback_id": "leakmon:false-positive"})),
            "channel": _json,
            "message": _json,
        },
    )
)
def test_any_payload_is_a_press_or_none(payload: dict[str, Any]) -> None:
    found = press_of(payload)
    assert found is None or (found.user and found.incident)


SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


def request(body: bytes, at: float) -> dict[str, str]:
    stamp = str(int(at))
    made = hmac.new(SECRET.encode(), b":".join([b"v0", stamp.encode(), body]), hashlib.sha256)
    return {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={made.hexdigest()}",
    }


def test_only_what_slack_signed_lately_is_genuine() -> None:
    body = urlencode({"payload": json.dumps(pressed("resolved"))}).encode()
    now = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    headers = request(body, now)
    assert signed.is_genuine(SECRET, headers, body, lambda: now)
    assert not signed.is_genuine(SECRET, headers, body + b"x", lambda: now)
    assert not signed.is_genuine(SECRET, headers, body, lambda: now + 301)
    assert not signed.is_genuine("other", headers, body, lambda: now)
    assert not signed.is_genuine(SECRET, {}, body, lambda: now)
    assert signed.press_in(body) == press("resolved")
    assert signed.press_in(b"payload=%7b") is None
    assert signed.press_in(b"\xff") is None
