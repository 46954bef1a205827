"""Routes, a second channel and buttons, with the real daemon."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.alerts.fake_slack import APP_TOKEN
from tests.e2e.daemon import token

if TYPE_CHECKING:
    import pytest

    from tests.e2e.daemon import Site

MORE = """
[alerts.jsonl]
path = "{folder}/events.jsonl"
[[alerts.routes]]
channels = ["jsonl"]
[[alerts.routes]]
channels = ["slack"]
min_severity = "critical"
"""
SLACK_MORE = """
app_token = "env:SLACK_APP_TOKEN"
users = ["U0123ABCD"]
"""


def test_a_button_decides_and_every_route_hears_of_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.configure(MORE.format(folder=site.folder))
    config = site.folder / "leakmon.toml"
    config.write_text(config.read_text() + SLACK_MORE)
    environment = site.environment | {"SLACK_APP_TOKEN": APP_TOKEN}
    monkeypatch.setattr(type(site), "environment", environment)
    site.start()
    site.ready()
    secret = token("npm-button")
    site.npm.put("@acme/one", "1.0.0", {".env": f"GITHUB_TOKEN={secret}\n"}, license="UNLICENSED")
    site.until(lambda: site.slack.messages, "no message came")
    (message,) = site.slack.messages
    (button,) = [
        each
        for each in message["blocks"][-1]["elements"]
        if each["action_id"] == "leakmon:acknowledged"
    ]
    site.until(site.slack.is_connected, "the socket was not opened")
    press = {
        "type": "block_actions",
        "user": {"id": "U0123ABCD", "name": "kim"},
        "channel": {"id": message["channel"]},
        "message": {"ts": message["ts"]},
        "actions": [{"action_id": button["action_id"], "value": button["value"]}],
    }
    site.slack.press_from_outside(press, "e1")
    site.until(
        lambda: site.rows("select state from incidents") == [("acknowledged",)],
        "the press was not heard",
    )
    site.until(site.is_idle, "something is left undone")
    actors = site.rows("select actor, action from audit_log where action = 'acknowledged'")
    assert actors == [("kim (Slack U0123ABCD)", "acknowledged")]
    lines = (site.folder / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["opened", "acknowledged"]
    assert secret not in "".join(lines)
    assert site.stop() == 0
