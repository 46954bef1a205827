"""Resolve: what a feed's row means. A notice in; releases on record and artifact jobs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from monitor.errors import LeakmonError, NotFoundError
from monitor.model import Notice, Ownership
from monitor.registries.repository import ECOSYSTEMS
from monitor.service import copies, imitations, npm_records, pypi_pages, repositories
from monitor.service.resolved import Look, NotYet, Seen
from monitor.service.verifying import gone, restored
from monitor.store.artifacts import RESTORED
from monitor.store.keys import BACKFILL
from monitor.watchers import WATCHERS, actions, proving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from monitor.service.parts import Parts
    from monitor.store import Announced
    from monitor.watchers.perimeter import PackageFacts

LOOKS: Mapping[str, Callable[[Look, Parts], Awaitable[Seen]]] = {
    "npm": npm_records.look,
    "pypi": pypi_pages.look,
}
"""How each registry is looked at."""

_RESTORING = frozenset({actions.UNYANKED, actions.RELEASED_FROM_QUARANTINE})


class _Payload(msgspec.Struct):
    notice: Notice
    ownership: Ownership
    notice_key: str
    priority: int = 0


async def resolve_notice(payload: Mapping[str, Any], attempts: int, parts: Parts) -> None:
    """Everything that a ``resolve`` job does. Doing it twice is harmless.

    ``attempts`` counts the looks before. Raises NotYet and other errors of ours where it has to be
    done again.
    """
    told = msgspec.convert(payload, _Payload)
    notice, store = told.notice, parts.store
    owner, facts = await _owner(told, attempts, parts)
    look = Look(
        notice=notice,
        ownership=owner or told.ownership,
        priority=told.priority,
        attempts=attempts,
    )
    alike = await imitations.look(look, facts, parts)
    if owner is None:
        copied = await copies.look(look, parts)
        await store.resolve_notice(told.notice_key, copied or alike or "not-ours")
        return
    if notice.ecosystem in ECOSYSTEMS:
        outcome = await repositories.look(notice, owner, told.priority, parts)
        await store.resolve_notice(told.notice_key, outcome)
        return
    if notice.action not in actions.FETCHABLE and notice.action != actions.ROLES_CHANGED:
        await _withdrawn(notice, parts)
        await store.resolve_notice(told.notice_key, "withdrawn")
        return
    seen = await LOOKS[notice.ecosystem](look, parts)
    unclear = await _confused(look, parts)
    await _announced(seen, look, parts)
    if notice.action in _RESTORING:
        for version in await _versions(notice, parts):
            await gone(notice.ecosystem, notice.name, version, None, action=RESTORED, parts=parts)
    if seen.noted is not None:
        await seen.noted(owner)
    problem = seen.missing or unclear
    if problem is not None:
        raise problem
    outcome = "announced" if seen.releases else "nothing-new"
    await store.resolve_notice(told.notice_key, outcome)


async def recheck(payload: Mapping[str, Any], attempts: int, parts: Parts) -> None:
    """Look at a tracked release again: further files, and what was taken back unheard."""
    notice = msgspec.convert(payload, _Payload).notice
    try:
        await resolve_notice(payload, attempts, parts)
        if notice.ecosystem == "pypi":
            await pypi_pages.compare(
                notice.name, await pypi_pages.page_of(notice.name, parts), parts
            )
    except NotYet:
        await _gone(notice, actions.REMOVED, parts)
    except NotFoundError as error:
        is_quarantined = error.reason == pypi_pages.QUARANTINED
        await _gone(notice, actions.QUARANTINED if is_quarantined else actions.REMOVED, parts)


async def _gone(notice: Notice, action: str, parts: Parts) -> None:
    if notice.version is not None:
        await gone(notice.ecosystem, notice.name, notice.version, None, action=action, parts=parts)


async def _owner(
    told: _Payload, attempts: int, parts: Parts
) -> tuple[Ownership | None, PackageFacts | None]:
    """Whose it is: by its name, or else by what its registry says of it, which is given as well."""
    notice = told.notice
    owner = parts.perimeter.by_name(notice.ecosystem, notice.name)
    if owner is not None or not parts.perimeter.needs_metadata(notice.ecosystem):
        return owner or (told.ownership if told.ownership.organisation else None), None
    known = parts.owners.get((notice.ecosystem, notice.name))
    try:
        facts = await WATCHERS[notice.ecosystem].ownership(
            parts.registries, parts.network, notice.name
        )
    except NotFoundError:
        look = Look(notice=notice, ownership=told.ownership, attempts=attempts)
        if known is not None or look.is_last:
            return known, None
        raise NotYet(f"{notice.ecosystem}:{notice.name}: whose it is cannot be seen yet") from None
    facts = await proving.proven(facts, parts.perimeter, parts.network)
    owner = parts.perimeter.by_metadata(facts)
    if proving.stays(known, owner, facts):
        return known, facts
    if owner is None and proving.is_open(facts):
        look = Look(notice=notice, ownership=told.ownership, attempts=attempts)
        if not look.is_last:
            raise NotYet(f"{notice.ecosystem}:{notice.name}: its provenance cannot be seen yet")
    if owner is None and known is not None:
        del parts.owners[notice.ecosystem, notice.name]
    return owner, facts


async def _confused(look: Look, parts: Parts) -> LeakmonError | None:
    """Tell of an internal name before its files are looked at; what hinders that waits for them."""
    try:
        await imitations.look_internal(look, parts)
    except LeakmonError as error:
        return error
    return None


async def _announced(seen: Seen, look: Look, parts: Parts) -> None:
    """The releases on record, with a job for each new file."""
    new = 0
    for release in seen.releases:
        priority = BACKFILL if look.is_backfill else 0
        entries = await parts.store.announce(release, look.ownership, priority=priority)
        parts.owners[release.ecosystem, release.name] = look.ownership
        fresh = [each for each in entries if each.is_new]
        new += len(fresh)
        for each in fresh:
            _measure(each, parts)
        back = [each for each in entries if each.is_back]
        if back:
            await restored(release, parts)
        for each in back:
            new += await parts.store.wanted_again(each.artifact_id)
    if new:
        await parts.wake()


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


def _measure(entry: Announced, parts: Parts) -> None:
    artifact = entry.artifact
    if artifact.published_at is not None:
        lag = (parts.clock.now() - artifact.published_at).total_seconds()
        parts.meters.lag.labels(artifact.ecosystem).observe(max(lag, 0.0))
