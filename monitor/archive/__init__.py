"""Hostile bytes in, members out: every leaf of containers in containers, inside one budget.

``walk`` is the way in. Nothing is ever written; names are display text, never paths to open.
"""

from __future__ import annotations

from monitor.archive.budget import NOT_THIS_FORMAT, ArchiveError, Budget, BudgetError, Limits
from monitor.archive.entries import Buffer, Entry, Member, Stream, Trail, nested, record_of
from monitor.archive.walk import walk

__all__ = [
    "NOT_THIS_FORMAT",
    "ArchiveError",
    "Budget",
    "BudgetError",
    "Buffer",
    "Entry",
    "Limits",
    "Member",
    "Stream",
    "Trail",
    "nested",
    "record_of",
    "walk",
]
