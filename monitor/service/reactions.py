"""Decisions that are made where people read: a press of a button becomes a change of an incident.

Presses come over Slack's Socket Mode, a loop of the daemon's, or as signed requests to
``/slack/actions`` beside the health answers.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from monitor import incidents
from monitor.alerts.errors import MisconfiguredError, UnreachableError
from monitor.service.logs import logger

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from datetime import datetime

    from monitor.alerts.slack.buttons import Press
    from monitor.alerts.slack.presses import Presses
    from monitor.model import Incident, IncidentChange
    from monitor.service.health import Answering
    from monitor.service.parts import Parts

PATH = "/slack/actions"
_AGAIN_SECONDS = 60.0
_log = logger()


class StoreDesk:
    """``alerts.slack.presses.Desk`` on the store."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def decide(
        self, incident: str, kind: str, *, actor: str, reason: str, until: datetime | None
    ) -> Incident:
        """See ``Desk``."""
        parts, now = self._parts, self._parts.clock.now()

        def change(standing: Incident) -> IncidentChange:
            return incidents.acted(standing, kind, at=now, actor=actor, reason=reason, until=until)

        changed = await parts.store.change_incident(
            incident, change, actor=actor, action=kind, reason=reason, channels=parts.hearers
        )
        await parts.wake()
        return changed

    async def look(self, incident: str) -> Incident:
        """See ``Desk``."""
        return await self._parts.store.incident(incident)


def reactions(parts: Parts) -> Reactions | None:
    """What listens for presses; None where no channel has buttons."""
    if parts.settings.alerts.slack is None:
        return None
    from monitor.alerts.slack import SlackChannel  # the library alone takes 0.2 s

    presses = [
        channel.presses(StoreDesk(parts))
        for channel in parts.channels
        if isinstance(channel, SlackChannel)
    ]
    return next((Reactions(parts, each) for each in presses if each is not None), None)


class Reactions:
    """What listens for presses, as far as it is configured."""

    def __init__(self, parts: Parts, presses: Presses) -> None:
        self._parts = parts
        self._presses = presses
        self._settings = presses.settings
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def has_socket(self) -> bool:
        """Whether Socket Mode is configured."""
        return self._settings.app_token is not None

    async def listen(self, stopping: asyncio.Event) -> None:
        """Hear presses over Socket Mode until told to stop; trouble is told and tried again."""
        from monitor.alerts.slack.socket import Socket

        while not stopping.is_set():
            try:
                await Socket(self._settings, self.take).run(stopping)
            except (MisconfiguredError, UnreachableError) as error:
                _log.error(str(error), step="react", reason=error.reason)
                self._parts.meters.errors.labels("react", error.reason).inc()
                try:
                    await asyncio.wait_for(stopping.wait(), _AGAIN_SECONDS)
                except TimeoutError:
                    continue

    async def take(self, press: Press) -> None:
        """One press, done and answered."""
        told = await self._presses.take(press)
        _log.info(
            f"{press.actor} pressed {press.action}", step="react", incident=press.incident,
            answer=told[:200],
        )  # fmt: skip

    async def posted(self, request: web.Request) -> web.Response:
        """A signed request of Slack's; it is answered at once and done then."""
        from monitor.alerts.slack import signed

        secret = self._settings.signing_secret
        assert secret is not None, "no route without a secret"
        body = await request.content.read(signed.MAX_BODY_BYTES + 1)
        if not signed.is_genuine(secret(), request.headers, body, self._seconds):
            return web.Response(status=401, text="not signed by Slack, or too old\n")
        press = signed.press_in(body)
        if press is not None:
            self._start(self.take(press))
        return web.Response()

    def routes(self) -> Sequence[tuple[str, Answering]]:
        """What is answered over HTTP, by path."""
        return [(PATH, self.posted)] if self._settings.signing_secret is not None else []

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _seconds(self) -> float:
        return self._parts.clock.now().timestamp()
