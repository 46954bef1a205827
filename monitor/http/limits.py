"""What hosts say of their limits: how much is left, until when one is to stay away.

Sources: GitHub's REST documentation, "Rate limits" and "Best practices" (``retry-after``, then
``x-ratelimit-reset`` where nothing remains, else a minute that doubles); GitLab's ``ratelimit-*``
are named alike. An answer is believed for at most a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from .failures import RetryError
from .pace import wait_asked
from .settings import netloc_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_FIRST_SECONDARY = 60.0
_LONGEST = 3600.0
_LONGEST_HOLD = 86_400.0
_NOT_MODIFIED = 304
_MANY = 429
_REFUSED = 403


class Account(Struct, kw_only=True):
    """One host's account (GitHub counts ``core``, ``graphql`` ... apart).

    ``limit`` and ``remaining`` are requests or points, None where the host does not say; ``reset``
    and ``held_until`` are epoch seconds. ``refusals`` counts secondary limits in a row.
    """

    limit: int | None = None
    remaining: int | None = None
    reset: float = 0.0
    held_until: float = 0.0
    refusals: int = 0
    requests: int = 0
    unchanged: int = 0


class Limits:
    """The accounts of every host that was asked, by ``host:port`` and resource."""

    def __init__(self) -> None:
        self.accounts: dict[tuple[str, str], Account] = {}

    def check(self, url: str, now: datetime) -> None:
        """Raise RetryError, without a request, while the host wants to be left alone."""
        account = self.accounts.get((netloc_of(url), _resource(url)))
        wait = account.held_until - now.timestamp() if account is not None else 0.0
        if wait > 0:
            raise RetryError(
                f"{netloc_of(url)} is left alone as it asked for", reason="rate-limited", wait=wait
            )

    def saw(self, url: str, status: int, headers: Mapping[str, str], now: datetime) -> None:
        """Note what an answer says."""
        account = self.accounts.setdefault((netloc_of(url), _resource(url)), Account())
        account.requests += 1
        account.unchanged += status == _NOT_MODIFIED
        limit, remaining, reset = (_number(headers, name) for name in _NAMES)
        account.limit = limit if limit is not None else account.limit
        account.remaining = remaining if remaining is not None else account.remaining
        account.reset = float(reset) if reset is not None else account.reset
        if status < _REFUSED:
            account.refusals = 0
        wait = wait_asked(headers, now)
        if remaining == 0 and reset is not None:
            wait = max(wait or 0.0, reset - now.timestamp())
        # A host that counts wants all of us to stay away, not only who asked last.
        if wait and account.limit is not None and (status in {_REFUSED, _MANY} or remaining == 0):
            self.hold(url, wait, now)

    def counts(self, url: str) -> bool:
        """Whether the host tells of a limit."""
        account = self.accounts.get((netloc_of(url), _resource(url)))
        return account is not None and account.limit is not None

    def hold(self, url: str, seconds: float, now: datetime) -> None:
        """Stay away for so long."""
        account = self.accounts.setdefault((netloc_of(url), _resource(url)), Account())
        until = now.timestamp() + min(seconds, _LONGEST_HOLD)
        account.held_until = max(account.held_until, until)

    def refused(self, url: str, now: datetime) -> float:
        """A secondary limit that names no time: how long to stay away, doubling from a minute."""
        account = self.accounts.setdefault((netloc_of(url), _resource(url)), Account())
        wait: float = min(_LONGEST, _FIRST_SECONDARY * 2.0 ** min(account.refusals, 20))
        account.refusals += 1
        self.hold(url, wait, now)
        return wait


_NAMES = ("limit", "remaining", "reset")
_DIGITS = 12
"""Seconds since 1970 have ten."""


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(f"x-ratelimit-{name}", headers.get(f"ratelimit-{name}", "")).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _resource(url: str) -> str:
    path = urlsplit(url).path
    if path.rstrip("/").endswith("/graphql"):
        return "graphql"
    return "search" if "/search/" in path else "core"
