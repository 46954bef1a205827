"""Durable work: the jobs of the queue."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, field

PAYLOAD_VERSION = 1
"""The form of the payloads that this leakmon writes. It reads this one and the one before it."""


class Job(Struct, frozen=True, kw_only=True):
    """One piece of work. ``key`` is the identity of what it is about; the queue holds a key once.

    ``payload`` is JSON in the form ``version``. A higher ``priority`` goes first. ``attempts``
    counts the failed tries. ``worker`` and ``lease`` are the queue's: who has taken it, and which
    taking this is.
    """

    key: str
    kind: str
    run_at: datetime
    payload: dict[str, Any] = field(default_factory=dict)
    version: int = PAYLOAD_VERSION
    priority: int = 0
    attempts: int = 0
    worker: str = ""
    lease: int = 0
