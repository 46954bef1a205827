"""What passes for an artifact and holds none: said, where a clear answer would be a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import NESTED, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.model import Inspection
    from monitor.pipeline.subjects import Subject

_ARCHIVES = (
    *(".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".zip", ".whl", ".egg", ".crate", ".gem"),
    *(".vsix", ".nupkg", ".jar", ".war", ".apk", ".aar", ".ipa", ".deb", ".rpm", ".asar", ".crx"),
    *(".gz", ".bz2", ".xz", ".zst", ".lz4", ".7z", ".rar", ".cab"),
)

_STREAMS = frozenset({"gzip", "bzip2", "xz", "zstd"})


def gaps(subject: Subject, inspection: Inspection, known: Sequence[Skipped]) -> Sequence[Skipped]:
    """The files of a subject that only their names make archives, or that nothing is in it at all.

    ``known`` are the gaps told already. Of a folder only the files that lie directly in it count:
    deeper ones may be test data, which is broken on purpose.
    """
    if not inspection.members and not known:
        return [Skipped(subject.filename or subject.target, "empty")]
    named = {
        shown
        for job in subject.jobs
        for _, shown in job.files
        if shown.lower().endswith(_ARCHIVES) and "/" not in shown
    }
    if not named:
        return ()
    named -= {gap.path for gap in known}
    return [Skipped(path, "not-an-archive") for path in _unopened(inspection, named)]


def _unopened(inspection: Inspection, named: set[str]) -> Iterator[str]:
    """Those of the named files that came out as they are, or as a stream that is no tar archive."""
    for member in inspection.members:
        outer, nested, inner = member.path.partition(NESTED)
        is_promised = inner.endswith(".tar") and member.container in _STREAMS
        if outer in named and (not nested or is_promised):
            named.discard(outer)
            yield outer
