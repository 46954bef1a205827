"""What the settings say of the channels and routes, with a way to the secrets."""

from __future__ import annotations

import os
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from monitor.alerts import settings as made
from monitor.alerts.routing import DAYS, Hours, Route, Routing
from monitor.config.alerts_checks import NAMES
from monitor.config.secrets import SecretRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.config import alerting
    from monitor.config.settings import Settings

_PROXIED = ("http", "https", "all", "no")
_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def alert_settings(settings: Settings, environ: Mapping[str, str]) -> made.AlertSettings:
    """The configured channels. Raises ConfigError for a secret that is not there.

    Secrets are read anew for every call: one that was rotated is taken up.
    """
    alerts = settings.alerts
    return made.AlertSettings(
        slack=_slack(alerts.slack, environ) if alerts.slack else None,
        webhook=_webhook(alerts.webhook, environ) if alerts.webhook else None,
        email=_email(alerts.email, environ) if alerts.email else None,
        pagerduty=_pagerduty(alerts.pagerduty, environ) if alerts.pagerduty else None,
        teams=_teams(alerts.teams, environ) if alerts.teams else None,
        github=_github(alerts.github, environ) if alerts.github else None,
        jsonl=_jsonl(alerts.jsonl) if alerts.jsonl else None,
        reach=_reach(settings, environ),
    )


def channel_names(settings: Settings) -> list[str]:
    """The names of the configured channels, as the outbox knows them."""
    return [name for name in NAMES if getattr(settings.alerts, name) is not None]


def routing(settings: Settings) -> Routing:
    """Who hears of what."""
    routes = tuple(_route(each) for each in settings.alerts.routes)
    return Routing(channels=tuple(channel_names(settings)), routes=routes)


def last_digest_at(settings: Settings, now: datetime) -> datetime:
    """The latest moment of the configured time of day that is not in the future."""
    at = time.fromisoformat(settings.alerts.digest_at)
    local = now.astimezone(ZoneInfo(settings.alerts.timezone))
    moment = local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    if moment > local:
        moment -= timedelta(days=1)
    return moment.astimezone(now.tzinfo)


def _slack(slack: alerting.Slack, environ: Mapping[str, str]) -> made.SlackSettings:
    return made.SlackSettings(
        token=_secret(slack.token, environ),
        channel=slack.channel,
        base_url=slack.base_url,
        app_token=_optional(slack.app_token, environ),
        signing_secret=_optional(slack.signing_secret, environ),
        users=tuple(slack.users),
        groups=tuple(slack.groups),
    )


def _webhook(hook: alerting.Webhook, environ: Mapping[str, str]) -> made.WebhookSettings:
    url = hook.url
    return made.WebhookSettings(
        url=_secret(url, environ) if isinstance(url, SecretRef) else _plain(url),
        secret=_secret(hook.secret, environ),
    )


def _email(mail: alerting.Email, environ: Mapping[str, str]) -> made.EmailSettings:
    return made.EmailSettings(
        host=mail.host,
        port=mail.port,
        sender=mail.sender,
        to=tuple(mail.to),
        tls=mail.tls,
        username=mail.username,
        password=_optional(mail.password, environ),
        ca_file=os.path.expanduser(mail.ca_file),
    )


def _pagerduty(table: alerting.PagerDuty, environ: Mapping[str, str]) -> made.PagerDutySettings:
    key = _secret(table.routing_key, environ)
    return made.PagerDutySettings(routing_key=key, base_url=table.base_url)


def _teams(table: alerting.Teams, environ: Mapping[str, str]) -> made.TeamsSettings:
    return made.TeamsSettings(url=_secret(table.url, environ))


def _jsonl(table: alerting.JsonLines) -> made.JsonLinesSettings:
    return made.JsonLinesSettings(path=os.path.expanduser(table.path))


def _github(table: alerting.GithubIssues, environ: Mapping[str, str]) -> made.GithubSettings:
    return made.GithubSettings(
        token=_secret(table.token, environ),
        repository=table.repository,
        api=table.api,
        labels=tuple(table.labels),
    )


def _secret(reference: SecretRef, environ: Mapping[str, str]) -> made.Secret:
    """A way to the secret, which is there now."""
    reference.reveal(environ)
    return lambda: reference.reveal(environ)


def _optional(reference: SecretRef | None, environ: Mapping[str, str]) -> made.Secret | None:
    return _secret(reference, environ) if reference is not None else None


def _route(route: alerting.Route) -> Route:
    hours = None
    if route.hours or route.days:
        start, _, end = (route.hours or "00:00-00:00").partition("-")
        hours = Hours(
            start=time.fromisoformat(start),
            end=time.fromisoformat(end),
            days=frozenset(route.days or DAYS),
            zone=route.timezone,
        )
    return Route(
        channels=tuple(route.channels),
        organisations=tuple(route.organisations),
        min_severity=route.min_severity,
        max_severity=route.max_severity,
        kinds=tuple(route.kinds),
        ecosystems=tuple(route.ecosystems),
        hours=hours,
        is_digest=route.digest,
    )


def _plain(url: str) -> made.Secret:
    return lambda: url


def _reach(settings: Settings, environ: Mapping[str, str]) -> made.Reach:
    proxies = {}
    for scheme in _PROXIED:
        value = environ.get(f"{scheme}_proxy") or environ.get(f"{scheme.upper()}_PROXY")
        # HTTP_PROXY in capitals may be a request's header inside a CGI program.
        if value and not (scheme == "http" and "REQUEST_METHOD" in environ):
            proxies[scheme] = value
    files = tuple(environ[name] for name in _CA_VARIABLES if environ.get(name))
    return made.Reach(proxies=proxies, ca_files=files, contact=settings.http.contact)
