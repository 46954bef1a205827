"""The signals SM1 to SM8, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitor.detectors import fingerprints
from monitor.detectors.source_maps import remote, shipped
from monitor.detectors.source_maps.folding import Fold
from monitor.detectors.source_maps.sources import Sources, is_telling
from monitor.model import Confidence, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.detectors.context import Context
    from monitor.model import Inspection, SourceMapRecord

DETECTOR = "source-maps"
_REFERENCES = ["https://tc39.es/ecma426/"]
_ADVICE_SOURCE = (
    "Keep the bytes, publish a version without the map, then remove this one. "
    "Treat the source as copied since the minute it was published."
)
_ADVICE_PATHS = "Build without source maps or leave them out of the package's file list."


def findings(inspection: Inspection, context: Context) -> list[Finding]:
    """The findings of every rule: the first ones alone, all further ones folded into one."""
    told: list[Finding] = []
    folds: dict[str, Fold] = {}
    for finding in _each(inspection, context):
        fold = folds.setdefault(finding.rule, Fold())
        if fold.takes(finding):
            told.append(finding)
    return told + [fold.finding() for fold in folds.values() if fold.more]


def _each(inspection: Inspection, context: Context) -> Iterator[Finding]:
    tree = shipped.Tree(inspection)
    of_dependencies: list[Sources] = []
    for record in inspection.source_maps:
        sources = Sources(record, context)
        if record.problem is not None:
            yield _not_inspected(record)
        if sources.recovered:
            yield _with_content(sources)
        elif sources.paths:
            yield from _paths_only(sources, tree, context)
        elif sources.dependencies:
            of_dependencies.append(sources)
        yield from remote.of_map(record)
    if of_dependencies:
        yield _dependencies_only(of_dependencies)
    yield from remote.of_references(inspection)
    dangling = [each for each in inspection.map_references if tree.is_dangling(each)]
    if dangling:
        yield shipped.dangling(dangling)


def _finding(
    rule: str,
    severity: Severity,
    message: str,
    path: str,
    *,
    evidence: dict[str, Any],
    advice: str,
    kind: str = "source",
) -> Finding:
    return Finding(
        rule=rule,
        detector=DETECTOR,
        kind=kind,
        severity=severity,
        confidence=Confidence.HIGH,
        message=message,
        path=path,
        fingerprint=fingerprints.of_finding(rule, fingerprints.stable_path(path)),
        evidence=evidence,
        references=_REFERENCES,
        advice=advice,
    )


def _with_content(sources: Sources) -> Finding:
    """SM1 or SM2: the text of first-party sources."""
    is_inline = sources.record.origin != "file"
    where = "inline source map" if is_inline else "source map"
    evidence = {"signal": "SM2" if is_inline else "SM1"} | sources.evidence(sources.recovered)
    return _finding(
        "source-map-inline" if is_inline else "source-map-first-party-content",
        Severity.CRITICAL,
        f"The {where} carries {sources.told(sources.recovered)} in full text.",
        sources.record.path,
        evidence=evidence,
        advice=_ADVICE_SOURCE,
    )


def _paths_only(sources: Sources, tree: shipped.Tree, context: Context) -> Iterator[Finding]:
    """SM8 where the named sources lie in the artifact too, else SM3."""
    path = sources.record.path
    present = tree.present(sources)
    if present:
        evidence: dict[str, Any] = {
            "signal": "SM8",
            "shipped_files": len(present),
            "named_files": len(sources.paths),
            "top": present[:20],
        }
        yield _finding(
            "source-map-sources-shipped",
            Severity.CRITICAL,
            f"{len(present):,} of the {len(sources.paths):,} source files that the map names "
            "are in the package too.",
            path,
            evidence=evidence,
            advice=_ADVICE_SOURCE,
        )
        return
    if shipped.is_declaration_map(path):
        return  # `.d.ts.map` without its source helps editors and names only what `.d.ts` shows
    telling = [each[0] for each in sources.paths if is_telling(each[0], context)]
    yield _finding(
        "source-map-paths-only",
        Severity.HIGH if telling else Severity.MEDIUM,
        f"The source map names {len(sources.paths):,} first-party source path"
        f"{'s' * (len(sources.paths) != 1)}, "
        + (f"among them {telling[0][:200]}." if telling else "without their text."),
        path,
        evidence={"signal": "SM3", "telling": telling[:20]} | sources.evidence(sources.paths),
        advice=_ADVICE_PATHS,
    )


def _dependencies_only(maps: list[Sources]) -> Finding:
    """SM4, one finding for all such maps of the artifact."""
    files = sum(len(each.dependencies) for each in maps)
    return _finding(
        "source-map-dependencies-only",
        Severity.LOW,
        f"{len(maps):,} source map{'s' * (len(maps) != 1)} with {files:,} source "
        f"file{'s' * (files != 1)}, of dependencies only.",
        maps[0].record.path,
        evidence={
            "signal": "SM4",
            "maps": len(maps),
            "files": files,
            "paths": [each.record.path for each in maps[:20]],
        },
        advice=_ADVICE_PATHS,
    )


def _not_inspected(record: SourceMapRecord) -> Finding:
    return _finding(
        "source-map-not-inspected",
        Severity.MEDIUM,
        f"The source map could not be read in full ({record.problem}): not fully inspected.",
        record.path,
        evidence={"reason": record.problem},
        advice="Look at this map by hand, or raise the limit and scan again.",
        kind="not-inspected",
    )
