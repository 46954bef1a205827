"""Findings in a repository's history: which commit they stand in, on which ref, still in HEAD?

Pure. The files of commits are inspected as members of archives (``registries.git_parts``); here
their paths become git's own (``<commit>:<path>``) again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from monitor.archive.names import printable
from monitor.model import NESTED, Finding, Skipped
from monitor.registries.git_reading import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitor.model import Inspection, Place

_MAX_COMMITS_TOLD = 20
_Age = tuple[int, int]  # the part, and the member's number in it
_UNKNOWN: _Age = (1 << 60, 0)


class Trail:
    """Where the members of one subject came from. ``name`` is what their paths begin with."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._places: dict[str, tuple[_Age, Place]] = {}

    def keep(self, places: Mapping[str, Place], inspection: Inspection, number: int) -> None:
        """Remember the places of what is spoken of in part ``number``; the oldest parts first."""
        by_shown = {printable(name): (at, place) for at, (name, place) in enumerate(places.items())}
        for path in _spoken_of(inspection):
            name = self._member(path, by_shown)
            if name is not None and name not in self._places:
                at, place = by_shown[name]
                self._places[name] = ((number, at), place)

    def offending(self, names: Mapping[str, Place], paths: Iterable[str]) -> list[str]:
        """Those of a tar's members that the paths lie in."""
        shown = {printable(name): name for name in names}
        hits = (self._member(path, shown) for path in paths)
        return [shown[hit] for hit in dict.fromkeys(hits) if hit is not None]

    def findings(self, found: Sequence[Finding]) -> list[Finding]:
        """The findings at their commits, each thing in each file told once, worst first as given.

        The oldest commit speaks for the others. A thing is in HEAD if any file that holds it is.
        """
        known = {id(each): self._of(each.path) for each in found}
        in_head = {
            each.fingerprint
            for each in found
            for place in [known[id(each)]]
            if place is not None and place[1].is_in_head
        }
        groups: dict[tuple[str, ...], list[Finding]] = {}
        for finding in found:
            place = known[id(finding)]
            where = place[1].path if place is not None else finding.path
            groups.setdefault((finding.rule, finding.fingerprint, where), []).append(finding)
        told = []
        for group in groups.values():
            group.sort(key=lambda each: _age(known[id(each)]))
            places = [place[1] for each in group for place in [known[id(each)]] if place]
            told.append(self._placed(group[0], places, is_in_head=group[0].fingerprint in in_head))
        return told

    def gaps(self, skipped: Iterable[Skipped]) -> list[Skipped]:
        """What was not inspected, at its commits, each once."""
        return list(dict.fromkeys(Skipped(self._path(each.path), each.reason) for each in skipped))

    def _placed(self, first: Finding, places: list[Place], *, is_in_head: bool) -> Finding:
        if not places:
            return replace(first, path=self._path(first.path))
        place = places[0]
        evidence: dict[str, Any] = {"commit": place.commit}
        if place.ref:
            evidence["ref"] = short(place.ref)
        if place.is_away:
            evidence["is_force_pushed_away"] = True
        if place.is_in_head is not None:
            evidence["is_in_head"] = is_in_head
        if place.authored_at is not None:
            evidence["authored_at"] = place.authored_at.isoformat()
        evidence["blob"] = place.blob
        others = list(dict.fromkeys(each.commit for each in places[1:]))
        if others:
            evidence["later_commits"] = others[:_MAX_COMMITS_TOLD]
            evidence["commits"] = 1 + len(others)
        return replace(first, path=self._path(first.path), evidence=evidence | first.evidence)

    def _of(self, path: str) -> tuple[_Age, Place] | None:
        name = self._member(path, self._places)
        return self._places[name] if name is not None else None

    def _member(self, path: str, names: Mapping[str, object]) -> str | None:
        """The member that a path begins with. A file's own name may hold what joins members."""
        parts = path.removeprefix(self.name + NESTED).split(NESTED)
        for count in range(1, len(parts) + 1):
            name = NESTED.join(parts[:count])
            if name in names:
                return name
        return None

    def _path(self, path: str) -> str:
        """``name!/<commit>/<path>`` as ``name!/<commit>:<path>``."""
        front = self.name + NESTED
        if not path.startswith(front):
            return path
        commit, slash, rest = path.removeprefix(front).partition("/")
        return f"{front}{commit}:{rest}" if slash else path


def _age(found: tuple[_Age, Place] | None) -> _Age:
    return found[0] if found is not None else _UNKNOWN


def _spoken_of(inspection: Inspection) -> Iterable[str]:
    """Every path that a finding may stand at, now or when the whole is concluded."""
    for group in (
        inspection.findings,
        inspection.skipped,
        inspection.hazards,
        inspection.source_maps,
        inspection.map_references,
        inspection.members,
    ):
        for each in group:
            yield each.path
