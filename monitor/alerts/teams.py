"""Microsoft Teams: an Adaptive Card per event, through a workflow's address.

The workflow ("Post to a channel when a webhook request is received") takes cards only, answers 202
before it posts, and cannot be asked what it posted: after a lost answer the card is sent again and
carries the event's id. Cards are kept below Teams' 28 KB; text is never markdown of strangers.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.alerts.document import cleaned
from monitor.alerts.post import request
from monitor.alerts.telling import Telling, digest_lines, digest_subject, line, telling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from monitor.alerts.settings import AlertSettings, Reach, TeamsSettings
    from monitor.model import Digest, Outgoing

MAX_BYTES = 26_000
MAX_DIGEST_LINES = 40
_REMEDY = "set alerts.teams.url to the workflow's current address"
_COLOURS: Mapping[str, str] = {"critical": "attention", "high": "attention", "medium": "warning"}
_FALLING = (10, 5, 2, 0)
# Adaptive Cards read a part of Markdown in every text: links, emphasis, lists, and tags.
_MARKUP = re.compile(r"[\\`*_~\[\]()#<>|!]")


def channel(settings: AlertSettings) -> TeamsChannel | None:
    """The configured channel, None if there is none."""
    return TeamsChannel(settings.teams, settings.reach) if settings.teams is not None else None


class TeamsChannel:
    """One channel of one team. A message's id is the event's: the workflow gives none."""

    name = "teams"

    def __init__(
        self,
        settings: TeamsSettings,
        reach: Reach,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._reach = reach
        self._now = now

    async def send(self, outgoing: Outgoing) -> str:
        """See ``monitor.alerts.Channel``."""
        await self._post(card(telling(outgoing, self._now()), outgoing))
        return outgoing.id

    async def digest(self, digest: Digest) -> str:
        """See ``monitor.alerts.Channel``."""
        lines = digest_lines(digest)[:MAX_DIGEST_LINES]
        head = _text(digest_subject(digest), size="Large", weight="Bolder")
        await self._post({"body": [head, *(_text(each, spacing="Small") for each in lines)]})
        return digest.id

    async def find(self, _outgoing: Outgoing | Digest) -> str | None:
        """None: the workflow cannot be asked."""
        return None

    async def check(self) -> str:
        """See ``monitor.alerts.Channel``: nothing can be asked without posting."""
        self._settings.url()
        return "the address is set; whether the workflow takes cards, a message shows"

    async def notify(self, text: str) -> str:
        """See ``monitor.alerts.Channel``."""
        await self._post({"body": [_text(line(text, 2000))]})
        return "notice"

    async def _post(self, content: dict[str, Any]) -> None:
        made = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "msteams": {"width": "Full"},
        }
        kind = "application/vnd.microsoft.card.adaptive"
        attachment = {"contentType": kind, "contentUrl": None, "content": made | content}
        message = cleaned({"type": "message", "attachments": [attachment]})
        await request(
            "POST", self._settings.url(), reach=self._reach, channel=self.name, content=message,
            remedy=_REMEDY,
        )  # fmt: skip


def card(told: Telling, outgoing: Outgoing) -> dict[str, Any]:
    """The card's body, with as many places and steps as fit."""
    made: dict[str, Any] = {}
    for limit in _FALLING:
        made = {"body": list(_body(told, outgoing, limit))}
        if len(msgspec.json.encode(cleaned(made))) <= MAX_BYTES:
            return made
    return {"body": made["body"][:3]}  # hostile names alone can be so long


def _body(told: Telling, outgoing: Outgoing, limit: int) -> Iterator[dict[str, Any]]:
    severity = outgoing.incident.severity.value
    yield _text(
        told.subject, size="Large", weight="Bolder", color=_COLOURS.get(severity, "default")
    )
    happened = f"{told.happened} {told.why}".strip()
    yield _text(f"{severity.upper()} - {happened}", weight="Bolder")
    yield _text(told.lead)
    facts = [{"title": name, "value": _plain(value)} for name, value in told.facts if value]
    yield {"type": "FactSet", "facts": [*facts, {"title": "Event", "value": outgoing.event.id}]}
    for place in told.places[:limit]:
        yield _text(place, fontType="Monospace", spacing="Small")
    hidden = told.places_hidden + max(0, len(told.places) - limit)
    if hidden:
        yield _text(f"and {hidden:,} more places", isSubtle=True, spacing="Small")
    for number, step in enumerate(told.steps if limit else (), 1):
        words = f"{number}. {step.do} {step.told} {step.command} {step.needs}"
        yield _text(line(" ".join(words.split()), 500), spacing="Small")


def _text(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": _plain(text), "wrap": True} | style


def _plain(text: str) -> str:
    """Text that an Adaptive Card shows as it stands: its Markdown knows the backslash."""
    return _MARKUP.sub(lambda match: f"\\{match[0]}", text)
