"""Incident events -> people. One module or package per channel, each with its line in ``CHANNELS``.

A channel turns one outgoing event into one message. What is due, in which order, and what happens
when a channel is down is ``delivery``'s; when it runs is the service's.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.alerts.settings import AlertSettings
    from monitor.model import Digest, Outgoing


class Channel(Protocol):
    """A place where people read. Raises the errors of ``monitor.alerts.errors`` and no other."""

    @property
    def name(self) -> str:
        """The channel's name in the outbox: that of its line in the table."""

    async def send(self, outgoing: Outgoing) -> str:
        """Deliver the event and give the id of the message which tells of it.

        With ``outgoing.thread`` the incident's first message is brought up to date and the event
        told below it; without one the message stands for the whole incident.
        """

    async def digest(self, digest: Digest) -> str:
        """Tell of all that was held back, in one message, and give its id."""

    async def find(self, outgoing: Outgoing | Digest) -> str | None:
        """The id of the message that tells of this already, if there is one."""

    async def check(self) -> str:
        """Whether messages could be sent and found again: what was learnt, in one line."""

    async def notify(self, text: str) -> str:
        """Tell the operator something that is about no incident, and give the message's id."""


CHANNELS: Mapping[str, str] = {
    "slack": "monitor.alerts.slack",
    "webhook": "monitor.alerts.webhook",
    "email": "monitor.alerts.email",
    "pagerduty": "monitor.alerts.pagerduty",
    "teams": "monitor.alerts.teams",
    "github": "monitor.alerts.github",
    "jsonl": "monitor.alerts.jsonl",
}
"""Name -> module, whose ``channel(settings)`` makes it, or None where it is not configured."""


def channels(settings: AlertSettings) -> list[Channel]:
    """Every configured channel, in the order of the table."""
    made = [import_module(module).channel(settings) for module in CHANNELS.values()]
    return [each for each in made if each is not None]
