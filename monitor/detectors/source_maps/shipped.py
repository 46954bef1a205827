"""SM6 and SM8: which of the files that maps and comments name lie in the artifact."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from monitor.archive.map_names import is_remote
from monitor.detectors import fingerprints
from monitor.model import NESTED, Confidence, Finding, Severity
from monitor.model.wording import count

if TYPE_CHECKING:
    from monitor.detectors.source_maps.sources import Sources
    from monitor.model import Inspection, SourceMapReference

_DANGLING = "source-map-dangling"
_NAMES_ONE, _NAME_ONE = "sourceMappingURL names a map", "sourceMappingURLs name a map"
_MAX_RESOLVED = 20_000


def is_declaration_map(path: str) -> bool:
    """Whether a map belongs to TypeScript declarations."""
    return path.endswith((".d.ts.map", ".d.mts.map", ".d.cts.map"))


class Tree:
    """The artifact's files by their full paths."""

    def __init__(self, inspection: Inspection) -> None:
        self._paths = {member.path for member in inspection.members}
        # A container (a compressed map, say) shows up only as the front of its members' paths.
        for path in list(self._paths):
            front = path
            while NESTED in front:
                front = front.rpartition(NESTED)[0]
                self._paths.add(front)
        self._paths.update(record.path for record in inspection.source_maps)

    def present(self, sources: Sources) -> list[str]:
        """The named first-party sources that are files of the artifact, in the map's order."""
        record = sources.record
        found: dict[str, None] = {}
        for name, *_ in sources.paths[:_MAX_RESOLVED]:
            for candidate in _candidates(record.path, name):
                if candidate in self._paths and candidate != record.path:
                    found[candidate] = None
        return list(found)

    def is_dangling(self, reference: SourceMapReference) -> bool:
        """Whether a relative ``sourceMappingURL`` leads nowhere in the artifact."""
        if not reference.url or is_remote(reference.url):
            return False
        url = unquote(reference.url.partition("#")[0].partition("?")[0])
        target = _resolve(reference.path, url)
        return not any(target + ending in self._paths for ending in ("", ".gz", ".br", ".zst"))


def _candidates(map_path: str, name: str) -> list[str]:
    """Where a source may lie: beside the map as the format says, or below the package's root."""
    bare = unquote(name)
    below = posixpath.normpath(bare).lstrip("./")
    front, nested, inner = map_path.rpartition(NESTED)
    top = inner.partition("/")[0]
    return [_resolve(map_path, bare), f"{front}{nested}{top}/{below}", f"{front}{nested}{below}"]


def _resolve(path: str, relative: str) -> str:
    """``relative`` seen from the file at ``path``, held inside that file's container."""
    front, nested, inner = path.rpartition(NESTED)
    joined = posixpath.normpath(posixpath.join("/", posixpath.dirname(inner), relative))
    return f"{front}{nested}{joined.lstrip('/')}"


def dangling(references: list[SourceMapReference]) -> Finding:
    """SM6, one finding for all such comments of the artifact."""
    first = references[0]
    return Finding(
        rule=_DANGLING,
        detector="source-maps",
        kind="source",
        severity=Severity.INFO,
        confidence=Confidence.HIGH,
        message=f"{count(len(references), _NAMES_ONE, _NAME_ONE)} that is not shipped.",
        path=first.path,
        fingerprint=fingerprints.of_finding(_DANGLING),
        line=first.line,
        column=first.column,
        byte_offset=first.byte_offset,
        evidence={
            "signal": "SM6",
            "count": len(references),
            "paths": sorted({each.path for each in references})[:20],
        },
        references=["https://tc39.es/ecma426/"],
        advice="Nothing leaks here; leave the comment out of the build to keep tools quiet.",
    )
