"""What the channels need to know, with a way to the secrets instead of the secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

Secret = Callable[[], str]
"""Reads a secret anew: one that was rotated is taken up."""


class SlackSettings(Struct, frozen=True, kw_only=True):
    """Where to post. ``token`` reads the bot token.

    ``channel`` is ``#name`` or an id; ``base_url`` replaces the address of the API. Buttons are
    shown where their presses can be heard: ``app_token`` opens Socket Mode, ``signing_secret``
    proves requests that Slack sends over HTTP. ``users`` and ``groups`` (ids) may press them; with
    neither nobody may.
    """

    token: Secret
    channel: str
    base_url: str = ""
    app_token: Secret | None = None
    signing_secret: Secret | None = None
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def has_buttons(self) -> bool:
        """Whether presses of buttons can be heard."""
        return self.app_token is not None or self.signing_secret is not None

    def __repr__(self) -> str:
        return f"SlackSettings(channel={self.channel!r})"


class WebhookSettings(Struct, frozen=True, kw_only=True):
    """Where signed JSON goes: ``secret`` is the Standard Webhooks key (``whsec_...``)."""

    url: Secret
    secret: Secret


class EmailSettings(Struct, frozen=True, kw_only=True):
    """A mail server and who writes to whom. ``tls`` is ``starttls`` or ``implicit``, never none.

    ``ca_file`` is trusted besides the system's certificates.
    """

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    tls: str = "starttls"
    username: str = ""
    password: Secret | None = None
    ca_file: str = ""


class PagerDutySettings(Struct, frozen=True, kw_only=True):
    """One integration of the Events API v2."""

    routing_key: Secret
    base_url: str


class TeamsSettings(Struct, frozen=True, kw_only=True):
    """The address of a Teams workflow that posts what it is sent; the address is a secret."""

    url: Secret


class GithubSettings(Struct, frozen=True, kw_only=True):
    """A private repository whose issues the incidents become."""

    token: Secret
    repository: str
    api: str
    labels: tuple[str, ...] = ()


class JsonLinesSettings(Struct, frozen=True, kw_only=True):
    """The file that grows by a line for each event; ``-`` is standard output."""

    path: str


class Reach(Struct, frozen=True, kw_only=True):
    """How HTTP gets out of this machine: proxies by scheme, certificate files, the operator."""

    proxies: Mapping[str, str] = field(default_factory=dict)
    ca_files: tuple[str, ...] = ()
    contact: str = ""


class AlertSettings(Struct, frozen=True, kw_only=True):
    """The configured channels; None for one that is silent."""

    slack: SlackSettings | None = None
    webhook: WebhookSettings | None = None
    email: EmailSettings | None = None
    pagerduty: PagerDutySettings | None = None
    teams: TeamsSettings | None = None
    github: GithubSettings | None = None
    jsonl: JsonLinesSettings | None = None
    reach: Reach = Reach()
