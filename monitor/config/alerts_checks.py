"""What ``[alerts]`` must be beyond its types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from monitor.config.complaints import Complaint, web_address

if TYPE_CHECKING:
    from collections.abc import Collection

    from monitor.config.alerting import Alerts, Email, Route, Slack

NAMES = ("slack", "webhook", "email", "pagerduty", "teams", "github", "jsonl")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SLACK_CHANNEL = re.compile(r"#[^\s#]+|[CGD][A-Z0-9]{7,}")
_SLACK_ID = re.compile(r"[A-Z][A-Z0-9]{5,}")
_MAILBOX = re.compile(r"(?:[^<>@\r\n]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_HOURS = re.compile(rf"{_CLOCK.pattern}-{_CLOCK.pattern}")
_TLS = ("starttls", "implicit")


def check_alerts(alerts: Alerts, organisations: Collection[str]) -> None:
    """Raises Complaint at the first value that cannot be meant."""
    if alerts.slack:
        _slack(alerts.slack)
    if alerts.email:
        _email(alerts.email)
    _places(alerts)
    if not _CLOCK.fullmatch(alerts.digest_at):
        raise Complaint("alerts.digest_at: no time: write 08:00")
    _zone("alerts.timezone", alerts.timezone)
    configured = [name for name in NAMES if getattr(alerts, name) is not None]
    for number, route in enumerate(alerts.routes, 1):
        _route(f"alerts.routes[number {number}]", route, configured, organisations)


def _places(alerts: Alerts) -> None:
    if alerts.webhook and isinstance(alerts.webhook.url, str):
        web_address("alerts.webhook.url", alerts.webhook.url)
        if not alerts.webhook.url:
            raise Complaint("alerts.webhook.url: empty: write the receiver's address")
    if alerts.pagerduty:
        web_address("alerts.pagerduty.base_url", alerts.pagerduty.base_url)
    if alerts.github:
        web_address("alerts.github.api", alerts.github.api)
        if not _REPOSITORY.fullmatch(alerts.github.repository):
            raise Complaint("alerts.github.repository: no repository: write owner/name")
    if alerts.jsonl and not alerts.jsonl.path:
        raise Complaint("alerts.jsonl.path: empty: name a file, or - for standard output")


def _slack(slack: Slack) -> None:
    if not _SLACK_CHANNEL.fullmatch(slack.channel):
        raise Complaint("alerts.slack.channel: no channel: write '#name' or the channel's id")
    web_address("alerts.slack.base_url", slack.base_url)
    for key, ids, example in (("users", slack.users, "U"), ("groups", slack.groups, "S")):
        for each in ids:
            if not _SLACK_ID.fullmatch(each):
                raise Complaint(
                    f"alerts.slack.{key}: {each!r} is no id: write one like {example}0123ABCDEF"
                )
    if (slack.app_token or slack.signing_secret) and not (slack.users or slack.groups):
        raise Complaint(
            "alerts.slack.users: missing; buttons need users or groups that may press them"
        )


def _email(email: Email) -> None:
    if email.tls not in _TLS:
        raise Complaint(
            "alerts.email.tls: mails are sent over TLS only: write 'starttls' or 'implicit'"
        )
    if not email.host or "/" in email.host or ":" in email.host:
        raise Complaint("alerts.email.host: no host: write mail.acme.example, and port beside it")
    for key, address in [("from", email.sender), *(("to", each) for each in email.to)]:
        if not _MAILBOX.fullmatch(address):
            raise Complaint(f"alerts.email.{key}: {address!r} is no mail address")
    if not email.to:
        raise Complaint("alerts.email.to: empty: name a reader")
    if bool(email.username) != bool(email.password):
        missing = "password" if email.username else "username"
        raise Complaint(f"alerts.email.{missing}: missing; a login needs both")


def _route(
    key: str, route: Route, configured: Collection[str], organisations: Collection[str]
) -> None:
    if not route.channels:
        raise Complaint(f"{key}.channels: empty: name at least one of {', '.join(NAMES)}")
    for name in route.channels:
        if name not in configured:
            raise Complaint(f"{key}.channels: {name!r} is not configured: add [alerts.{name}]")
        if route.digest and name == "pagerduty":
            raise Complaint(f"{key}.channels: pagerduty takes no digest: it pages at once")
    for name in route.organisations:
        if name not in organisations:
            raise Complaint(f"{key}.organisations: there is no organisation {name!r}")
    _span(key, route)


def _span(key: str, route: Route) -> None:
    if route.max_severity < route.min_severity:
        raise Complaint(f"{key}.max_severity: below min_severity: nothing would fit")
    if route.hours and not _HOURS.fullmatch(route.hours):
        raise Complaint(f"{key}.hours: no hours: write 18:00-08:00")
    for day in route.days:
        if day not in DAYS:
            raise Complaint(f"{key}.days: {day!r} is no day: write {', '.join(DAYS)}")
    _zone(f"{key}.timezone", route.timezone)


def _zone(key: str, name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise Complaint(f"{key}: unknown time zone {name!r}: write Europe/Berlin or UTC") from None
