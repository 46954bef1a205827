"""Resolve: what a feed's row means. A notice in; releases on record and artifact jobs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from packaging.utils import canonicalize_name

from monitor.errors import NotFoundError
from monitor.model import Notice, Ownership
from monitor.registries import places, simple_index
from monitor.registries.network import resolve
from monitor.registries.repository import ECOSYSTEMS
from monitor.service import repositories
from monitor.service.polling import began_at
from monitor.service.verifying import gone, package_target, restored
from monitor.store.artifacts import RESTORED
from monitor.watchers import WATCHERS, actions, npm
from monitor.watchers.npm import Known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.model import Release
    from monitor.service.parts import Parts

_RESTORING = frozenset({actions.UNYANKED, actions.RELEASED_FROM_QUARANTINE})
MAX_VERSIONS = 2_000
"""So many versions of one change are looked at; the newest ones."""


class NotYet(NotFoundError):  # noqa: N818 - it is no fault: the feed is ahead of the registry
    """The feed spoke of more than the registry shows: look again later."""

    default_reason = "not-yet"


class _Payload(msgspec.Struct):
    notice: Notice
    ownership: Ownership
    notice_key: str
    priority: int = 0


async def resolve_notice(payload: Mapping[str, Any], parts: Parts) -> None:
    """Everything that a ``resolve`` job does. Doing it twice is harmless.

    Raises NotYet and other errors of ours where it has to be done again.
    """
    told = msgspec.convert(payload, _Payload)
    notice, store = told.notice, parts.store
    owner = await _owner(told, parts)
    if owner is None:
        await store.resolve_notice(told.notice_key, "not-ours")
        return
    if notice.ecosystem in ECOSYSTEMS:
        outcome = await repositories.look(notice, owner, told.priority, parts)
        await store.resolve_notice(told.notice_key, outcome)
        return
    if notice.action not in actions.FETCHABLE and notice.action != actions.ROLES_CHANGED:
        await _withdrawn(notice, parts)
        await store.resolve_notice(told.notice_key, "withdrawn")
        return
    releases, is_more_to_come = await _releases(notice, told.priority, parts)
    new = 0
    for release in releases:
        announced = await store.announce(release, owner, priority=told.priority)
        fresh = [each for each in announced if each.is_new]
        new += len(fresh)
        for each in fresh:
            _measure(each.artifact.ecosystem, each.artifact.published_at, parts)
        if any(each.is_back for each in announced):
            await restored(release, parts)
    if new:
        await parts.wake()
    await _restored(notice, parts)
    if is_more_to_come:
        raise NotYet(f"{notice.ecosystem}:{notice.name}: the feed is ahead of the registry")
    await store.resolve_notice(told.notice_key, "announced" if releases else "nothing-new")


async def _restored(notice: Notice, parts: Parts) -> None:
    if notice.action in _RESTORING:
        for version in await _versions(notice, parts):
            await parts.store.withdraw(notice.ecosystem, notice.name, version, None, RESTORED)


async def vanished(payload: Mapping[str, Any], parts: Parts) -> None:
    """A tracked release is there no longer."""
    notice = msgspec.convert(payload, _Payload).notice
    if notice.version is not None:
        removed = actions.REMOVED
        await gone(notice.ecosystem, notice.name, notice.version, None, action=removed, parts=parts)


async def _owner(told: _Payload, parts: Parts) -> Ownership | None:
    """Whose it is: by its name, or else by what its registry says of it."""
    notice = told.notice
    owner = parts.perimeter.by_name(notice.ecosystem, notice.name)
    if owner is not None or not parts.perimeter.needs_metadata(notice.ecosystem):
        return owner or (told.ownership if told.ownership.organisation else None)
    registry = WATCHERS[notice.ecosystem]
    try:
        facts = await registry.ownership(parts.registries, parts.network, notice.name)
    except NotFoundError:
        facts = None
    owner = parts.perimeter.by_metadata(facts) if facts is not None else None
    if owner is None:
        parts.strangers.add(notice.ecosystem, notice.name, parts.clock.now())
    return owner


async def _releases(notice: Notice, priority: int, parts: Parts) -> tuple[list[Release], bool]:
    """What can be fetched now, and whether the feed spoke of more."""
    if notice.version is not None:
        return [await _release(notice, notice.version, parts)], False
    if notice.ecosystem == "npm":
        return await _npm(notice, priority, parts)
    return await _pypi(notice, parts), False


async def _release(notice: Notice, version: str, parts: Parts) -> Release:
    target = package_target(notice.ecosystem, notice.name, version)
    (release,) = await resolve(target, parts.network)
    if notice.ecosystem == "npm" and release.version != version:
        raise NotYet(f"npm:{notice.name}@{version}: the registry does not show it")
    return release


async def _npm(notice: Notice, priority: int, parts: Parts) -> tuple[list[Release], bool]:
    """The versions of a package that are new to us and were published since the watch began."""
    known = Known(versions=frozenset(await parts.store.versions("npm", notice.name)))
    records = npm.packuments(parts.network)
    packument, other = await records.look(notice.name, known, revision=notice.revision)
    if not other.is_missing or notice.action == actions.REMOVED:
        for version in other.gone:
            await gone("npm", notice.name, version, None, action=actions.REMOVED, parts=parts)
    since = await began_at("npm", parts)
    wanted = [
        version
        for version in other.new
        if priority < 0 or version not in packument.times or packument.times[version] >= since
    ]
    releases = [await _release(notice, each, parts) for each in wanted[-MAX_VERSIONS:]]
    return releases, other.is_to_be_rechecked and not other.is_unpublished


async def _pypi(notice: Notice, parts: Parts) -> list[Release]:
    """The releases of a project that have files from after the watch began."""
    name = canonicalize_name(notice.name)
    url = f"{places.pypi_site(parts.registries)}simple/{name}/"
    try:
        document = await parts.network.client.document(url, accept=simple_index.ACCEPT)
    except NotFoundError:
        return []  # created, and nothing uploaded yet: its files will be announced
    page = simple_index.read(document.body, document.media_type, document.url, name)
    since = await began_at("pypi", parts)
    found = {
        str(file.version): None
        for file in page.files
        if file.version is not None and not _is_before(file.uploaded_at, since.isoformat())
    }
    return [await _release(notice, each, parts) for each in list(found)[-MAX_VERSIONS:]]


def _is_before(uploaded_at: str, since: str) -> bool:
    """Whether a file is known to be older (both are ISO 8601 in UTC)."""
    return bool(uploaded_at) and uploaded_at[:19] < since[:19]


async def _versions(notice: Notice, parts: Parts) -> set[str]:
    """Those that a notice is about: its own, or all that are on record."""
    if notice.version is not None:
        return {notice.version}
    return await parts.store.versions(notice.ecosystem, notice.name)


async def _withdrawn(notice: Notice, parts: Parts) -> None:
    """What the registry took back is recorded, and its incidents hear of it."""
    for version in await _versions(notice, parts):
        await gone(
            notice.ecosystem,
            notice.name,
            version,
            notice.filename,
            action=notice.action,
            parts=parts,
        )


def _measure(ecosystem: str, published_at: Any, parts: Parts) -> None:
    if published_at is not None:
        lag = (parts.clock.now() - published_at).total_seconds()
        parts.meters.lag.labels(ecosystem).observe(max(lag, 0.0))
