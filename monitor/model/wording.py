"""Numbers as people read them, in the messages of every room."""

from __future__ import annotations


def count(number: int, singular: str, plural: str = "") -> str:
    """``1 place``, ``1,897 files``; ``plural`` where it is not made by an s."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
