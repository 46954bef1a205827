"""Drift: what is new in this version, held against the last ones of the same package.

The signals are S1 to S8, SM7 and C10 of what gave real leaks away: the manifests of a leaking
version and the one before it are often identical, only the archive's shape tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from monitor.detectors.context import NOTHING_KNOWN, Context
from monitor.detectors.drift import proof
from monitor.detectors.drift.profiling import BINARIES, profile
from monitor.detectors.drift.telling import finding
from monitor.detectors.drift.words import listed, many, megabytes
from monitor.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.model import Finding, Inspection
    from monitor.model.profiles import Profile

MOST_VERSIONS = 10
LEAST_VERSIONS = 2
"""One version before this one is an example, not a habit; only a first map needs no more."""

BIGGER = 2.0
LEAST_BYTES = 1_000_000
MORE_FILES = 3.0
LEAST_FILES = 20
MINIFIED_LINE = 400
READABLE_LINE = 120
LEAST_SCRIPT = 8_000
_NATIVE_SHARE = 0.8
_SOURCE_FOLDERS = frozenset(
    {"src", "test", "tests", "__tests__", "fixtures", "spec", "e2e", "internal", "private"}
)
_SOURCE_KINDS = frozenset(
    {".ts", ".tsx", ".jsx", ".vue", ".svelte", ".py", ".go", ".rs", ".java", ".kt", ".cs", ".c"}
    | {".cc", ".cpp", ".h", ".swift", ".rb", ".php", ".sql", ".proto", ".tf", ".ipynb", ".map"}
    | {".env", ".pem", ".key", ".p12", ".pdb", ".log", ".sqlite", ".db", ".bak", ".yaml", ".yml"}
)


def conclude(inspection: Inspection, context: Context = NOTHING_KNOWN) -> Sequence[Finding]:
    """What is unlike the versions before; nothing where none are known.

    A first source map raises what the map itself is told with by one level.
    """
    if not context.history:
        return ()
    now = profile(
        inspection,
        version=context.version,
        publisher=context.publisher,
        provenance=context.provenance,
        builder=context.builder,
    )
    alike = [each for each in context.history if each.filename_kind == now.filename_kind]
    past = alike[:MOST_VERSIONS]
    if not past:
        return ()
    found = [*_maps(now, past, inspection), *proof.drift(now, past)]
    if len(past) >= LEAST_VERSIONS:
        found += [
            *_sizes(now, past),
            *_folders(now, past),
            *_kinds(now, past),
            *_readability(now, past),
            *_circumstances(now, past),
        ]
    return found


def _maps(now: Profile, past: Sequence[Profile], inspection: Inspection) -> Iterator[Finding]:
    """SM7: the first map ever."""
    if not now.maps or any(each.maps for each in past):
        return
    for place, known in enumerate(inspection.findings):
        if known.detector == "source-maps" and known.kind == "source":
            raised = msgspec.structs.replace(
                known,
                severity=known.severity.moved(1),
                evidence=known.evidence | {"first_of": len(past)},
            )
            inspection.findings[place] = raised
    versions = many(len(past), "version")
    told = many(now.maps, "source map")
    yield finding(
        "drift-first-map",
        Severity.HIGH if now.full_maps else Severity.MEDIUM,
        f"{told} in this version; none in the {versions} before.",
        signal="SM7",
        kind="source",
        before=0,
        now=now.maps,
    )


def _sizes(now: Profile, past: Sequence[Profile]) -> Iterator[Finding]:
    """S1 and S2: much larger, many more files."""
    from statistics import median  # with fractions and decimals: no scan without a past needs them

    usual = median(each.bytes for each in past)
    if now.bytes > LEAST_BYTES and now.bytes > BIGGER * usual:
        growth = now.bytes - usual
        native = now.binary_bytes - median(each.binary_bytes for each in past)
        is_native = native >= _NATIVE_SHARE * growth
        why = ", nearly all of it native binaries" if is_native else ""
        yield finding(
            "drift-size",
            Severity.LOW if is_native else Severity.MEDIUM,
            f"{megabytes(now.bytes)} unpacked, {now.bytes / max(usual, 1):.1f} times as much as "
            f"usual{why}.",
            signal="S1",
            kind="source",
            before=int(usual),
            now=now.bytes,
        )
    files = median(each.files for each in past)
    if now.files > MORE_FILES * files and now.files - files >= LEAST_FILES:
        yield finding(
            "drift-files",
            Severity.MEDIUM,
            f"{many(now.files, 'file')}, where the versions before had about {files:,.0f}.",
            signal="S2",
            kind="source",
            before=int(files),
            now=now.files,
        )


def _folders(now: Profile, past: Sequence[Profile]) -> Iterator[Finding]:
    """S3 and S6: folders that no version before had."""
    known = {folder for each in past for folder in each.folders}
    new = [folder for folder in now.folders if folder not in known]
    hidden = [folder for folder in new if folder.startswith(".")]
    sources = [folder for folder in new if folder.lower() in _SOURCE_FOLDERS]
    others = [folder for folder in new if folder not in {*hidden, *sources}]
    for rule, signal, severity, names, told in (
        ("drift-hidden-folder", "S3", Severity.MEDIUM, hidden, "hidden folder"),
        ("drift-source-folder", "S6", Severity.MEDIUM, sources, "folder of sources or tests"),
        ("drift-folder", "S3", Severity.LOW, others, "top-level folder"),
    ):
        if names:
            yield finding(
                rule,
                severity,
                f"{many(len(names), f'new {told}', f'new {told}s')}: {listed(names)}.",
                signal=signal,
                kind="source",
                new=names[:20],
            )


def _kinds(now: Profile, past: Sequence[Profile]) -> Iterator[Finding]:
    """S3: a class of files that no version before had, if it is one that tells."""
    known = {kind for each in past for kind in each.kinds}
    new = sorted(kind for kind in now.kinds if kind in _SOURCE_KINDS - BINARIES - known)
    if new:
        shown = [f"{kind} ({now.kinds[kind]:,})" for kind in new]
        yield finding(
            "drift-kind",
            Severity.LOW,
            f"Files of a kind that no version before had: {listed(shown)}.",
            signal="S3",
            kind="source",
            new=new[:20],
        )


def _readability(now: Profile, past: Sequence[Profile]) -> Iterator[Finding]:
    """C10: what was always minified can now be read."""
    from statistics import median

    before = [_line(each) for each in past if each.script_bytes >= LEAST_SCRIPT]
    if len(before) < LEAST_VERSIONS or now.script_bytes < LEAST_SCRIPT:
        return
    usual, mean = median(before), _line(now)
    if usual >= MINIFIED_LINE and mean <= READABLE_LINE:
        yield finding(
            "drift-readable",
            Severity.HIGH,
            f"JavaScript that was minified in the versions before is readable source now "
            f"({megabytes(now.script_bytes)}, {mean:,.0f} bytes a line instead of {usual:,.0f}).",
            signal="C10",
            kind="source",
            before=int(usual),
            now=int(mean),
        )


def _circumstances(now: Profile, past: Sequence[Profile]) -> Iterator[Finding]:
    """S8 and the licence: by whom, with what, under which terms."""
    packers = {each.packer for each in past}
    if now.packer and packers == {"npm"} and now.packer != "npm":
        yield finding(
            "drift-packer",
            Severity.MEDIUM,
            "Not packed by npm, as every version before was.",
            signal="S8",
            kind="packer",
            before="npm",
            now=now.packer,
        )
    publishers = {each.publisher for each in past if each.publisher}
    if now.publisher and publishers and now.publisher not in publishers:
        yield finding(
            "drift-publisher",
            Severity.LOW,
            f"Published by {now.publisher[:100]}, who published none of the versions before.",
            signal="S8",
            kind="publisher",
            before=sorted(publishers)[:10],
            now=now.publisher,
        )
    licences = {each.licence for each in past}
    if len(licences) == 1 and now.licence not in licences:
        (licence,) = licences
        yield finding(
            "drift-licence",
            Severity.MEDIUM,
            f"Licence {now.licence[:80] or 'none'}, where every version before said "
            f"{licence[:80] or 'none'}.",
            signal="C23",
            kind="licence",
            before=licence,
            now=now.licence,
        )


def _line(each: Profile) -> float:
    return each.script_bytes / max(each.script_lines, 1)
