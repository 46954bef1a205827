"""npm: from a name and a version, dist-tag or range to the release, by its packument.

Source: npm's "Package metadata" and "Registry API" documents; Subresource Integrity (W3C).
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from packageurl import PackageURL

from monitor.errors import NotFoundError, TargetError
from monitor.http.answers import decoded, decoded_object
from monitor.http.settings import is_web, joined
from monitor.model import Artifact, Release

from . import semver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.http.client import Client

    from .targets import PackageTarget

_PLACEHOLDERS = {
    "0.0.1-security": ("security-placeholder", "was removed by its registry for security"),
    "0.0.0-stage": ("staged", "is not published yet, only announced: try again within the hour"),
}
_STRENGTH = ("sha512", "sha384", "sha256", "sha1")


class _Packument(msgspec.Struct):
    """A packument as far as it is read; one version is decoded only when it is chosen."""

    tags: Any = msgspec.field(default=None, name="dist-tags")
    versions: dict[str, msgspec.Raw] = {}
    time: Any = None
    maintainers: Any = None


class Npm:
    """The npm registry; ``registry_of`` gives the address that serves a package's name."""

    def __init__(self, client: Client, registry_of: Callable[[str], str]) -> None:
        self._client = client
        self.registry_of = registry_of

    async def resolve(self, target: PackageTarget) -> Release:
        """The release that the target names, with its one tarball."""
        registry = self.registry_of(target.name)
        url = registry + target.name.replace("/", "%2f")
        try:
            document = await self._client.document(url)
        except NotFoundError as error:
            raise NotFoundError(
                f"{target.text}: {registry} knows no package {target.name}"
            ) from error
        try:
            packument = decoded(document.body, _Packument)
        except ValueError as error:
            raise TargetError(
                f"{target.text}: {url} did not answer with a packument ({error})",
                reason="bad-answer",
            ) from error
        version = _choose(target, packument)
        try:
            manifest = decoded_object(packument.versions[version])
        except ValueError as error:
            raise TargetError(
                f"{target.text}: the entry of {version} is damaged ({error})", reason="bad-answer"
            ) from error
        return _release(target, version, packument, manifest, document.url)


def _choose(target: PackageTarget, packument: _Packument) -> str:
    """The version that is meant; NotFoundError says why there is none."""
    versions = packument.versions
    times = _mapping(packument.time)
    tags = _mapping(packument.tags)
    spec = target.spec
    if spec in versions:
        return spec
    if not versions:
        gone = "unpublished" in times or any(semver.parse(name) for name in times)
        if gone:
            raise NotFoundError(
                f"{target.text}: {target.name} was unpublished{_when(times)}", reason="unpublished"
            )
        raise NotFoundError(f"{target.text}: {target.name} has no versions")
    for placeholder, (reason, why) in _PLACEHOLDERS.items():
        if placeholder in versions and len(versions) == 1:
            raise NotFoundError(f"{target.text}: {target.name} {why}", reason=reason)
    tagged = tags.get(spec or "latest")
    if isinstance(tagged, str) and tagged in versions:
        return tagged
    if spec and spec in times:
        raise NotFoundError(
            f"{target.text}: version {spec} was unpublished; {_near(versions, tags)}",
            reason="unpublished",
        )
    return _in_range(target, versions, tags)


def _in_range(
    target: PackageTarget, versions: Mapping[str, object], tags: Mapping[str, object]
) -> str:
    try:
        found = semver.max_satisfying(versions, target.spec or "*")
    except ValueError:
        known = ", ".join(sorted(map(str, tags))[:10])
        raise NotFoundError(
            f"{target.text}: {target.spec!r} is neither a version, a dist-tag ({known}) nor a range"
        ) from None
    if found is None:
        raise NotFoundError(
            f"{target.text}: no version is {target.spec or 'stable'}; {_near(versions, tags)}"
        )
    return found


def _near(versions: Mapping[str, object], tags: Mapping[str, object]) -> str:
    """What there is instead."""
    newest = [str(tags["latest"])] if "latest" in tags else list(versions)[-1:]
    return f"latest is {newest[0]}" if newest else "there are none"


def _when(times: Mapping[str, Any]) -> str:
    at = _mapping(times.get("unpublished")).get("time")
    return f" on {at[:10]}" if isinstance(at, str) else ""


def _release(
    target: PackageTarget,
    version: str,
    packument: _Packument,
    manifest: Mapping[str, Any],
    origin: str,
) -> Release:
    dist = _mapping(manifest.get("dist"))
    tarball = dist.get("tarball")
    if not isinstance(tarball, str) or not tarball:
        raise TargetError(f"{target.text}: {version} names no tarball", reason="bad-answer")
    url = joined(origin, tarball)
    if not is_web(url):
        raise TargetError(
            f"{target.text}: {version} names a tarball that is not at an http(s) address",
            reason="bad-address",
        )
    namespace, _, name = target.name.rpartition("/")
    published_at = time_of(_mapping(packument.time).get(version))
    artifact = Artifact(
        ecosystem="npm",
        name=target.name,
        version=version,
        filename=f"{name}-{version}.tgz",
        purl=PackageURL("npm", namespace or None, name, version).to_string(),
        url=url,
        digests=digests(target, dist),
        published_at=published_at,
        is_attested=bool(dist.get("attestations")),
    )
    repository = manifest.get("repository")
    return Release(
        ecosystem="npm",
        name=target.name,
        version=version,
        artifacts=[artifact],
        licence=_licence(manifest),
        repository=_text(_mapping(repository).get("url")) or _text(repository),
        maintainers=_names(manifest.get("maintainers") or packument.maintainers),
        publisher=_text(_mapping(manifest.get("_npmUser")).get("name")),
        published_at=published_at,
        versions=sorted(packument.versions, key=lambda text: semver.parse(text) or (-1, 0, 0)),
    )


def digests(target: PackageTarget, dist: Mapping[str, Any]) -> dict[str, str]:
    """The strongest digest of ``integrity`` and the ``shasum``, as hex by algorithm."""
    found: dict[str, str] = {}
    shasum = dist.get("shasum")
    if isinstance(shasum, str) and shasum:
        found["sha1"] = shasum
    integrity = dist.get("integrity")
    strongest: dict[str, str] = {}
    for word in integrity.split() if isinstance(integrity, str) else ():
        algorithm, _, text = word.partition("?")[0].partition("-")
        try:
            strongest.setdefault(algorithm, base64.b64decode(text, validate=True).hex())
        except binascii.Error:
            raise TargetError(
                f"{target.text}: the registry's integrity {word!r} is malformed",
                reason="bad-answer",
            ) from None
    for algorithm in _STRENGTH:
        if algorithm in strongest:
            return found | {algorithm: strongest[algorithm]}
    return found


def time_of(value: object) -> datetime | None:
    """An ISO 8601 time as an aware UTC datetime, or None."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _licence(manifest: Mapping[str, Any]) -> str:
    licence = manifest.get("license") or manifest.get("licenses")
    if isinstance(licence, list):
        names = (_text(_mapping(one).get("type")) or _text(one) for one in licence)
        return " OR ".join(filter(None, names))
    return _text(_mapping(licence).get("type")) or _text(licence)


def _names(people: object) -> list[str]:
    if not isinstance(people, list):
        return []
    names = (_text(_mapping(one).get("name")) or _text(one) for one in people)
    return [name for name in names if name]


def _mapping(value: object) -> Mapping[str, Any]:
    """A stranger's JSON object; anything else counts as an empty one."""
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
