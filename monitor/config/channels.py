"""What the settings say of the channels, with a way to their secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.alerts.settings import AlertSettings, SlackSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.config.settings import Settings


def alert_settings(settings: Settings, environ: Mapping[str, str]) -> AlertSettings:
    """The configured channels. Raises ConfigError for a secret that is not there.

    The token is read anew for every call: one that was rotated is taken up.
    """
    slack = settings.alerts.slack
    if slack is None:
        return AlertSettings()
    slack.token.reveal(environ)
    return AlertSettings(
        slack=SlackSettings(
            token=lambda: slack.token.reveal(environ),
            channel=slack.channel,
            base_url=slack.base_url,
        )
    )


def channel_names(settings: Settings) -> list[str]:
    """The names of the configured channels, as the outbox knows them."""
    return ["slack"] if settings.alerts.slack is not None else []
