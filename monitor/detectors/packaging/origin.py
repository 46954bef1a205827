"""Who packed it, and whether it is what it is called: names (S7), packers, owners of files."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from monitor.detectors.packaging.told import finding
from monitor.model import NESTED, Severity
from monitor.model.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.detectors.context import Context
    from monitor.model import Finding, Inspection, Manifest

NPM_MTIME = 499_162_500
"""1985-10-26T08:15:00Z, which npm gives to every file that it packs."""

_LOCK = "package-lock.json"
_NEVER_PACKED = r"(?:^|/)(?:\.npmrc|\.DS_Store|package-lock\.json|\.git/.*|\.gitignore|\._[^/]*)$"
_MAX_OWNERS = 10
_NOBODY = r"""(?xi)
        ^(?:|\d+|root|wheel|users?|nobody|none|runner|runneradmin|vsts.*|circleci|builder|build.*
        |jenkins|gitlab-runner|github|travis|docker|ubuntu|debian|ec2-user|azureuser|vagrant|node
        |worker|codespace|appveyor|python|app|ci|admin|administrators?|nixbld\d*|conda|sandbox
        |linuxbrew|core|container|default|www-data|bin|daemon|staff|teamcity|bamboo|actions)$"""


def findings(inspection: Inspection, context: Context) -> Iterator[Finding]:
    """The findings on the origin of one artifact."""
    manifest = inspection.main_manifest
    if manifest is not None:
        yield from _name(manifest, context)
        if manifest.ecosystem == "npm":
            yield from _packer(inspection, manifest)
    yield from _owners(inspection)


def _normal(name: str, ecosystem: str) -> str:
    """A name as its registry compares it (PyPA "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower() if ecosystem == "pypi" else name.lower()


def _name(manifest: Manifest, context: Context) -> Iterator[Finding]:
    if not context.name or context.ecosystem != manifest.ecosystem:
        return
    if _normal(manifest.name, manifest.ecosystem) == _normal(context.name, context.ecosystem):
        return
    yield finding(
        "manifest-name-mismatch",
        "integrity",
        Severity.HIGH,
        f"The registry calls the package {context.name}, its manifest {manifest.name[:200]}.",
        manifest.path,
        subject=manifest.name,
        evidence={"signal": "S7", "registry": context.name, "manifest": manifest.name},
        advice="Something else was packed than was meant: compare the artifact with the build.",
    )


def _packer(inspection: Inspection, manifest: Manifest) -> Iterator[Finding]:
    """A file that npm never packs, under times that npm never writes: another packer's work."""
    root = manifest.path[: -len("package.json")]
    packed = [each for each in inspection.members if each.path.startswith(root)]
    own = [each for each in packed if NESTED not in each.path[len(root) :]]
    foreign = sum(each.mtime != NPM_MTIME for each in own)
    strays = [
        each.path
        for each in own
        if (each.path.endswith(_LOCK) or "/." in each.path)
        and "node_modules/" not in each.path
        and re.search(_NEVER_PACKED, each.path[len(root) :])
    ]
    if not strays or not foreign or own[0].container != "tar":
        return
    yield finding(
        "npm-packer-unusual",
        "packer",
        Severity.INFO,
        f"The package was not packed by npm: {count(len(strays), 'file')} that npm never packs.",
        strays[0],
        subject="packer",
        evidence={"paths": strays[:20], "foreign_times": foreign, "files": len(own)},
        advice="Publish from the pipeline that always publishes, so that its rules apply.",
    )


def _owners(inspection: Inspection) -> Iterator[Finding]:
    """Names of people as the owners of files in a tar archive."""
    counts = Counter(each.owner for each in inspection.members)
    owners = Counter(
        {name: often for name, often in counts.items() if name and not re.match(_NOBODY, name)}
    )
    if not owners:
        return
    names = [name for name, _ in owners.most_common(_MAX_OWNERS)]
    first = next(each.path for each in inspection.members if each.owner == names[0])
    yield finding(
        "archive-owner-name",
        "identity",
        Severity.LOW,
        f"The archive names {count(len(owners), 'user account')} as owner of its files.",
        first,
        subject="owner",
        evidence={"owners": names},
        advice="Build in a clean pipeline, or with owner names unset (`--owner=0`).",
    )
