"""Draws the profile of an artifact from its inspection."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from monitor.detectors.fingerprints import stable_path
from monitor.model import NESTED
from monitor.model.profiles import Profile

if TYPE_CHECKING:
    from monitor.model import Inspection, MemberRecord

MAX_FOLDERS = 200
MAX_KINDS = 200
NPM_MTIME = 499_162_500
SCRIPTS = (".js", ".mjs", ".cjs", ".jsx")
BINARIES = frozenset(
    {".node", ".so", ".dylib", ".dll", ".exe", ".pyd", ".wasm", ".a", ".lib", ".bin", ".jar"}
)


def profile(
    inspection: Inspection,
    *,
    version: str = "",
    filename: str = "",
    publisher: str = "",
    provenance: str = "",
    builder: str = "",
) -> Profile:
    """The shape of one artifact.

    ``publisher`` is what its registry says, empty for nothing; ``provenance`` and ``builder`` are
    what its attestations prove, as in Profile.
    """
    own = [each for each in inspection.members if each.path.count(NESTED) <= 1]
    paths = [_inside(each.path) for each in own]
    kinds = Counter(_ending(path) for path in paths)
    scripts = [each for each in own if each.path.endswith(SCRIPTS)]
    manifest = min(
        (each for each in inspection.manifests if each.name),
        key=lambda each: each.path.count(NESTED),
        default=None,
    )
    return Profile(
        version=version,
        filename_kind=_kind(filename or _outermost(inspection)),
        bytes=sum(each.size for each in own),
        files=len(own),
        binary_bytes=sum(each.size for each in own if _ending(each.path) in BINARIES),
        script_bytes=sum(each.size for each in scripts),
        script_lines=sum(each.lines for each in scripts),
        maps=len(inspection.source_maps),
        full_maps=sum(_is_full(record.sources) for record in inspection.source_maps),
        folders=_folders(paths),
        kinds=dict(kinds.most_common(MAX_KINDS)),
        packer=_packer(own),
        publisher=publisher,
        licence=manifest.licence if manifest is not None else "",
        provenance=provenance,
        builder=builder,
    )


def _inside(path: str) -> str:
    """The path in the package: without the archive's name and its one outer folder."""
    inner = path.partition(NESTED)[2] or path
    first, _, rest = inner.partition("/")
    if rest and (first == "package" or any(character.isdigit() for character in first)):
        return rest if not first.endswith((".dist-info", ".data")) else inner
    return inner


def _folders(paths: list[str]) -> list[str]:
    """Top-level folders, versions in their names left out."""
    found = {stable_path(path.partition("/")[0]) for path in paths if "/" in path}
    return sorted(found)[:MAX_FOLDERS]


def _ending(path: str) -> str:
    name = path.rpartition("/")[2].lower()
    stem, dot, last = name.rpartition(".")
    return f".{last}" if dot and stem and len(last) <= 12 else ""  # noqa: PLR2004 - no ending is longer


def _kind(filename: str) -> str:
    name = filename.lower()
    return ".tar.gz" if name.endswith((".tar.gz", ".tgz")) else _ending(name)


def _outermost(inspection: Inspection) -> str:
    return inspection.members[0].path.partition(NESTED)[0] if inspection.members else ""


def _is_full(sources: list[tuple[str, int, int, bool, bool]]) -> bool:
    return any(is_own and has_content for _, _, _, is_own, has_content in sources)


def _packer(members: list[MemberRecord]) -> str:
    """``npm`` where every file has the time that npm gives, ``other`` where tar says more."""
    times = {each.mtime for each in members if each.container == "tar"}
    if not times:
        return ""
    return "npm" if times == {NPM_MTIME} else "other"
