"""``[alerts]``: channels, routes and the digest's hour, and one clear line for each mistake."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

import pytest

from monitor.alerts import CHANNELS, channels
from monitor.config import parse
from monitor.config.alerts_checks import DAYS, NAMES
from monitor.config.channels import alert_settings, channel_names, last_digest_at, routing
from monitor.errors import ConfigError
from monitor.model import Severity

if TYPE_CHECKING:
    from pathlib import Path

EVERY = """
[alerts]
digest_at = "07:30"
timezone = "Europe/Berlin"
[alerts.slack]
token = "env:SLACK"
channel = "#leaks"
app_token = "env:APP"
users = ["U0123ABCD"]
[alerts.webhook]
url = "env:HOOK"
secret = "env:HOOK_SECRET"
[alerts.email]
host = "mail.acme.example"
from = "leakmon <bot@acme.example>"
to = ["sec@acme.example"]
[alerts.pagerduty]
routing_key = "env:PAGER"
[alerts.teams]
url = "env:TEAMS"
[alerts.github]
token = "env:GITHUB"
repository = "acme/leaks"
[alerts.jsonl]
path = "events.jsonl"
[[alerts.routes]]
channels = ["pagerduty", "slack"]
organisations = ["acme"]
min_severity = "high"
kinds = ["secret"]
hours = "18:00-08:00"
days = ["sat", "sun"]
timezone = "Europe/Berlin"
[[alerts.routes]]
channels = ["email"]
max_severity = "low"
digest = true
[[organisations]]
name = "acme"
"""
ENVIRON = {
    "SLACK": "a", "APP": "b", "HOOK": "https://h.example/x", "HOOK_SECRET": "c", "PAGER": "d",
    "TEAMS": "https://t.example/y", "GITHUB": "e",
    "HTTPS_PROXY": "http://proxy.example:3128", "SSL_CERT_FILE": "/etc/ca.pem",
}  # fmt: skip


def test_every_channel_can_be_configured() -> None:
    settings = parse(EVERY)
    made = channels(alert_settings(settings, ENVIRON))
    assert [each.name for each in made] == channel_names(settings) == list(NAMES) == list(CHANNELS)


def test_routes_and_the_way_out_are_handed_on() -> None:
    settings = parse(EVERY)
    first, second = routing(settings).routes
    assert (first.min_severity, first.kinds) == (Severity.HIGH, ("secret",))
    assert first.hours is not None
    assert (first.hours.start, first.hours.days) == (time(18), frozenset({"sat", "sun"}))
    assert second.is_digest
    reach = alert_settings(settings, ENVIRON).reach
    assert reach.proxies == {"https": "http://proxy.example:3128"}
    assert reach.ca_files == ("/etc/ca.pem",)


def test_a_secret_that_is_not_there_is_said_at_the_start() -> None:
    with pytest.raises(ConfigError, match=r"alerts\.pagerduty\.routing_key: env:PAGER is empty"):
        alert_settings(parse(EVERY), {k: v for k, v in ENVIRON.items() if k != "PAGER"})


def test_the_digests_hour_is_that_of_its_zone() -> None:
    settings = parse(EVERY)
    before = datetime(2026, 7, 1, 5, 29, tzinfo=UTC)  # 07:29 in Berlin
    assert last_digest_at(settings, before) == datetime(2026, 6, 30, 5, 30, tzinfo=UTC)
    after = datetime(2026, 7, 1, 5, 31, tzinfo=UTC)
    assert last_digest_at(settings, after) == datetime(2026, 7, 1, 5, 30, tzinfo=UTC)


def test_a_relative_address_of_a_webhook_may_be_written_out(tmp_path: Path) -> None:
    text = "[alerts.webhook]\nurl = 'https://h.example/in'\nsecret = 'env:S'\n"
    made = alert_settings(parse(text, source=str(tmp_path / "leakmon.toml")), {"S": "x"})
    assert made.webhook is not None
    assert made.webhook.url() == "https://h.example/in"


_SLACK = "[alerts.slack]\ntoken = 'env:T'\nchannel = '#leaks'\n"
_MAIL = "[alerts.email]\nhost = 'mail'\nfrom = 'a@b.example'\nto = ['c@d.example']\n"
_ROUTE = f"{_SLACK}[[alerts.routes]]\nchannels = ['slack']\n"
MISTAKES = [
    (_SLACK + "app_token = 'env:A'\n", "alerts.slack.users: missing; buttons need users or groups"),
    (_SLACK + "users = ['kim']\n", "alerts.slack.users: 'kim' is no id"),
    (_MAIL + "tls = 'none'\n", "alerts.email.tls: mails are sent over TLS only"),
    (_MAIL + "username = 'x'\n", "alerts.email.password: missing; a login needs both"),
    (_MAIL.replace("c@d.example", "nobody"), "alerts.email.to: 'nobody' is no mail address"),
    (_MAIL.replace("['c@d.example']", "[]"), "alerts.email.to: empty"),
    (_MAIL.replace("'mail'", "'mail:25'"), "alerts.email.host: no host"),
    (_MAIL + "sender = 'x'\n", "alerts.email.sender: unknown key; known keys here: ca_file, from"),
    (_MAIL.replace("from = ", "fro = "), "alerts.email.fro: unknown key; did you mean from?"),
    ("[alerts.webhook]\nurl = ''\nsecret = 'env:S'\n", "alerts.webhook.url: empty"),
    ("[alerts.jsonl]\npath = ''\n", "alerts.jsonl.path: empty"),
    ("[alerts.github]\ntoken = 'env:G'\nrepository = 'x'\n", "alerts.github.repository: no repo"),
    ("[alerts]\ndigest_at = '8'\n", "alerts.digest_at: no time: write 08:00"),
    ("[alerts]\ntimezone = 'Mars'\n", "alerts.timezone: unknown time zone 'Mars'"),
    (_ROUTE.replace("['slack']", "['email']"), "alerts.routes[number 1].channels: 'email' is not"),
    (_ROUTE.replace("['slack']", "[]"), "alerts.routes[number 1].channels: empty"),
    (_ROUTE + "organisations = ['x']\n", "alerts.routes[number 1].organisations: there is no"),
    (_ROUTE + "hours = 'night'\n", "alerts.routes[number 1].hours: no hours"),
    (_ROUTE + "days = ['funday']\n", "alerts.routes[number 1].days: 'funday' is no day"),
    (_ROUTE + "min_severity = 'high'\nmax_severity = 'low'\n", "alerts.routes[number 1].max_sev"),
    (_ROUTE + "min_severity = 'huge'\n", "alerts.routes[0].min_severity: invalid enum value"),
]


@pytest.mark.parametrize(("text", "complaint"), MISTAKES, ids=[c[:50] for _, c in MISTAKES])
def test_a_mistake_is_one_line_with_its_remedy(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(text, source="leakmon.toml")
    assert str(raised.value).startswith(f"leakmon.toml: {complaint}")
    assert "\n" not in str(raised.value)


def test_a_pager_takes_no_digest() -> None:
    text = "[alerts.pagerduty]\nrouting_key = 'env:P'\n[[alerts.routes]]\ndigest = true\n"
    with pytest.raises(ConfigError, match="pagerduty takes no digest"):
        parse(text + "channels = ['pagerduty']\n")
    assert DAYS[0] == "mon"
