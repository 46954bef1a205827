"""How bad, how sure, how open, how complete: the scales that everything is told on."""

from __future__ import annotations

import enum


class _Ordered(enum.Enum):
    """An enumeration whose members compare by the order in which they are written."""

    @property
    def rank(self) -> int:
        return _RANKS[self]

    def __lt__(self, other: _Ordered) -> bool:
        return self.rank < other.rank

    def __le__(self, other: _Ordered) -> bool:
        return self.rank <= other.rank

    def __gt__(self, other: _Ordered) -> bool:
        return self.rank > other.rank

    def __ge__(self, other: _Ordered) -> bool:
        return self.rank >= other.rank


class Severity(_Ordered):
    """How bad a finding or a verdict is, least first."""

    NONE = "none"
    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    def moved(self, levels: int) -> Severity:
        """This severity some levels up (or down, if negative), held between INFO and CRITICAL."""
        scale = list(Severity)
        return scale[max(1, min(len(scale) - 1, self.rank + levels))]


class Confidence(_Ordered):
    """How sure a detector is that a finding is what it says, least first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class PostureValue(enum.Enum):
    """What the owner means to show the public of a package."""

    OPEN = "open"
    SOURCE_AVAILABLE = "source-available"
    PROPRIETARY = "proprietary"
    INTERNAL_ONLY = "internal-only"
    UNKNOWN = "unknown"


class Status(enum.Enum):
    """How much of a target was inspected."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


_RANKS: dict[_Ordered, int] = {
    member: rank for kind in (Severity, Confidence) for rank, member in enumerate(kind)
}
