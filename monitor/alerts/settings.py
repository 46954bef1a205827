"""What the channels need to know, with a way to the secrets instead of the secrets."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class SlackSettings(Struct, frozen=True, kw_only=True):
    """Where to post. ``token`` reads the bot token anew: one that was rotated is taken up.

    ``channel`` is ``#name`` or an id; ``base_url`` replaces the address of the API.
    """

    token: Callable[[], str]
    channel: str
    base_url: str = ""

    def __repr__(self) -> str:
        return f"SlackSettings(channel={self.channel!r})"


class AlertSettings(Struct, frozen=True, kw_only=True):
    """The configured channels; None for one that is silent."""

    slack: SlackSettings | None = None
