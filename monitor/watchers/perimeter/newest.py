"""A file of a package's latest version, as its registry describes it: what a proof is of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packageurl import PackageURL
from packaging.utils import canonicalize_name

from monitor.errors import TargetError
from monitor.model import Artifact
from monitor.registries.npm import digests
from monitor.registries.targets import PackageTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHA256_DIGITS = 64


def of_npm(name: str, manifest: Mapping[str, Any]) -> Artifact | None:
    """The tarball of a version's manifest; None where that names no version or no good digest."""
    version, dist = manifest.get("version"), manifest.get("dist")
    if not isinstance(version, str) or not version or not isinstance(dist, dict):
        return None
    target = PackageTarget(text=f"npm:{name}", ecosystem="npm", name=name, spec=version)
    try:
        found = digests(target, dist)
    except TargetError:
        return None
    namespace, _, plain = name.rpartition("/")
    return Artifact(
        ecosystem="npm",
        name=name,
        version=version,
        filename=f"{plain}-{version}.tgz",
        purl=PackageURL("npm", namespace or None, plain, version).to_string(),
        digests=found,
        is_attested=bool(dist.get("attestations")),
    )


def of_pypi(name: str, document: Mapping[str, Any]) -> Artifact | None:
    """The first file of a project's JSON; that does not say whether it is attested."""
    about, urls = document.get("info"), document.get("urls")
    version = about.get("version") if isinstance(about, dict) else None
    if not isinstance(version, str) or not version or not isinstance(urls, list):
        return None
    for one in urls:
        told = one.get("digests") if isinstance(one, dict) else None
        sha256 = told.get("sha256") if isinstance(told, dict) else None
        filename = one.get("filename") if isinstance(one, dict) else None
        if not isinstance(filename, str) or not isinstance(sha256, str):
            continue
        if filename and len(sha256) == _SHA256_DIGITS:
            plain = canonicalize_name(name)
            return Artifact(
                ecosystem="pypi",
                name=plain,
                version=version,
                filename=filename,
                purl=PackageURL("pypi", None, plain, version).to_string(),
                digests={"sha256": sha256},
            )
    return None
