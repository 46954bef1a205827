"""Python's own bookkeeping: a wheel's RECORD (S4), bytecode without or unlike its source (S5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.detectors.packaging.told import finding
from monitor.model import NESTED, Severity
from monitor.model.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.model import Finding, Inspection, Manifest

_MAX_SHOWN = 20
_OPENED = f".pyc{NESTED}"
_UNLISTED = ("RECORD", "RECORD.jws", "RECORD.p7s")


def findings(inspection: Inspection) -> Iterator[Finding]:
    """The findings of all wheels and sdists that the artifact is or holds."""
    for manifest, files in _wheels(inspection):
        yield from _record(manifest, files)
    if any(each.ecosystem == "pypi" for each in inspection.manifests):
        yield from _bytecode(inspection)
    if inspection.stale_bytecode:
        yield _stale(inspection.stale_bytecode)


def _wheels(inspection: Inspection) -> Iterator[tuple[Manifest, dict[str, int]]]:
    """Each RECORD with the sizes of the files beside it, -1 for those opened as containers.

    A folder of installed packages has many and is no wheel: only containers with one count.
    """
    records: dict[str, list[Manifest]] = {}
    for manifest in inspection.manifests:
        if "record" in manifest.raw and NESTED in manifest.path:
            records.setdefault(_root(manifest), []).append(manifest)
    wheels = {root: found[0] for root, found in records.items() if len(found) == 1}
    files: dict[str, dict[str, int]] = {root: {} for root in wheels}
    for member in inspection.members if wheels else ():
        root = ""
        parts = member.path.split(NESTED)
        for depth, part in enumerate(parts):
            if root in files:
                size = member.size if depth == len(parts) - 1 else -1
                files[root][part] = max(files[root].get(part, -1), size)
            root += part + NESTED
    for root, manifest in wheels.items():
        yield manifest, files[root]


def _root(manifest: Manifest) -> str:
    """The front of the paths of everything in the manifest's own container."""
    front, nested, _ = manifest.path.rpartition(NESTED)
    return front + nested


def _record(manifest: Manifest, files: Mapping[str, int]) -> Iterator[Finding]:
    named = manifest.raw["record"]
    folder = manifest.path[len(_root(manifest)) :].rpartition("/")[0]
    free = {f"{folder}/{name}" for name in _UNLISTED}
    unlisted = [name for name in files if name not in named and name not in free]
    resized = [
        name for name, size in files.items() if size >= 0 and named.get(name, -1) not in {-1, size}
    ]
    if not unlisted and not resized:
        return
    yield finding(
        "wheel-record-mismatch",
        "integrity",
        Severity.MEDIUM,
        f"{count(len(unlisted), 'file of the wheel is', 'files of the wheel are')} not in its "
        f"RECORD, {count(len(resized), 'differs', 'differ')} from it in size.",
        manifest.path,
        subject=f"unlisted={bool(unlisted)} resized={bool(resized)}",
        evidence={
            "signal": "S4",
            "unlisted": unlisted[:_MAX_SHOWN],
            "resized": resized[:_MAX_SHOWN],
            "unlisted_files": len(unlisted),
            "resized_files": len(resized),
        },
        advice="The wheel was changed after it was built: compare it with the build's own output.",
    )


def _bytecode(inspection: Inspection) -> Iterator[Finding]:
    paths: set[str] = set()
    compiled: dict[str, None] = {}
    for member in inspection.members:
        path, opened, _ = member.path.partition(_OPENED)
        paths.add(path)
        if opened or path.endswith(".pyc"):
            compiled[path.removesuffix(".pyc") + ".pyc"] = None
    from monitor.detectors.packaging.compiled import module

    orphans = [path for path in compiled if f"{module(path)}.py" not in paths]
    if not orphans:
        return
    yield finding(
        "python-bytecode-without-source",
        "bytecode",
        Severity.HIGH,
        f"{count(len(orphans), 'compiled Python file ships', 'compiled Python files ship')} "
        "without source.",
        orphans[0],
        subject="bytecode",
        evidence={"signal": "S5", "count": len(orphans), "paths": orphans[:_MAX_SHOWN]},
        advice="Clean the build folder and build again: stale bytecode keeps deleted code alive.",
    )


def _stale(paths: list[str]) -> Finding:
    return finding(
        "python-bytecode-differs",
        "bytecode",
        Severity.HIGH,
        f"{count(len(paths), 'compiled Python file holds', 'compiled Python files hold')} words "
        "that the source beside it does not.",
        paths[0],
        subject="bytecode",
        evidence={"signal": "S5", "count": len(paths), "paths": paths[:_MAX_SHOWN]},
        advice="Clean the build folder and build again: what was deleted from the source, a "
        "password say, is still in the bytecode.",
    )
