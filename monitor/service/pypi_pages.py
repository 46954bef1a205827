"""Resolve for PyPI: what a project's Simple page says, and whether it is new enough to say it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from monitor.errors import NotFoundError, TargetError
from monitor.registries import places, simple_index
from monitor.service import vanishing
from monitor.service.polling import began_at
from monitor.service.resolved import MAX_VERSIONS, Look, Seen, Stale, release_of
from monitor.service.verifying import gone as taken_back
from monitor.store.artifacts import RESTORED
from monitor.watchers import actions
from monitor.watchers.pypi import changelog

if TYPE_CHECKING:
    from monitor.model import Notice, Ownership, Release
    from monitor.registries.simple_index import Page
    from monitor.service.parts import Parts
    from monitor.store import FileRecord

QUARANTINED = "quarantined"

REWRITTEN = 8
"""After so many looks (four minutes) a page is new enough where its serial says nothing."""

SETTLES_WITHIN = timedelta(hours=1)
"""For so long after a file was first seen, a page without it may be a cache's."""


async def look(told: Look, parts: Parts) -> Seen:
    """The release that a notice names, or those of a project with files since the watch began."""
    if told.notice.version is None:
        return await _project(told, parts)
    return await _one(told, told.notice.version, parts)


async def page_of(name: str, parts: Parts) -> Page:
    """The project's page, in its registry's own words. Raises NotFoundError, TargetError."""
    plain = canonicalize_name(name)
    url = f"{places.pypi_site(parts.registries)}simple/{plain}/"
    document = await parts.network.client.document(url, accept=simple_index.ACCEPT)
    try:
        return simple_index.read(document.body, document.media_type, document.url, plain)
    except ValueError as error:
        raise TargetError(f"{url}: {error}", reason="bad-answer") from error


async def compare(name: str, page: Page, parts: Parts) -> None:
    """Put on record what of a project was yanked, removed or quarantined, and what is back.

    The journal tells of all of it; this is for what it did not tell, or nobody heard.
    """
    shown = {file.filename: file for file in page.files}
    is_quarantined = page.status == QUARANTINED
    for record in await parts.store.files("pypi", name):
        if record.version == vanishing.UNKNOWN:
            continue
        file = shown.get(record.filename)
        if is_quarantined:
            word = actions.QUARANTINED
        elif file is None:
            word = actions.REMOVED if _is_settled(record, parts) else record.withdrawal
        else:
            word = actions.YANKED if file.is_yanked else ""
        if word != record.withdrawal:
            action = word or RESTORED
            await taken_back(
                "pypi", name, record.version, record.filename, action=action, parts=parts
            )


async def _project(told: Look, parts: Parts) -> Seen:
    notice = told.notice
    try:
        page = await page_of(notice.name, parts)
    except NotFoundError:
        return Seen()  # created, and nothing uploaded yet: its files will be announced
    since = (await began_at("pypi", parts)).isoformat()
    found = {
        str(file.version): None
        for file in page.files
        if file.version is not None
        and (told.is_backfill or not _is_before(file.uploaded_at, since))
    }
    wanted = [] if page.status == QUARANTINED else list(found)[-MAX_VERSIONS:]
    return Seen(
        releases=[await release_of(notice, each, parts) for each in wanted],
        noted=partial(_compared, notice.name, page, parts),
    )


async def _compared(name: str, page: Page, parts: Parts, _owner: Ownership) -> None:
    await compare(name, page, parts)


async def _one(told: Look, version: str, parts: Parts) -> Seen:
    """One release; a page that does not show what the notice speaks of is old, or it is gone."""
    notice = told.notice
    release: Release | None = None
    try:
        release = await release_of(notice, version, parts)
        files = {artifact.filename for artifact in release.artifacts}
        if notice.filename is None or notice.filename in files:
            return Seen(releases=[release])
    except NotFoundError as error:
        if error.reason == QUARANTINED:
            return Seen(noted=partial(_vanished, told, version, parts))
    found = [release] if release is not None else []
    if notice.filename is None and version in await parts.store.releases("pypi", notice.name):
        return Seen(releases=found)  # the other feed was quicker, and it is gone since
    if await _is_new_enough(told, parts):
        return Seen(releases=found, noted=partial(_vanished, told, version, parts))
    what = notice.filename or f"version {version}"
    return Seen(releases=found, missing=Stale(f"pypi:{notice.name}: its page lacks {what}"))


async def _is_new_enough(told: Look, parts: Parts) -> bool:
    """Whether the page is of after the notice, so that what it lacks is gone.

    Without a serial on both sides only patience tells.
    """
    try:
        page = await page_of(told.notice.name, parts)
    except NotFoundError:
        return told.is_last_of_stale
    if told.notice.filename in {file.filename for file in page.files}:
        return False  # it has just come
    announced = _serial(told.notice)
    if page.serial is None or announced is None:
        return told.is_last_of_stale
    if page.serial >= announced or told.is_last_of_stale:
        return True
    return told.attempts >= REWRITTEN and await _is_rewritten(announced, parts)


async def _is_rewritten(serial: int, parts: Parts) -> bool:
    """Whether the journal was set back to before this serial: then no page will ever reach it."""
    lost = (each.gap for each in await parts.store.gaps(is_open=False))
    return any(
        gap.feed == changelog.FEED
        and gap.kind == changelog.RESET
        and gap.until.isdecimal()
        and int(gap.until) < serial
        for gap in lost
    )


async def _vanished(told: Look, version: str, parts: Parts, owner: Ownership) -> None:
    """A file that was announced and that nobody can have any more, and that we do not have."""
    notice = told.notice
    known = await parts.store.files("pypi", notice.name)
    if told.is_backfill or any(_is_the_same(each, notice, version) for each in known):
        return
    gone = vanishing.Gone(
        ecosystem="pypi",
        name=notice.name,
        version=version,
        filename=notice.filename,
        published_at=notice.occurred_at,
    )
    await vanishing.announce(gone, owner, parts)


def _is_the_same(record: FileRecord, notice: Notice, version: str) -> bool:
    if notice.filename is not None:
        return record.filename == notice.filename
    return record.version == version


def _is_settled(record: FileRecord, parts: Parts) -> bool:
    return parts.clock.now() - record.first_seen_at > SETTLES_WITHIN


def _is_before(uploaded_at: str, since: str) -> bool:
    """Whether a file is known to be older (both are ISO 8601 in UTC)."""
    return bool(uploaded_at) and uploaded_at[:19] < since[:19]


def _serial(notice: Notice) -> int | None:
    """The serial of a journal's row; other feeds have other positions."""
    return int(notice.position) if notice.position.isdecimal() else None
