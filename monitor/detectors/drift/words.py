"""Numbers and names of strangers in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SHOWN = 6
_LONGEST = 80


def many(number: int, singular: str, plural: str = "") -> str:
    """``1 file``, ``1,900 files``."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"


def megabytes(number: int) -> str:
    """Bytes in powers of 1,000, to one digit."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= step:
            return f"{number / step:.1f} {unit}"
    return many(number, "byte")


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    told = ", ".join(f"`{name[:_LONGEST]}`" for name in names[:MOST_SHOWN])
    more = len(names) - MOST_SHOWN
    return f"{told} and {more:,} more" if more > 0 else told
