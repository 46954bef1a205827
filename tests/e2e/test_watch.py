"""From a publish to one message: real publishes, the real daemon, a Slack with its real limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.e2e.daemon import leaky_map, token

if TYPE_CHECKING:
    from tests.e2e.daemon import Site


def test_a_leak_on_npm_becomes_one_message(site: Site) -> None:
    site.start()
    site.ready()
    secret = token("npm-one")
    site.npm.publish("@acme/one", "1.0.0", {"index.js": "1;\n", ".env": f"GITHUB_TOKEN={secret}\n"})
    site.until(lambda: site.slack.messages, "no message came")
    site.until(site.is_idle, "something is left undone")
    (message,) = site.slack.messages
    text = json.dumps(message)
    assert "@acme/one" in text
    assert "1.0.0" in text
    assert secret not in text
    assert secret not in site.said()
    assert site.stop() == 0
