"""What was told already: by the window before, or by a source that was recovered from a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import NESTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import Finding

MAX_TOLD_TWICE = 4096
"""How many of the latest findings can lie in the overlap of two windows."""


def new(found: Sequence[Finding], told: Sequence[Finding]) -> list[Finding]:
    """Those that the window before has not told already: windows overlap."""
    known = {(each.rule, each.path, each.byte_offset) for each in told[-MAX_TOLD_TWICE:]}
    return [each for each in found if (each.rule, each.path, each.byte_offset) not in known]


def tell_once(findings: list[Finding], start: int, stop: int, path: str) -> None:
    """Take out of a map's own findings what the sources recovered from it told.

    The map's own are those from ``start`` to ``stop``, those of its sources come behind.
    """
    again = {
        each.fingerprint
        for each in findings[stop:]
        if each.secret is not None and each.path.startswith(path + NESTED)
    }
    own = findings[start:stop]
    findings[start:stop] = [each for each in own if each.fingerprint not in again]
