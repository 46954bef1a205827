"""The files of one PyPI release against each other, as they come: wheels against their sdist.

The wheel's finding needs the sdist's members, so the sdist is opened once more from the evidence.
Where the sdist comes last, settling it sends the wheels before it back (``Scan.is_for_wheels``).
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import OrderedDict
from typing import TYPE_CHECKING

from monitor.detectors import Context
from monitor.errors import NotFoundError
from monitor.http.failures import room
from monitor.pipeline import release
from monitor.pipeline.subjects import Subject
from monitor.sandbox import Job
from monitor.service.logs import logger
from monitor.store.keys import WHEEL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from monitor.model import Artifact
    from monitor.pipeline.subjects import Ended
    from monitor.sandbox import Outcome
    from monitor.service.parts import Parts
    from monitor.store import Stored

    RunOne = Callable[[Job], Awaitable[Outcome]]

ECOSYSTEM = "pypi"
MAX_KEPT = 2
_log = logger()


def is_for_wheels(stored: Stored) -> bool:
    """Whether this is an sdist that settles for the first time."""
    artifact = stored.artifact
    return (
        artifact.ecosystem == ECOSYSTEM
        and not artifact.filename.endswith(WHEEL)
        and stored.settled_at is None
    )


async def compare(
    stored: Stored,
    subject: Subject,
    outcomes: Sequence[Outcome],
    run_one: RunOne,
    parts: Parts,
) -> None:
    """Add to a wheel's findings what the sdist of its release lacks, if that is kept by now."""
    artifact = stored.artifact
    if artifact.ecosystem != ECOSYSTEM or not artifact.filename.endswith(WHEEL):
        return
    sdist = await parts.store.sdist_of(stored.artifact_id)
    if sdist is None or sdist.evidence_key is None:
        return
    found = await parts.sdists.of(sdist, artifact, run_one, parts)
    if found is not None:
        release.compare([(subject, list(outcomes)), found])


class Sdists:
    """Those that were opened last: the forty wheels of a release open their sdist once."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Ended] = OrderedDict()
        self._one = asyncio.Lock()

    async def of(
        self, sdist: Stored, wheel: Artifact, run_one: RunOne, parts: Parts
    ) -> Ended | None:
        """One that was inspected as far as it can be; None where its bytes are gone by now."""
        key = str(sdist.evidence_key)
        async with self._one:
            if key not in self._kept:
                try:
                    self._kept[key] = await _inspected(sdist, wheel, run_one, parts)
                except NotFoundError as error:  # retention took it meanwhile
                    _log.warning(str(error), step="inspect", reason=error.reason)
                    return None
            self._kept.move_to_end(key)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


async def _inspected(sdist: Stored, wheel: Artifact, run_one: RunOne, parts: Parts) -> Ended:
    key, name = str(sdist.evidence_key), sdist.artifact.filename
    with room():
        folder = parts.scratch()
    try:
        path = os.path.join(folder, "sdist")
        await parts.read_evidence(key, path, f"{wheel.filename} is held against it")
        job = Job(((path, name),), Context(ecosystem=ECOSYSTEM, name=wheel.name))
        return Subject(target=sdist.artifact.purl, jobs=[job], filename=name), [await run_one(job)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
