"""The sources of one map, parted by whose they are and whether their text is there."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from monitor.model import NESTED
from monitor.model.wording import count
from monitor.patterns import later

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.detectors.context import Context
    from monitor.model import SourceMapRecord

Source = tuple[str, int, int, bool, bool]
"""``(name, bytes, lines, is_first_party, has_content)``, as in ``model.SourceMapRecord``."""

_TOP = 20
_MAX_SHOWN = 300
_MODULES = "node_modules/"
_SCOPE = later(r"node_modules/(@[^/]+)/")
_MONOREPO = later(
    r"(?:^|/)(?:packages|apps|libs|services|modules|crates|projects|monorepo|workspaces)/[^/]+/.",
    re.IGNORECASE,
)
_INTERNAL = later(
    r"(?<![a-z])(?:internal|private|confidential|proprietary)(?![a-z])", re.IGNORECASE
)


class Sources:
    """One map's sources: ``paths`` are first-party, ``recovered`` those of them with text.

    The record's own word on first-party names is corrected by place: a map inside
    ``node_modules/`` is a dependency's, unless the dependency is the organisation's.
    """

    def __init__(self, record: SourceMapRecord, context: Context) -> None:
        scopes = context.organisation.npm.scopes if context.organisation else []
        folder = record.path.rpartition(NESTED)[2] if record.origin == "file" else record.path
        is_bundled = _MODULES in folder and not _in_scopes(folder, scopes)
        self.record = record
        self.paths: list[Source] = []
        self.recovered: list[Source] = []
        self.dependencies: list[Source] = []
        for source in record.sources:
            is_ours = not is_bundled and (source[3] or _in_scopes(source[0], scopes))
            if is_ours:
                self.paths.append(source)
                if source[4] and source[1]:
                    self.recovered.append(source)
            elif source[4]:
                self.dependencies.append(source)

    def told(self, chosen: Sequence[Source]) -> str:
        """The counts as a responder reads them."""
        lines = sum(each[2] for each in chosen)
        return (
            f"{count(len(chosen), 'first-party source file')} "
            f"({_bytes(sum(each[1] for each in chosen))}, {count(lines, 'line')})"
        )

    def evidence(self, chosen: Sequence[Source]) -> dict[str, Any]:
        """Counts, share of the map's sources, and the largest paths."""
        total = len(self.record.sources)
        top = sorted(chosen, key=lambda each: -each[1])[:_TOP]
        found: dict[str, Any] = {
            "origin": self.record.origin,
            "files": total,
            "first_party_files": len(chosen),
            "first_party_bytes": sum(each[1] for each in chosen),
            "first_party_lines": sum(each[2] for each in chosen),
            "first_party_share": round(len(chosen) / total, 4) if total else 0.0,
            "top": [
                {"path": each[0][:_MAX_SHOWN], "bytes": each[1], "lines": each[2]} for each in top
            ],
        }
        if self.record.has_ignore_list:
            found["ignore_list"] = "present, not trusted"
        return found


def is_telling(name: str, context: Context) -> bool:
    """Whether a path alone gives away a monorepo's layout or an internal name."""
    if _MONOREPO.search(name) or _INTERNAL.search(name):
        return True
    organisation = context.organisation
    if organisation is None:
        return False
    parts = [part.lower() for part in name.split("/")]
    names = [each.lower() for each in organisation.internal_names + organisation.code_names]
    return any(
        fnmatchcase(part, pattern) or fnmatchcase(f"{above}/{part}", pattern)
        for above, part in zip(["", *parts], parts, strict=False)
        for pattern in names
    )


def _in_scopes(path: str, scopes: Sequence[str]) -> bool:
    """Whether the innermost scoped dependency on the path is one of the organisation's."""
    if not scopes:
        return False
    found = _SCOPE.findall(path)
    return bool(found) and found[-1] in scopes


def _bytes(number: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return count(number, "byte")
