"""How much one artifact may cost, with everything that is nested in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.errors import LimitError, TargetError

if TYPE_CHECKING:
    from collections.abc import Callable

_MEMBERS_PER_CLOCK_READ = 256

NOT_THIS_FORMAT = "not-this-format"
"""The reason of an ArchiveError that says: the magic fitted by chance, this is a plain file."""


class ArchiveError(TargetError):
    """This container cannot be read (further); what was read so far stands."""

    default_reason = "bad-header"


class BudgetError(LimitError):
    """The artifact as a whole has used up a limit: the walk ends here."""

    default_reason = "over-bytes"


class Interrupted(BaseException):
    """A time limit was reached. Not an ``Exception``, so that no reader can swallow it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Limits(Struct, frozen=True, kw_only=True):
    """What one artifact may use, in bytes, seconds and counts.

    ``max_bytes`` counts work: what is inflated plus what is delivered, on every level of nesting.
    A member above ``max_member_bytes`` comes in windows of ``window_bytes`` that overlap by
    ``overlap_bytes``. A container is a bomb when it gives more than ``ratio_grace_bytes`` and more
    than ``max_ratio`` times its own size; an artifact is one in the same way by the ``total``
    figures and ``max_bytes``' count, which catches bombs whose every single container is modest.
    ``max_held_bytes`` bounds the members that lie unpacked
    in memory at once because containers in them are open.
    """

    max_depth: int = 12
    max_members: int = 500_000
    max_bytes: int = 16 << 30
    max_member_bytes: int = 128 << 20
    window_bytes: int = 32 << 20
    overlap_bytes: int = 64 << 10
    max_ratio: int = 200
    ratio_grace_bytes: int = 128 << 20
    max_total_ratio: int = 500
    total_grace_bytes: int = 2 << 30
    max_held_bytes: int = 192 << 20
    max_seconds: float = 300.0


class Budget:
    """What is left of the limits of one artifact; shared by all its containers.

    ``clock`` gives seconds that never go back. ``held`` is what nested members hold of memory now.
    """

    __slots__ = (
        "_clock",
        "_deadline",
        "_max_bytes",
        "_next_read",
        "bytes",
        "held",
        "limits",
        "members",
    )

    def __init__(
        self, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits or Limits()
        self.members = 0
        self.bytes = 0
        self.held = 0
        self._max_bytes = self.limits.max_bytes
        self._clock = clock
        self._deadline = clock() + self.limits.max_seconds
        self._next_read = _MEMBERS_PER_CLOCK_READ

    def begin(self, size: int) -> None:
        """Says how large the artifact itself is, in bytes: what it may unfold to follows."""
        limits = self.limits
        fair = max(limits.total_grace_bytes, size * limits.max_total_ratio)
        self._max_bytes = min(limits.max_bytes, fair)

    def count_member(self, size: int) -> None:
        """Takes one delivered member of ``size`` bytes. BudgetError when a limit is passed."""
        self.members += 1
        self.bytes += size
        if self.members >= self._next_read:
            self._next_read = self.members + _MEMBERS_PER_CLOCK_READ
            self.check()
        elif self.members > self.limits.max_members or self.bytes > self._max_bytes:
            self.check()

    def count_bytes(self, size: int) -> None:
        """Takes bytes that were inflated or searched. BudgetError when a limit is passed."""
        self.bytes += size
        self.check()

    def check(self) -> None:
        """BudgetError if any limit of the artifact as a whole is passed."""
        if self.members > self.limits.max_members:
            raise BudgetError("more members than allowed", reason="over-members")
        if self.bytes > self.limits.max_bytes:
            raise BudgetError("more bytes than allowed", reason="over-bytes")
        if self.bytes > self._max_bytes:
            raise BudgetError("more bytes than its size allows", reason="over-ratio")
        if self._clock() > self._deadline:
            raise BudgetError("more time than allowed", reason="over-time")

    def is_bomb(self, produced: int, consumed: int) -> bool:
        """Whether a container of ``consumed`` bytes that gave ``produced`` is no honest one."""
        limits = self.limits
        return (
            produced > limits.ratio_grace_bytes and produced > max(consumed, 1) * limits.max_ratio
        )
