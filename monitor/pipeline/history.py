"""A repository's commits through the sandbox: for ``leakmon scan --history`` and the daemon alike.

Parts (see ``registries.git_parts``) are inspected while the next is being fetched; a part is gone
from the disk as soon as it has been looked at.
"""

from __future__ import annotations

import asyncio
import os
import tarfile
from typing import IO, TYPE_CHECKING

from monitor.model import NESTED, Skipped
from monitor.pipeline.trail import Trail
from monitor.sandbox import Job

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from monitor.detectors import Context
    from monitor.pipeline.subjects import Subject
    from monitor.registries.git_parts import Part, Parts
    from monitor.sandbox import Outcome

    Run = Callable[[Job], Awaitable[Outcome]]


class History:
    """One inspection of commits. ``kept`` takes a tar of the files that something was found in."""

    def __init__(
        self,
        parts: Parts,
        subject: Subject,
        context: Context,
        run: Run,
        *,
        at_once: int = 1,
        kept: IO[bytes] | None = None,
    ) -> None:
        self._parts = parts
        self._subject = subject
        self._context = context
        self._run = run
        self._turns = asyncio.Semaphore(at_once)
        self._kept: tarfile.TarFile | None = None
        if kept is not None:
            self._kept = tarfile.open(fileobj=kept, mode="w")  # noqa: SIM115 - outcomes() ends it
        self._name = subject.filename or subject.target
        self._trail = subject.history = Trail(self._name)
        self.has_kept = False
        self.clean: set[str] = set()
        """The files (ids) that were inspected in full without a finding."""

    async def outcomes(self) -> list[Outcome]:
        """Inspect everything; the subject's jobs and skipped are set when this returns."""
        subject = self._subject
        outcomes: dict[int, Outcome] = {}
        async with asyncio.TaskGroup() as group:
            async for part in self._parts:
                await self._turns.acquire()
                job = Job(((part.path, self._name),), self._context)
                subject.jobs.append(job)
                subject.skipped += [_shown(self._name, each) for each in part.skipped]
                group.create_task(self._one(part, job, outcomes, len(subject.jobs)))
        if self._kept is not None:
            self._kept.close()
        if not subject.jobs:
            subject.jobs = [Job((), self._context)]
            outcomes[id(subject.jobs[0])] = await self._run(subject.jobs[0])
        subject.skipped += [_shown(self._name, gap) for gap in self._parts.skipped]
        return [outcomes[id(job)] for job in subject.jobs]

    async def _one(self, part: Part, job: Job, outcomes: dict[int, Outcome], number: int) -> None:
        try:
            outcome = await self._run(job)
            outcomes[id(job)] = outcome
            inspection = outcome.inspection
            if inspection is None:
                return
            self._trail.keep(part.places, inspection, number)
            hit = self._trail.offending(part.places, (each.path for each in inspection.findings))
            missed = [each.path for each in inspection.skipped]
            missed += [each.path for each in inspection.hazards]
            spoken = {*hit, *self._trail.offending(part.places, missed)}
            self.clean |= {place.blob for name, place in part.places.items() if name not in spoken}
            if self._kept is not None and hit:
                await asyncio.to_thread(self._keep, part.path, set(hit))
        finally:
            os.unlink(part.path)
            self._turns.release()

    def _keep(self, path: str, names: set[str]) -> None:
        """Copy the named members into the tar of what is kept."""
        assert self._kept is not None
        self.has_kept = True
        with tarfile.open(path, errors="surrogateescape") as tar:
            for member in tar:
                if member.name in names:
                    self._kept.addfile(member, tar.extractfile(member))


def _shown(name: str, gap: Skipped) -> Skipped:
    """A gap that was told by ``<commit>:<path>`` or by a member's name."""
    return Skipped(f"{name}{NESTED}{gap.path}", gap.reason)
