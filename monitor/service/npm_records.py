"""Resolve for npm: what a package's record says beyond what is on record here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from monitor.service import vanishing
from monitor.service.logs import logger
from monitor.service.polling import began_at
from monitor.service.resolved import MAX_VERSIONS, Look, NotYet, Seen, release_of
from monitor.service.verifying import gone
from monitor.watchers import actions, npm
from monitor.watchers.npm import Known

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.model import Ownership
    from monitor.service.parts import Parts
    from monitor.watchers.npm import Difference, Packument

_log = logger()


class _Record(NamedTuple):
    """A package's record, how it differs from what was known, and since when that counts."""

    packument: Packument
    other: Difference
    since: datetime


async def look(told: Look, parts: Parts) -> Seen:
    """The versions of a package that are new to us and were published since the watch began."""
    notice, store = told.notice, parts.store
    if notice.version is not None:
        return Seen(releases=[await release_of(notice, notice.version, parts)])
    releases = await store.releases("npm", notice.name)
    known = Known(
        versions=frozenset(releases),
        gone=frozenset(each for each, word in releases.items() if word == actions.REMOVED),
        tags=await store.tags("npm", notice.name),
    )
    records = npm.packuments(parts.network)
    packument, other = await records.look(notice.name, known, revision=notice.revision)
    if not other.is_missing or notice.action == actions.REMOVED or told.is_last:
        for version in other.gone:
            await gone("npm", notice.name, version, None, action=actions.REMOVED, parts=parts)
    since = await began_at("npm", parts)
    wanted = [each for each in other.new if told.is_backfill or _is_since(packument, each, since)]
    found = [await release_of(notice, each, parts) for each in wanted[-MAX_VERSIONS:]]
    return Seen(
        releases=found,
        noted=partial(_noted, told, _Record(packument, other, since), parts),
        missing=_missing(told, other),
    )


def _missing(told: Look, other: Difference) -> NotYet | None:
    """Whether to look again; at the end only for what ought to be there."""
    name = f"npm:{told.notice.name}"
    if other.is_unpublished or not other.is_to_be_rechecked:
        return None
    if told.notice.action == actions.REMOVED and other.is_missing:
        return None
    if told.is_last and not other.is_behind:
        return None
    return NotYet(f"{name}: the feed is ahead of the registry")


async def _noted(told: Look, record: _Record, parts: Parts, owner: Ownership) -> None:
    """Put on record what is no release: tags, placeholders, and what was gone before we looked."""
    name, other = told.notice.name, record.other
    await _signs(name, record, owner, parts)
    for missed in _missed(told, record):
        await vanishing.announce(missed, owner, parts)
    if other.is_missing:
        if told.is_last and not await parts.store.releases("npm", name):
            whole = vanishing.Gone(ecosystem="npm", name=name, version=vanishing.UNKNOWN)
            await vanishing.announce(whole, owner, parts)
        return
    is_known = bool(await parts.store.tags("npm", name))
    revision = str(record.packument.revision)
    if await parts.store.move_tags("npm", name, other.moved_tags, revision) and is_known:
        for tag, (before, after) in other.moved_tags.items():
            moved = f"tag {tag}: {before or 'none'} -> {after or 'none'}"
            _log.info(f"npm:{name}: {moved}", step="resolve")


def _missed(told: Look, record: _Record) -> list[vanishing.Gone]:
    """The versions of since the watch began that can no longer be had; at last also those held."""
    if told.is_backfill:
        return []
    versions = [*record.other.missed, *(record.other.held if told.is_last else [])]
    return [
        vanishing.Gone(
            ecosystem="npm",
            name=told.notice.name,
            version=version,
            published_at=record.packument.times.get(version),
        )
        for version in versions[-MAX_VERSIONS:]
        if _is_since(record.packument, version, record.since)
    ]


async def _signs(name: str, record: _Record, owner: Ownership, parts: Parts) -> None:
    """A placeholder version, a package that npm took down, one that was unpublished as a whole."""
    packument, other = record.packument, record.other
    signs = (
        (other.is_staged, "staged", "a version is announced and not yet published"),
        (other.is_security_holder, "security-holder", "its registry took the package down"),
        (other.is_unpublished, "unpublished", "the package was unpublished as a whole"),
    )
    for holds, kind, words in signs:
        if not holds:
            continue
        await parts.store.adopt("npm", name, owner)
        subject, detail = str(packument.revision), {"versions": packument.versions[-20:]}
        if await parts.store.happened("npm", name, kind, subject, detail):
            _log.warning(f"npm:{name}: {words}", step="resolve", reason=kind)


def _is_since(packument: Packument, version: str, since: datetime) -> bool:
    return version not in packument.times or packument.times[version] >= since
