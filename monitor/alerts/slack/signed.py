"""Presses that Slack sends over HTTP: proven by the app's signing secret, and fresh.

Slack's "Verifying requests from Slack": HMAC-SHA256 over ``v0:timestamp:body``; a timestamp five
minutes off is refused, so that nothing recorded can be played again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from slack_sdk.signature import Clock as SignatureClock
from slack_sdk.signature import SignatureVerifier

from monitor.alerts.slack.buttons import press_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.alerts.slack.buttons import Press

MAX_BODY_BYTES = 256 * 1024


class _Clock(SignatureClock):
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def now(self) -> float:
        return self._now()


def is_genuine(
    secret: str, headers: Mapping[str, str], body: bytes, now: Callable[[], float]
) -> bool:
    """Whether a request is Slack's and not older than five minutes."""
    stamp = headers.get("X-Slack-Request-Timestamp", "")
    if not stamp.isdecimal() or len(body) > MAX_BODY_BYTES:
        return False
    verifier = SignatureVerifier(secret, clock=_Clock(now))
    given = headers.get("X-Slack-Signature", "")
    return bool(verifier.is_valid(body=body, timestamp=stamp, signature=given))


def press_in(body: bytes) -> Press | None:
    """The press in a request's body (a form whose field ``payload`` is JSON)."""
    try:
        fields = parse_qs(body.decode("utf-8"), max_num_fields=8)
        return press_of(json.loads(fields["payload"][0]))
    except (ValueError, KeyError, IndexError, RecursionError):
        return None
