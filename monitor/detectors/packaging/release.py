"""The files of one Python release against each other (S4): a wheel is made from its sdist.

A package in the wheel that the sdist lacks is what a stale ``build/`` folder or a second checkout
left there. Build tools rename folders, so its files count too, by name and size.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from monitor.detectors.packaging.told import finding
from monitor.model import NESTED, Severity
from monitor.model.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.model import Finding, Inspection, Manifest

_MAX_SHOWN = 20
_SCHEMES = ("purelib", "platlib")


class Distribution(NamedTuple):
    """One wheel or sdist: ``root`` is the front of its members' paths, ``files`` their sizes."""

    release: tuple[str, str]
    is_wheel: bool
    root: str
    files: dict[str, int]


def distributions(inspection: Inspection) -> Iterator[Distribution]:
    """The wheels and sdists that were inspected, those in other archives left out."""
    met: dict[str, Manifest] = {}
    for each in inspection.manifests:
        if each.ecosystem == "pypi" and each.name and each.path.count(NESTED) == 1:
            met.setdefault(each.path.partition(NESTED)[0], each)
    files: dict[str, dict[str, int]] = {front: {} for front in met}
    for member in inspection.members if met else ():
        front, _, inner = member.path.partition(NESTED)
        if front in files and NESTED not in inner:
            files[front][inner] = member.size
    for front, manifest in met.items():
        release = (re.sub(r"[-_.]+", "-", manifest.name).lower(), manifest.version)
        is_wheel = manifest.path.endswith(".dist-info/METADATA")
        yield Distribution(release, is_wheel, front + NESTED, files[front])


def findings(wheel: Distribution, sdist: Distribution) -> Iterator[Finding]:
    """At most one finding: the packages of the wheel that the sdist of its release lacks."""
    parts = {part.removesuffix(".py") for path in sdist.files for part in path.split("/")}
    known = {(path.rpartition("/")[2], size) for path, size in sdist.files.items()}
    lacking: dict[str, int] = {}
    for package, files in _packages(wheel).items():
        same = sum(each in known for each in files)
        if package not in parts and 2 * same < len(files):
            lacking[package] = len(files)
    if not lacking:
        return
    packages = sorted(lacking)
    yield finding(
        "wheel-package-not-in-sdist",
        "stale",
        Severity.HIGH,
        f"The wheel holds {count(len(packages), 'package')} ({', '.join(packages[:3])[:200]}) "
        f"which the sdist of the same release lacks: {count(sum(lacking.values()), 'file')}.",
        wheel.root + packages[0],
        subject=",".join(packages[:_MAX_SHOWN]),
        evidence={
            "signal": "S4",
            "packages": packages[:_MAX_SHOWN],
            "count": sum(lacking.values()),
            "sdist": sdist.root.removesuffix(NESTED),
        },
        advice="Clean the build folder and build the wheel from the sdist: what was deleted, or "
        "never meant to ship, is still in it.",
    )


def _packages(wheel: Distribution) -> dict[str, Sequence[tuple[str, int]]]:
    """Top-level packages and modules, with the names and sizes of their Python files."""
    found: dict[str, list[tuple[str, int]]] = {}
    for path, size in wheel.files.items():
        parts = path.split("/")
        if parts[0].endswith(".data") and len(parts) > 2 and parts[1] in _SCHEMES:  # noqa: PLR2004 - a file below the scheme
            parts = parts[2:]
        if parts[-1].endswith(".py") and not parts[0].endswith((".dist-info", ".data")):
            found.setdefault(parts[0].removesuffix(".py"), []).append((parts[-1], size))
    return dict(found)
