"""Buttons below an incident's message, and what Slack tells of a press. Pure.

The payloads are Slack's ``block_actions`` and ``view_submission``. They come signed or over our own
socket, but every field may be missing or strange; what is no press of ours is None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from monitor.alerts.slack.mrkdwn import title
from monitor.model import IncidentState
from monitor.report.text import prose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.model import Incident

PREFIX = "leakmon:"
STEPS = "steps"
REASONED = "false-positive"
MAX_REASON = 500
_MAX_ID = 80

_WORDS: Mapping[str, tuple[str, str]] = {
    "acknowledged": ("Acknowledge", "primary"),
    "resolved": ("Resolve", ""),
    "snoozed": ("Snooze a day", ""),
    REASONED: ("False positive...", ""),
    "reopened": ("Reopen", ""),
    STEPS: ("Next steps", ""),
}
_OFFERED: Mapping[IncidentState, tuple[str, ...]] = {
    IncidentState.OPEN: ("acknowledged", "resolved", "snoozed", REASONED, STEPS),
    IncidentState.ACKNOWLEDGED: ("resolved", "snoozed", REASONED, STEPS),
    IncidentState.SNOOZED: ("acknowledged", "resolved", REASONED, STEPS),
    IncidentState.FALSE_POSITIVE: ("reopened",),
    IncidentState.RESOLVED: ("reopened",),
}


class Press(Struct, frozen=True, kw_only=True):
    """Somebody pressed a button, or sent the form that a button opened.

    ``action`` is a kind of event (``acknowledged`` ...) or ``steps``. ``trigger`` lets a form be
    opened for three seconds; it is empty when ``reason`` came with the form.
    """

    action: str
    incident: str
    user: str
    user_name: str
    place: str = ""
    thread: str = ""
    trigger: str = ""
    reason: str = ""

    @property
    def actor(self) -> str:
        """Who it was, for the audit log."""
        return f"{self.user_name} (Slack {self.user})" if self.user_name else f"Slack {self.user}"


def block(incident: Incident) -> dict[str, Any]:
    """The row of buttons that fit the incident's state."""
    elements = [_button(action, incident.id) for action in _OFFERED[incident.state]]
    return {"type": "actions", "block_id": f"{PREFIX}actions", "elements": elements}


def form(press: Press) -> dict[str, Any]:
    """The form which asks for the reason of a judgement."""
    return {
        "type": "modal",
        "callback_id": f"{PREFIX}{press.action}",
        "private_metadata": f"{press.incident}|{press.place}|{press.thread}",
        "title": _words("False positive"),
        "submit": _words("Judge"),
        "close": _words("Cancel"),
        "blocks": [
            {
                "type": "input",
                "block_id": "reason",
                "label": _words("Why is it none? Whoever sees it next wants to know."),
                "element": {
                    "type": "plain_text_input",
                    "action_id": "text",
                    "multiline": True,
                    "min_length": 3,
                    "max_length": MAX_REASON,
                },
            }
        ],
    }


def press_of(payload: object) -> Press | None:
    """The press that a payload tells of."""
    if not isinstance(payload, dict):
        return None
    user = payload.get("user")
    who = user if isinstance(user, dict) else {}
    name = prose(_text(who.get("name")) or _text(who.get("username")))
    known = {"user": _text(who.get("id")), "user_name": name}
    if not known["user"]:
        return None
    if payload.get("type") == "view_submission":
        return _submitted(payload.get("view"), known)
    if payload.get("type") == "block_actions":
        return _pressed(payload, known)
    return None


def _pressed(payload: Mapping[str, Any], known: dict[str, str]) -> Press | None:
    actions = payload.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    if not isinstance(first, dict):
        return None
    action = _text(first.get("action_id")).removeprefix(PREFIX)
    incident = _text(first.get("value"))
    if action not in _WORDS or not incident:
        return None
    message, channel = payload.get("message"), payload.get("channel")
    return Press(
        action=action,
        incident=incident,
        place=_text(channel.get("id")) if isinstance(channel, dict) else "",
        thread=_text(message.get("ts")) if isinstance(message, dict) else "",
        trigger=_text(payload.get("trigger_id"), 200),
        **known,
    )


def _submitted(view: object, known: dict[str, str]) -> Press | None:
    if not isinstance(view, dict):
        return None
    action = _text(view.get("callback_id")).removeprefix(PREFIX)
    incident, _, where = _text(view.get("private_metadata"), 300).partition("|")
    if action != REASONED or not incident:
        return None
    place, _, thread = where.partition("|")
    try:
        reason = view["state"]["values"]["reason"]["text"]["value"]
    except (KeyError, TypeError, IndexError):
        reason = ""
    told = prose(_text(reason, MAX_REASON))
    return Press(action=action, incident=incident, place=place, thread=thread, reason=told, **known)


def _text(value: object, limit: int = _MAX_ID) -> str:
    """A text that is one and not longer than it may be."""
    return value if isinstance(value, str) and len(value) <= limit else ""


def _button(action: str, incident: str) -> dict[str, Any]:
    words, style = _WORDS[action]
    made: dict[str, Any] = {
        "type": "button",
        "action_id": f"{PREFIX}{action}",
        "text": _words(words),
        "value": incident,
    }
    return made | ({"style": style} if style else {})


def _words(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": title(text), "emoji": False}
