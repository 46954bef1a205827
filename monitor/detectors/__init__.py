"""Detectors: members and whole artifacts in, findings out. No network, no database, no clock.

A member detector sees every member (or window of one) with the rules' matches in it, on the hot
path; an artifact detector sees the finished inspection. A detector may be both. Severities are
those under a proprietary owner; the judge moves them.

To add one: write ``monitor/detectors/<name>.py`` and its line here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from monitor.detectors import carriers, drift, packaging, secrets, source_maps
from monitor.detectors.context import NOTHING_KNOWN, Context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.archive import Member
    from monitor.model import Finding, Inspection
    from monitor.rules import Match

__all__ = [
    "ARTIFACT_DETECTORS",
    "MEMBER_DETECTORS",
    "ArtifactDetector",
    "Context",
    "MemberDetector",
]


class MemberDetector(Protocol):
    """Looks at one member (or window) with the rules' matches in it."""

    def __call__(
        self, member: Member, matches: Sequence[Match], context: Context = NOTHING_KNOWN
    ) -> Sequence[Finding]:
        """The findings, empty for nearly every member."""
        ...


class ArtifactDetector(Protocol):
    """Looks at the whole artifact, once all its members were inspected."""

    def __call__(
        self, inspection: Inspection, context: Context = NOTHING_KNOWN
    ) -> Sequence[Finding]:
        """The findings over all members together."""
        ...


MEMBER_DETECTORS: tuple[MemberDetector, ...] = (
    carriers.inspect,
    secrets.inspect,
)

ARTIFACT_DETECTORS: tuple[ArtifactDetector, ...] = (
    carriers.conclude,
    packaging.conclude,
    source_maps.conclude,
    drift.conclude,  # last: it raises what the others found
)
