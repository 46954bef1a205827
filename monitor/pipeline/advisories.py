"""Holds every subject of a scan against the known advisories: one call of each engine for all."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from monitor import config
from monitor.advisories import Package, audit
from monitor.advisories.cache import Cache
from monitor.advisories.osv import Osv
from monitor.advisories.pip_audit import PipAudit
from monitor.errors import LeakmonError
from monitor.model import Dependency
from monitor.registries.network import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from monitor.model import Inspection
    from monitor.pipeline.subjects import Ended, Subject
    from monitor.registries.client_config import Machine

_ECOSYSTEMS = frozenset({"npm", "pypi"})


async def add_advisories(
    ended: Sequence[Ended],
    settings: config.Settings,
    machine: Machine,
    *,
    program: str,
    now: Callable[[], float],
) -> None:
    """Add to each inspected subject's ``findings`` and ``skipped``.

    ``program`` is pip-audit, ``now`` gives Unix time. Names that the operator calls internal are
    told to nobody.
    """
    subjects: list[Subject] = []
    packages: list[Package] = []
    for subject, outcomes in ended:
        if not isinstance(outcomes, LeakmonError):
            parts = [each.inspection for each in outcomes if each.inspection is not None]
            subjects.append(subject)
            packages.append(Package(list(_dependencies(subject, parts))))
    withheld = [name for each in settings.organisations for name in each.internal_names]
    async with _engines(settings, machine, program, now) as (osv, pip_audit):
        told = await audit(packages, osv=osv, pip_audit=pip_audit, withheld=withheld)
    for subject, each in zip(subjects, told, strict=True):
        subject.findings += each.findings
        subject.skipped += each.skipped


@asynccontextmanager
async def _engines(
    settings: config.Settings, machine: Machine, program: str, now: Callable[[], float]
) -> AsyncIterator[tuple[Osv, PipAudit]]:
    folder = os.path.join(config.cache_folder(machine.environ), "advisories")
    cache = Cache(folder, settings.advisories.cache_hours * 3600, now)
    try:
        async with connect(config.network(settings, machine.environ), machine) as network:
            osv = Osv(network.client, settings.advisories.osv, cache)
            yield osv, PipAudit(program, osv.query_address, cache, machine.environ)
    finally:
        cache.flush()


def _dependencies(subject: Subject, parts: Sequence[Inspection]) -> Iterator[Dependency]:
    """The package itself, then all that its inspection met.

    What its registry calls it counts; of what lies on this machine, what it calls itself.
    """
    artifact = subject.artifact
    if artifact is not None and artifact.ecosystem in _ECOSYSTEMS:
        yield _itself(artifact.filename, artifact.ecosystem, artifact.name, artifact.version)
    for part in parts:
        for manifest in part.manifests if artifact is None else ():
            if manifest.ecosystem in _ECOSYSTEMS and manifest.name and manifest.version:
                yield _itself(manifest.path, manifest.ecosystem, manifest.name, manifest.version)
        yield from part.dependencies


def _itself(path: str, ecosystem: str, name: str, version: str) -> Dependency:
    return Dependency(path=path, ecosystem=ecosystem, name=name, wanted=version, how="self")
