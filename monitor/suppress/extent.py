"""How much a finding is about, so that knowing a leak does not hide a larger one in its place.

A fingerprint stays the same while what it stands for grows: another key in the same file, 300
sources where a map had 3. A baseline keeps these measures out of ``evidence`` beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from monitor.detectors.fingerprints import stable_path

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTENT = "content"
_PATHS = "paths"
_MAX_PATHS = 20
_FLOORS: Mapping[str, int] = {
    "first_party_files": 10,
    "first_party_bytes": 100_000,
    "named_files": 10,
    "shipped_files": 10,
    "places": 10,
    "count": 10,
}
"""The counts that tell how large a leak is, and what each may grow by in any case."""


class Extent(Struct, frozen=True):
    """The measures of one finding: digest of the content, counts, and paths where all are told."""

    content: str = ""
    counts: tuple[tuple[str, int], ...] = ()
    paths: frozenset[str] = frozenset()

    def excess(self, found: Mapping[str, Any]) -> str:
        """What in the evidence ``found`` goes beyond this, in words; empty if nothing does.

        A count goes beyond when it grew by more than half, and by more than its floor.
        """
        other = of(found)
        if self.content and other.content and self.content != other.content:
            return "its content has changed"
        now = dict(other.counts)
        for name, known in self.counts:
            if now.get(name, 0) > known + max(known // 2, _FLOORS[name]):
                return f"{name.replace('_', ' ')}: {known:,} were known"
        new = other.paths - self.paths if self.paths else frozenset()
        return f"{min(new)} was not known" if new else ""


def of(evidence: Mapping[str, Any]) -> Extent:
    """The measures in a finding's evidence, which may be a stranger's JSON."""
    content = evidence.get(_CONTENT)
    counts = [(name, evidence.get(name)) for name in _FLOORS]
    paths = evidence.get(_PATHS)
    is_whole = isinstance(paths, list) and len(paths) < _MAX_PATHS
    return Extent(
        content if isinstance(content, str) else "",
        tuple((name, max(count, 0)) for name, count in counts if isinstance(count, int)),
        frozenset(stable_path(str(path)) for path in paths) if is_whole and paths else frozenset(),
    )


def kept(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the evidence that a later baseline needs."""
    return {name: evidence[name] for name in (_CONTENT, _PATHS, *_FLOORS) if name in evidence}
