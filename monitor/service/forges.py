"""What a repository's forge tells besides git: its address, its releases, that it is gone."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from monitor import incidents
from monitor.errors import DeniedError, NotFoundError
from monitor.registries.git_reading import OID, is_ref
from monitor.registries.repository import GISTS, Repository, named
from monitor.service import verifying
from monitor.service.polling import began_at
from monitor.watchers import actions

if TYPE_CHECKING:
    from collections.abc import Collection

    from monitor.model import Incident, IncidentChange, Notice, Ownership, Release
    from monitor.service.parts import Parts

_AWAY = (
    "no branch or tag leads to the commit any more (force-pushed away, or the branch removed): "
    "whoever has its id can still read it"
)


async def located(ecosystem: str, name: str, parts: Parts) -> Repository:
    """The repository with its address. Raises NotFoundError if its forge does not know it."""
    if ecosystem == "github" and GISTS in name:
        address = await parts.network.github.gist_address(name.partition(GISTS)[2])
        return Repository(ecosystem=ecosystem, name=name, address=address)
    return named(ecosystem, name, parts.registries)


async def thrown_away(notice: Notice, parts: Parts) -> list[tuple[str, str]]:
    """Commits that no ref leads to any more, with their refs, as far as anybody tells.

    The feed's own word for a push, and GitHub's record of the repository's pushes where it gives
    that.
    """
    told = [(notice.revision, notice.filename or "")] if notice.action == actions.PUSHED else []
    if notice.ecosystem == "github" and GISTS not in notice.name:
        with suppress(NotFoundError, DeniedError):
            told += await parts.network.github.thrown_away(notice.name)
    return [
        (commit, ref if is_ref(ref) else "")
        for commit, ref in told
        if OID.fullmatch(commit) and commit.strip("0")
    ]


async def announce_releases(notice: Notice, owner: Ownership, priority: int, parts: Parts) -> int:
    """Put the releases' own files on record; the number of new ones."""
    if notice.ecosystem == "git" or GISTS in notice.name:
        return 0
    forge = parts.network.github if notice.ecosystem == "github" else parts.network.gitlab
    is_whole = notice.action in {actions.FOUND, actions.HISTORY}
    try:
        found = await forge.releases(notice.name, is_whole=is_whole)
    except NotFoundError:
        return 0
    since = await _since(notice, parts)
    new = 0
    for release in found:
        if release.artifacts and (not since or _is_after(release, since)):
            announced = await parts.store.announce(release, owner, priority=priority)
            new += sum(each.is_new for each in announced)
    return new


async def _since(notice: Notice, parts: Parts) -> str:
    if notice.action == actions.FOUND:
        return ""
    if notice.action == actions.HISTORY:
        return notice.revision
    return (await began_at(notice.ecosystem, parts)).isoformat()


def _is_after(release: Release, since: str) -> bool:
    """Whether any of a release is from after then: assets may be added to an old one."""
    times = [release.published_at, *(each.published_at for each in release.artifacts)]
    return any(at is not None and at.isoformat() >= since for at in times)


async def gone(notice: Notice, parts: Parts) -> None:
    """A repository is not there any more: removed, or made private. Twice is harmless."""
    for incident in await parts.store.known_incidents(notice.ecosystem, notice.name):
        for version in incident.versions:
            await parts.store.withdraw(
                notice.ecosystem, notice.name, version, None, actions.REMOVED
            )
        if incident.is_present is not False:
            await verifying.verify(incident, parts, is_present=False)


async def left_behind(notice: Notice, versions: Collection[str], parts: Parts) -> None:
    """Incidents in commits that no ref leads to any more say so."""
    now = parts.clock.now()

    def change(standing: Incident) -> IncidentChange:
        return incidents.acted(standing, "note", at=now, actor="leakmon", reason=_AWAY)

    for incident in await parts.store.known_incidents(notice.ecosystem, notice.name):
        if not set(incident.versions) & set(versions):
            continue
        await parts.store.change_incident(
            incident.id, change, actor="leakmon", action="left-behind",
            channels=parts.hearers,
        )  # fmt: skip
