"""A signed webhook: the event as JSON, to an address of the operator's, by Standard Webhooks.

The headers are those of the Standard Webhooks specification 1.0: ``webhook-id`` is the event's id
and the same in every attempt, so that a receiver takes an event once; ``webhook-timestamp`` is the
time of the attempt in Unix seconds, which a receiver holds against its clock (five minutes either
way), so that nothing recorded can be played again later; ``webhook-signature`` is ``v1,`` and the
base64 of HMAC-SHA256 over ``id.timestamp.body``. ``verified`` is that check, for receivers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from monitor.alerts.document import encoded
from monitor.alerts.errors import MisconfiguredError
from monitor.alerts.post import request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.alerts.settings import AlertSettings, Reach, WebhookSettings
    from monitor.model import Digest, Outgoing

TOLERANCE_SECONDS = 300
_PREFIX = "whsec_"
_MIN_KEY_BYTES = 24
_REMEDY = "look at alerts.webhook.url, and whether the receiver accepts the signature"


def channel(settings: AlertSettings) -> WebhookChannel | None:
    """The configured channel, None if there is none."""
    if settings.webhook is None:
        return None
    return WebhookChannel(settings.webhook, settings.reach)


class WebhookChannel:
    """One receiver. A message's id is the event's: the receiver gives none."""

    name = "webhook"

    def __init__(
        self,
        settings: WebhookSettings,
        reach: Reach,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._reach = reach
        self._now = now

    async def send(self, outgoing: Outgoing) -> str:
        """See ``monitor.alerts.Channel``."""
        await self._post(outgoing.id, encoded(outgoing))
        return outgoing.id

    async def digest(self, digest: Digest) -> str:
        """See ``monitor.alerts.Channel``."""
        await self._post(digest.id, encoded(digest))
        return digest.id

    async def find(self, _outgoing: Outgoing | Digest) -> str | None:
        """None: a receiver cannot be asked; it knows the event again by its ``webhook-id``."""
        return None

    async def check(self) -> str:
        """See ``monitor.alerts.Channel``: the key is well formed; only a message shows more."""
        _key(self._settings.secret())
        return "the key is well formed; whether the receiver accepts it, a message shows"

    async def notify(self, text: str) -> str:
        """See ``monitor.alerts.Channel``: ``{"schema": "leakmon/notice/1", "text"}``."""
        import msgspec

        name = f"notice-{int(self._now().timestamp())}"
        body = msgspec.json.encode({"schema": "leakmon/notice/1", "id": name, "text": text})
        await self._post(name, body)
        return name

    async def _post(self, name: str, body: bytes) -> None:
        stamp = int(self._now().timestamp())
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signature(_key(self._settings.secret()), name, stamp, body),
        }
        await request(
            "POST", self._settings.url(), reach=self._reach, channel=self.name, body=body,
            headers=headers, remedy=_REMEDY,
        )  # fmt: skip


def signature(key: bytes, name: str, stamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``."""
    signed = b".".join((name.encode(), str(stamp).encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def verified(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether a request is ours and fresh: what a receiver does (headers in lower case).

    The receiver still has to take each ``webhook-id`` once.
    """
    name, told = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not told.isdecimal() or abs(now - int(told)) > TOLERANCE_SECONDS:
        return False
    expected = signature(_key(secret), name, int(told), body)
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected.encode(), each.encode()) for each in given)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) < _MIN_KEY_BYTES:
        raise MisconfiguredError(
            "alerts.webhook.secret: no key: write whsec_ and the base64 of 24 random bytes or more "
            "(openssl rand -base64 32)",
            reason="bad-key",
        )
    return key
