"""PagerDuty: one alert per incident, by the Events API v2.

``dedup_key`` is the incident's id: the same event twice changes nothing, so nothing has to be
looked for after a lost answer. States follow: acknowledged, resolved, triggered again.
Fields and limits: PagerDuty's "PD-CEF" and "Send an Event" pages (summary 1,024 characters, the
whole 512 KB).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from monitor.alerts.errors import MisconfiguredError, RejectedError
from monitor.alerts.post import request
from monitor.alerts.telling import digest_subject, line, moment, telling
from monitor.model import IncidentState, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.alerts.settings import AlertSettings, PagerDutySettings, Reach
    from monitor.model import Digest, Outgoing

MAX_SUMMARY = 1024
_KEY_LENGTH = 32
_REMEDY = "look at alerts.pagerduty.routing_key and base_url"
_SEVERITIES: Mapping[Severity, str] = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
}
_ACTIONS: Mapping[IncidentState, str] = {
    IncidentState.OPEN: "trigger",
    IncidentState.ACKNOWLEDGED: "acknowledge",
    IncidentState.SNOOZED: "acknowledge",
    IncidentState.RESOLVED: "resolve",
    IncidentState.FALSE_POSITIVE: "resolve",
}


def channel(settings: AlertSettings) -> PagerDutyChannel | None:
    """The configured channel, None if there is none."""
    if settings.pagerduty is None:
        return None
    return PagerDutyChannel(settings.pagerduty, settings.reach)


class PagerDutyChannel:
    """One integration. A message's id is the ``dedup_key``."""

    name = "pagerduty"

    def __init__(
        self,
        settings: PagerDutySettings,
        reach: Reach,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._reach = reach
        self._now = now

    async def send(self, outgoing: Outgoing) -> str:
        """See ``monitor.alerts.Channel``. What people note changes no alert: it is not sent."""
        incident = outgoing.incident
        if outgoing.event.kind == "note" and outgoing.thread is not None:
            return incident.id
        action = _ACTIONS[incident.state]
        content: dict[str, Any] = {"event_action": action, "dedup_key": incident.id}
        if action == "trigger":
            content |= {"client": "leakmon", "payload": self._payload(outgoing)}
        await self._enqueue(content)
        return incident.id

    async def digest(self, digest: Digest) -> str:
        """What is not urgent pages nobody: one event that is resolved at once."""
        return await self.notify(digest_subject(digest))

    async def find(self, _outgoing: Outgoing | Digest) -> str | None:
        """None: to send again is harmless."""
        return None

    async def check(self) -> str:
        """See ``monitor.alerts.Channel``: nothing can be asked without paging somebody."""
        self._key()
        return "the routing key is well formed; whether it is known, a message shows"

    async def notify(self, text: str) -> str:
        """See ``monitor.alerts.Channel``: an alert of the lowest severity, resolved at once."""
        name = f"leakmon-notice-{int(self._now().timestamp())}"
        payload = {"summary": line(text, MAX_SUMMARY), "source": "leakmon", "severity": "info"}
        content = {"event_action": "trigger", "dedup_key": name, "payload": payload}
        await self._enqueue(content)
        await self._enqueue({"event_action": "resolve", "dedup_key": name})
        return name

    def _payload(self, outgoing: Outgoing) -> dict[str, Any]:
        incident = outgoing.incident
        told = telling(outgoing, self._now())
        details = {name: value for name, value in told.facts if value}
        details |= {"Reason": told.lead, "Event": f"{told.happened} {told.why}".strip()}
        details |= {f"Place {number}": place for number, place in enumerate(told.places, 1)}
        steps = (f"{each.do} {each.told} {each.command}".strip() for each in told.steps)
        details |= {f"Step {number}": line(step) for number, step in enumerate(steps, 1)}
        about = line(f"{incident.package}: {told.lead}", MAX_SUMMARY)
        return {
            "summary": about,
            "source": line(f"{incident.ecosystem}:{incident.package}", 300),
            "severity": _SEVERITIES.get(incident.severity, "info"),
            "timestamp": incident.first_seen_at.isoformat(),
            "component": line(incident.package, 200),
            "group": line(incident.organisation, 200),
            "class": line(incident.cause, 200),
            "custom_details": details | {"Told at": moment(self._now())},
        }

    async def _enqueue(self, content: dict[str, Any]) -> None:
        key = self._key()
        try:
            await request(
                "POST", f"{self._settings.base_url.rstrip('/')}/v2/enqueue", reach=self._reach,
                channel=self.name, content={"routing_key": key} | content, remedy=_REMEDY,
            )  # fmt: skip
        except RejectedError as error:
            if error.reason == "http-400":  # also what it says of a key that it does not know
                raise MisconfiguredError(
                    f"pagerduty refuses the event (400): {_REMEDY}", reason="http-400"
                ) from None
            raise

    def _key(self) -> str:
        key = self._settings.routing_key()
        if len(key) != _KEY_LENGTH or not key.isalnum():
            raise MisconfiguredError(
                "alerts.pagerduty.routing_key: not an integration key of 32 letters and digits",
                reason="bad-key",
            )
        return key
