"""Slack: one thread per incident, posted by a bot through the Web API.

The bot needs the scopes ``chat:write`` and, to look whether a message whose answer was lost has
arrived, ``channels:history`` (``groups:history`` for private channels) and, where the channel is
given by name, ``channels:read`` (``groups:read``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from monitor.alerts import telling
from monitor.alerts.errors import MisconfiguredError, RejectedError
from monitor.alerts.slack import message, mrkdwn, thread
from monitor.alerts.slack.api import Api

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.alerts.settings import AlertSettings, SlackSettings
    from monitor.alerts.slack.presses import Desk, Presses
    from monitor.model import Digest, Outgoing

EVENT_TYPE = "leakmon_incident_event"
"""The type of the metadata in which each message carries the id of the event it tells of."""

CLOCK_SKEW = timedelta(minutes=5)
_MOVED = frozenset({"channel_not_found", "is_archived", "not_in_channel", "thread_not_found"})
_LOST = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


def channel(settings: AlertSettings) -> SlackChannel | None:
    """The configured channel, None if Slack is not."""
    return SlackChannel(settings.slack) if settings.slack is not None else None


class SlackChannel:
    """One channel of one workspace.

    A message's id is ``CHANNEL:TS``, so that a thread outlives a change of the configured channel.
    """

    name = "slack"

    def __init__(
        self, settings: SlackSettings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._api = Api(settings)
        self._settings = settings
        self._has_buttons = settings.has_buttons
        self._now = now

    def presses(self, desk: Desk) -> Presses | None:
        """What takes presses of this channel's buttons; None where it has none."""
        if not self._has_buttons:
            return None
        from monitor.alerts.slack.presses import Presses

        return Presses(self._api, self._settings, desk, now=self._now)

    async def send(self, outgoing: Outgoing) -> str:
        """See ``monitor.alerts.Channel``. The last thing it does is the one post."""
        if outgoing.thread is None:
            return await self._first(outgoing)
        place, _, ts = outgoing.thread.partition(":")
        try:
            await self._refresh(outgoing, place, ts)
        except (MisconfiguredError, RejectedError) as error:
            if error.reason in _LOST:  # somebody deleted it: tell all of it again
                return await self._first(outgoing)
            if error.reason not in _MOVED or place == await self._api.place():
                raise
            return await self._first(outgoing)
        event, incident = outgoing.event, outgoing.incident
        return await self._post(
            outgoing,
            place,
            blocks=thread.reply(event, incident),
            text=thread.fallback(event, incident),
            thread_ts=ts,
            reply_broadcast=event.kind in thread.BROADCAST,
        )

    async def find(self, outgoing: Outgoing | Digest) -> str | None:
        """See ``monitor.alerts.Channel``.

        Where the bot may not read the channel's history nothing is found: an alert that comes
        twice does less harm than one that never comes.
        """
        oldest = outgoing.created_at - CLOCK_SKEW
        place, _, ts = (outgoing.thread or "").partition(":")
        try:
            if ts and (found := await self._api.search(place, oldest, _is(outgoing), thread=ts)):
                return f"{place}:{found}"
            place = await self._api.place()
            found = await self._api.search(place, oldest, _is(outgoing))
        except MisconfiguredError as error:
            if error.reason == "missing_scope":
                return None
            raise
        return f"{place}:{found}" if found else None

    async def check(self) -> str:
        """See ``monitor.alerts.Channel``."""
        who = await self._api.call("auth.test")
        place = await self._api.place()
        await self._api.search(place, self._now(), lambda _metadata: False)
        return (
            f"{who.get('user', 'the bot')} in {who.get('team', 'the workspace')}, channel {place}"
        )

    async def digest(self, digest: Digest) -> str:
        """See ``monitor.alerts.Channel``."""
        lines = [mrkdwn.spans(each, 600) for each in telling.digest_lines(digest)]
        head = mrkdwn.plain(telling.digest_subject(digest))
        told = mrkdwn.joined(lines, message.MAX_TEXT - 100)
        payload = {"id": digest.id, "incident": ""}
        metadata = {"event_type": EVENT_TYPE, "event_payload": payload}
        blocks = [message.section(f"*{head}*"), message.section(told)]
        place, ts = await self._api.post(text=head, blocks=blocks, metadata=metadata)
        return f"{place}:{ts}"

    async def notify(self, text: str) -> str:
        """See ``monitor.alerts.Channel``."""
        told = mrkdwn.plain(text, message.MAX_TEXT - 100)
        place, ts = await self._api.post(text=told, blocks=[message.section(told)])
        return f"{place}:{ts}"

    async def _first(self, outgoing: Outgoing) -> str:
        incident = outgoing.incident
        blocks = message.message(incident, self._now(), has_buttons=self._has_buttons)
        return await self._post(outgoing, "", blocks=blocks, text=message.fallback(incident))

    async def _refresh(self, outgoing: Outgoing, place: str, ts: str) -> None:
        """Bring the first message up to date. Doing it twice is harmless."""
        incident = outgoing.incident
        blocks = message.message(incident, self._now(), has_buttons=self._has_buttons)
        text = message.fallback(incident)
        await self._api.call("chat.update", channel=place, ts=ts, blocks=blocks, text=text)

    async def _post(self, outgoing: Outgoing, place: str, **content: Any) -> str:
        payload = {"id": outgoing.id, "incident": outgoing.incident.id}
        metadata = {"event_type": EVENT_TYPE, "event_payload": payload}
        try:
            where, ts = await self._api.post(place, metadata=metadata, **content)
        except RejectedError:
            # Better the bare line than silence: the blocks may break a limit that is new to us.
            content.pop("blocks")
            where, ts = await self._api.post(place, metadata=metadata, **content)
        return f"{where}:{ts}"


def _is(outgoing: Outgoing | Digest) -> Callable[[Mapping[str, Any]], bool]:
    def matches(metadata: Mapping[str, Any]) -> bool:
        payload = metadata.get("event_payload")
        is_ours = metadata.get("event_type") == EVENT_TYPE and isinstance(payload, dict)
        return is_ours and payload is not None and payload.get("id") == outgoing.id

    return matches
