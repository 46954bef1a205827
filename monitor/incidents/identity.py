"""Names of incidents and events, made from what they are about."""

from __future__ import annotations

import base64
import hashlib

_LENGTH = 10
_EVENT_LENGTH = 26


def incident_id(ecosystem: str, package: str, cause: str) -> str:
    """``lm-`` and ten letters or digits: short enough to be typed, the same on every machine."""
    return f"lm-{_digest('incident/1', ecosystem, package, cause)[:_LENGTH]}"


def event_id(incident: str, kind: str, *subject: str) -> str:
    """The same for the same happening: what is recorded twice is one event."""
    return f"ev-{_digest('event/1', incident, kind, *subject)[:_EVENT_LENGTH]}"


def _digest(*parts: str) -> str:
    joined = "\0".join(("leakmon", *parts)).encode("utf-8", "surrogatepass")
    return base64.b32encode(hashlib.sha256(joined).digest()).decode("ascii").lower()
