"""What a server may be told to do wrong, so many times, at addresses of its choice.

Counted, so that a test of crashes can say which of them really happened.
"""

from __future__ import annotations

import re
import threading
from collections import Counter

from msgspec import Struct

ANSWERS = (
    *("too-many", "unavailable", "not-found", "garbage-answer"),
    *("cut", "slow-loris", "truncated", "wrong-digest"),
)
"""Faults of any answer: 429 with ``Retry-After: 0``, 503, 404 while it is being scanned, bytes
without sense, the connection closed, a body that never ends, half of a body, one with another byte.
"""
PAGES = ("garbage", "empty-page", "older-body", "rate-limit")
"""Faults of feeds: bytes without sense, a page without rows, the body of before (RSS), XML-RPC's
fault -32500.
"""


class _Switched(Struct):
    kind: str
    path: re.Pattern[str]
    times: int


class Faults:
    """Switched on by any thread, taken by the server's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._switched: list[_Switched] = []
        self.taken: Counter[str] = Counter()

    def switch_on(self, kind: str, path: str = "", times: int = 1) -> None:
        """The next ``times`` requests whose path and query hold the pattern meet this fault."""
        assert kind in ANSWERS + PAGES, kind
        with self._lock:
            self._switched.append(_Switched(kind, re.compile(path), times))

    def clear(self) -> None:
        """All is well from now on."""
        with self._lock:
            self._switched.clear()

    def take(self, path: str, kinds: tuple[str, ...]) -> str:
        """The fault which this request meets, or the empty string."""
        with self._lock:
            for fault in self._switched:
                if fault.kind in kinds and fault.times > 0 and fault.path.search(path):
                    fault.times -= 1
                    self.taken[fault.kind] += 1
                    return fault.kind
        return ""
