"""What leaked is looked for in what others publish, for some days: off unless it is configured.

A feed's name is held against those of packages with an incident first; what fits is fetched, a
bounded number a day, and held against the incident's sources. Those are fingerprinted anew from the
kept evidence when they are needed and live in memory alone.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.detectors import Context
from monitor.errors import NotFoundError, TargetError
from monitor.http.failures import room
from monitor.incidents import impostors
from monitor.model import Ownership
from monitor.registries.network import fetch, resolve
from monitor.registries.targets import PackageTarget
from monitor.sandbox import Job as SandboxJob
from monitor.service import imposture
from monitor.service.imitations import is_of_our_people
from monitor.service.inspecting import in_sandbox
from monitor.service.logs import logger
from monitor.watchers import actions
from monitor.watchers.perimeter import Target, of_release

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import Artifact, Incident, Notice, Release
    from monitor.pipeline.copies import Leaked
    from monitor.sandbox import Outcome
    from monitor.service.parts import Parts
    from monitor.service.resolved import Look

LOOKED = "copy-look"
"""The event on record of a stranger's package that was fetched."""

MAX_KEPT = 2
"""Incidents whose sources are in memory at once."""
MAX_FILES_OF_RELEASE = 2
_NOBODY = Ownership(organisation="", reason="may be a copy")
_log = logger()


class Sources:
    """The fingerprinted sources of the incidents that were asked for last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Leaked | None] = OrderedDict()
        self._one = asyncio.Lock()

    async def of(self, incident: Incident, parts: Parts) -> Leaked | None:
        """Those of one incident; None where its bytes are gone or hold no source."""
        async with self._one:
            key = f"{incident.id} {len(incident.artifacts)}"
            if key not in self._kept:
                self._kept[key] = await _taken(incident, parts)
            self._kept.move_to_end(key)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


async def _taken(incident: Incident, parts: Parts) -> Leaked | None:
    stored = await parts.store.incident_evidence(incident.id)
    if stored is None or stored.evidence_key is None:
        return None
    from monitor.pipeline.copies import Leaked

    with room():
        folder = parts.scratch()
    try:
        path = os.path.join(folder, "artifact")
        why = f"its sources are looked for in others' packages ({incident.id})"
        await parts.read_evidence(stored.evidence_key, path, why)
        outcome = await _opened(path, stored.artifact, parts)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    if outcome.inspection is None or not outcome.prints:
        return None
    made = await asyncio.to_thread(
        Leaked, incident.organisation, incident.package, outcome.prints, outcome.inspection
    )
    return made if len(made) else None


async def look(told: Look, parts: Parts) -> str:
    """Does a stranger's new release hold what leaked? The notice's outcome, empty if not asked."""
    notice = told.notice
    wanted = await parts.followed.of(notice.name, parts)
    if not wanted or notice.action not in actions.FETCHABLE:
        return ""
    try:
        (release,) = await resolve(_latest(notice), parts.network)
    except NotFoundError:
        return "gone"
    if not await _may(release, parts):
        return ""
    found = await _found(release, wanted, parts)
    return "copy" if found else "no-copy"


def _latest(notice: Notice) -> PackageTarget:
    return PackageTarget(
        text=f"{notice.ecosystem}:{notice.name}",
        ecosystem=notice.ecosystem,
        name=notice.name,
        spec="latest" if notice.ecosystem == "npm" else "",
    )


async def _may(release: Release, parts: Parts) -> bool:
    """Whether to fetch it: each version once, and only so many a day."""
    store, limit = parts.store, parts.settings.copies.downloads_per_day
    now = parts.clock.now()
    if await store.count_events(LOOKED, now - timedelta(days=1)) >= limit:
        _log.warning(
            f"{release.ecosystem}:{release.name}@{release.version} may be a copy of what leaked "
            f"and is not looked at: {limit} were today (copies.downloads_per_day)",
            step="resolve",
            reason="copies-limit",
        )
        return False
    if (release.ecosystem, release.name) not in parts.owners:
        await store.adopt(release.ecosystem, release.name, _NOBODY)
    return await store.happened(release.ecosystem, release.name, LOOKED, release.version, {})


async def _found(release: Release, wanted: Sequence[Incident], parts: Parts) -> bool:
    is_found = False
    for artifact in release.artifacts[:MAX_FILES_OF_RELEASE]:
        outcome = await _fetched(artifact, parts)
        if outcome is None or not outcome.prints:
            continue
        for incident in wanted:
            leaked = await parts.sources.of(incident, parts)
            if leaked is None:
                continue
            overlap = await asyncio.to_thread(leaked.look, outcome.prints)
            if overlap.is_copy and not await _is_of_our_people(release, incident, parts):
                await _tell(release, incident, overlap.files, overlap.total, parts)
                is_found = True
    return is_found


async def _fetched(artifact: Artifact, parts: Parts) -> Outcome | None:
    """Its prints, out of the sandbox; None for what cannot be had or opened: others may be."""
    with room():
        folder = parts.scratch()
    try:
        path = (await fetch(artifact, parts.network, folder)).path
        return await _opened(path, artifact, parts)
    except (NotFoundError, TargetError) as error:
        _log.info(f"{artifact.purl}: {error}", step="resolve", reason=error.reason)
        return None
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _opened(path: str, artifact: Artifact, parts: Parts) -> Outcome:
    context = Context(
        ecosystem=artifact.ecosystem,
        name=artifact.name,
        version=artifact.version,
        now=int(parts.clock.now().timestamp()),
    )
    return await in_sandbox(SandboxJob(((path, artifact.filename),), context), parts)


async def _is_of_our_people(release: Release, incident: Incident, parts: Parts) -> bool:
    target = Target(name=incident.package, organisation=incident.organisation)
    return await is_of_our_people(of_release(release), target, parts)


async def _tell(release: Release, incident: Incident, files: int, total: int, parts: Parts) -> None:
    people = list(dict.fromkeys([*filter(None, [release.publisher]), *release.maintainers]))
    finding = impostors.copy(
        impostors.Impostor(
            ecosystem=release.ecosystem, name=release.name, version=release.version, people=people
        ),
        of_incident=incident.id,
        of_package=f"{incident.ecosystem}:{incident.package}",
        files=files,
        total=total,
    )
    about = imposture.About(
        ecosystem=release.ecosystem,
        name=release.name,
        version=release.version,
        publisher=release.publisher,
        published_at=release.published_at,
    )
    owner = parts.owners.get((release.ecosystem, release.name), _NOBODY)
    await imposture.tell(finding, about, incident.organisation, owner, parts)
