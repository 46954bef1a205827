"""What is done about a press: who may, the decision itself, and a word to whoever pressed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from monitor.alerts import steps
from monitor.alerts.slack import buttons
from monitor.alerts.slack.mrkdwn import code, joined, plain
from monitor.errors import LeakmonError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.alerts.settings import SlackSettings
    from monitor.alerts.slack.api import Api
    from monitor.alerts.slack.buttons import Press
    from monitor.model import Incident

SNOOZE = timedelta(days=1)
MEMBERS_KEPT = timedelta(minutes=5)
"""For how long the members of a user group are believed: Slack lets us ask 20 times a minute."""


class Desk(Protocol):
    """Where decisions are made (the service's): the audit log has each with its actor."""

    async def decide(
        self, incident: str, kind: str, *, actor: str, reason: str, until: datetime | None
    ) -> Incident:
        """Change the incident. Raises UsageError or NotFoundError where that makes no sense."""

    async def look(self, incident: str) -> Incident:
        """How it stands."""


class Presses:
    """Takes presses one by one; what goes wrong is told to whoever pressed, and nobody else."""

    def __init__(
        self,
        api: Api,
        settings: SlackSettings,
        desk: Desk,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api = api
        self.settings = settings
        self._desk = desk
        self._now = now
        self._members: frozenset[str] = frozenset()
        self._asked_at: datetime | None = None

    async def take(self, press: Press) -> str:
        """Do what the press asks for; gives what was answered."""
        try:
            told = await self._done(press)
        except LeakmonError as error:
            told = plain(str(error), 600)
        await self._tell(press, told)
        return told

    async def _done(self, press: Press) -> str:
        if not await self._may(press.user):
            raise UsageError(
                "you may not decide on incidents: ask the operator to name you or your group in "
                "alerts.slack.users or groups"
            )
        if press.action == buttons.STEPS:
            return self._steps(await self._desk.look(press.incident))
        if press.action == buttons.REASONED and not press.reason:
            await self._api.call("views.open", trigger_id=press.trigger, view=buttons.form(press))
            return ""
        until = self._now() + SNOOZE if press.action == "snoozed" else None
        incident = await self._desk.decide(
            press.incident, press.action, actor=press.actor, reason=press.reason, until=until
        )
        return f"Noted: {code(incident.id, 60)} is {incident.state.value.replace('-', ' ')}."

    async def _may(self, user: str) -> bool:
        if user in self.settings.users:
            return True
        if not self.settings.groups:
            return False
        now = self._now()
        if self._asked_at is None or now - self._asked_at > MEMBERS_KEPT:
            members: set[str] = set()
            for group in self.settings.groups:
                answer = await self._api.call("usergroups.users.list", usergroup=group)
                members |= {str(each) for each in answer.get("users", ())}
            self._members, self._asked_at = frozenset(members), now
        return user in self._members

    def _steps(self, incident: Incident) -> str:
        lines = [f"*Next steps for {plain(incident.package, 200)}*"]
        for number, step in enumerate(steps.steps(incident, self._now()), 1):
            told = f"{number}. *{plain(step.do, 80)}* {plain(step.told, 400) if step.told else ''}"
            lines.append(f"{told} {code(step.command, 260) if step.command else ''}".strip())
        return joined(lines, 2900)

    async def _tell(self, press: Press, text: str) -> None:
        """A word that only the one who pressed sees: a courtesy, whose failure costs nothing."""
        if not text or not press.place:
            return
        content = {"channel": press.place, "user": press.user, "text": text}
        if press.thread:
            content["thread_ts"] = press.thread
        try:
            await self._api.call("chat.postEphemeral", **content)
        except LeakmonError:
            return
