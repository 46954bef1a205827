"""Python's own bookkeeping: a wheel's RECORD (S4) and bytecode without its source (S5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.detectors.packaging.told import finding
from monitor.model import NESTED, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.model import Finding, Inspection

_MAX_SHOWN = 20
_OPENED = f".pyc{NESTED}"
_UNLISTED = ("RECORD", "RECORD.jws", "RECORD.p7s")


def findings(inspection: Inspection) -> Iterator[Finding]:
    """The findings of all wheels and sdists that the artifact is or holds."""
    for manifest in inspection.manifests:
        if "record" in manifest.raw:
            inner = manifest.path.rpartition(NESTED)[2]
            root = manifest.path[: len(manifest.path) - len(inner)]
            yield from _record(inspection, root, manifest.raw["record"], manifest.path)
    if any(each.ecosystem == "pypi" for each in inspection.manifests):
        yield from _bytecode(inspection)


def _files(inspection: Inspection, root: str) -> dict[str, int]:
    """The files directly in the container at ``root``: their sizes, -1 for opened containers."""
    found: dict[str, int] = {}
    for member in inspection.members:
        if not member.path.startswith(root):
            continue
        inner, nested, _ = member.path[len(root) :].partition(NESTED)
        found[inner] = max(found.get(inner, -1), -1 if nested else member.size)
    return found


def _record(
    inspection: Inspection, root: str, named: Mapping[str, int], path: str
) -> Iterator[Finding]:
    files = _files(inspection, root)
    folder = path[len(root) :].rpartition("/")[0]
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
        f"{len(unlisted):,} file(s) of the wheel are not in its RECORD, "
        f"{len(resized):,} differ from it in size.",
        path,
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
    orphans = [path for path in compiled if f"{_module(path)}.py" not in paths]
    if not orphans:
        return
    yield finding(
        "python-bytecode-without-source",
        "bytecode",
        Severity.HIGH,
        f"{len(orphans):,} compiled Python file(s) ship without their source.",
        orphans[0],
        subject="bytecode",
        evidence={"signal": "S5", "count": len(orphans), "paths": orphans[:_MAX_SHOWN]},
        advice="Clean the build folder and build again: stale bytecode keeps deleted code alive.",
    )


def _module(path: str) -> str:
    """``pkg/__pycache__/mod.cpython-311.opt-1.pyc`` and ``pkg/mod.pyc`` both give ``pkg/mod``."""
    folder, slash, name = path.rpartition("/")
    if folder.endswith("__pycache__"):
        folder = folder.removesuffix("__pycache__").rstrip("/")
        return f"{folder}{slash if folder else ''}{name.partition('.')[0]}"
    return path.removesuffix(".pyc")
