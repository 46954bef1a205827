"""The shape of ``[alerts]``: one table per channel, and who hears of what."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from monitor.config.secrets import SecretRef
from monitor.config.table import Table
from monitor.model import Severity

Port = Annotated[int, Meta(ge=1, le=65_535)]


class Slack(Table, frozen=True):
    """``[alerts.slack]``: ``channel`` is ``#name`` or an id; ``base_url`` replaces the API.

    With ``app_token`` (Socket Mode) or ``signing_secret`` (requests to ``/slack/actions`` of
    ``[service] listen``) messages have buttons, which ``users`` and ``groups`` (ids) may press.
    """

    token: SecretRef
    channel: str
    base_url: str = ""
    app_token: SecretRef | None = None
    signing_secret: SecretRef | None = None
    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


class Webhook(Table, frozen=True):
    """``[alerts.webhook]``: signed JSON by Standard Webhooks; ``secret`` is ``whsec_`` + base64."""

    url: str | SecretRef
    secret: SecretRef


class Email(Table, frozen=True, rename={"sender": "from"}):
    """``[alerts.email]``: a mail server with TLS; ``tls`` is ``starttls`` or ``implicit``."""

    host: str
    sender: str
    to: list[str]
    port: Port = 587
    tls: str = "starttls"
    username: str = ""
    password: SecretRef | None = None
    ca_file: str = ""


class PagerDuty(Table, frozen=True):
    """``[alerts.pagerduty]``: the integration key of an Events API v2 integration."""

    routing_key: SecretRef
    base_url: str = "https://events.pagerduty.com/"


class Teams(Table, frozen=True):
    """``[alerts.teams]``: the address of a workflow that posts cards; it is a secret."""

    url: SecretRef


class GithubIssues(Table, frozen=True):
    """``[alerts.github]``: ``repository`` is ``owner/name`` and private."""

    token: SecretRef
    repository: str
    api: str = "https://api.github.com/"
    labels: list[str] = field(default_factory=list)


class JsonLines(Table, frozen=True):
    """``[alerts.jsonl]``: the file that grows by a line per event, ``-`` for standard output."""

    path: str


class Route(Table, frozen=True):
    """``[[alerts.routes]]``: which channels hear of what. What no route takes goes to all.

    ``kinds`` are beginnings of causes (``secret``, ``source-maps``); ``hours`` is ``HH:MM-HH:MM``,
    also overnight, on ``days`` (``mon`` ...) in ``timezone``; ``digest`` holds it for the day's one
    message.
    """

    channels: list[str]
    organisations: list[str] = field(default_factory=list)
    min_severity: Severity = Severity.NONE
    max_severity: Severity = Severity.CRITICAL
    kinds: list[str] = field(default_factory=list)
    ecosystems: list[str] = field(default_factory=list)
    hours: str = ""
    days: list[str] = field(default_factory=list)
    timezone: str = "UTC"
    digest: bool = False


class Alerts(Table, frozen=True):
    """``[alerts]``: an absent table is a silent channel. ``digest_at`` is in ``timezone``."""

    slack: Slack | None = None
    webhook: Webhook | None = None
    email: Email | None = None
    pagerduty: PagerDuty | None = None
    teams: Teams | None = None
    github: GithubIssues | None = None
    jsonl: JsonLines | None = None
    routes: list[Route] = field(default_factory=list)
    digest_at: str = "08:00"
    timezone: str = "UTC"
