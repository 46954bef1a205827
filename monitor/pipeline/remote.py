"""Targets beyond this machine: resolved, fetched to a private folder, inspected as they come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import structs

from monitor.errors import LeakmonError
from monitor.pipeline import attested
from monitor.pipeline.subjects import Subject, local
from monitor.registries.network import Network, fetch, resolve
from monitor.registries.targets import LocalTarget
from monitor.sandbox import Job
from monitor.sandbox.events import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from monitor.detectors import Context
    from monitor.model import Artifact, Release
    from monitor.pipeline.progress import Progress
    from monitor.pipeline.subjects import Ended
    from monitor.registries.targets import Target
    from monitor.sandbox import Outcome, Sandbox

FETCHES_AT_ONCE = 6


async def inspect(
    sandbox: Sandbox,
    targets: Sequence[Target],
    network: Network,
    folder: str,
    *,
    context: Context,
    at_once: int,
    progress: Progress,
    keep: Callable[[Subject, Outcome], Outcome] | None = None,
    has_history: bool = False,
) -> AsyncIterator[Ended]:
    """Every target's subjects with their outcomes, or with the error that kept one from being.

    ``has_history``: each target is a repository, all of whose commits are inspected.
    ``folder`` is private to the caller, who removes it; each file in it is removed once inspected.
    ``keep`` sees every outcome as it comes, and gives what is to be remembered of it.
    """
    errand = _Errand(sandbox, network, folder, context=context, at_once=at_once, progress=progress)
    errand.keep = keep
    step = errand.history if has_history else errand.target
    ended: asyncio.Queue[Ended | None] = asyncio.Queue()

    async def everything() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for target in targets:
                    group.create_task(step(target, group, ended))
        finally:
            ended.put_nowait(None)

    work = asyncio.create_task(everything())
    try:
        while (one := await ended.get()) is not None:
            yield one
        await work
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


class _Errand:
    def __init__(
        self,
        sandbox: Sandbox,
        network: Network,
        folder: str,
        *,
        context: Context,
        at_once: int,
        progress: Progress,
    ) -> None:
        self.context = context
        self.sandbox = sandbox
        self.network = network
        self.folder = folder
        self.progress = progress
        self.keep: Callable[[Subject, Outcome], Outcome] | None = None
        self.fetching = asyncio.Semaphore(FETCHES_AT_ONCE)
        self.inspecting = asyncio.Semaphore(at_once)
        self.at_once = at_once

    async def target(
        self, target: Target, group: asyncio.TaskGroup, ended: asyncio.Queue[Ended | None]
    ) -> None:
        """Turn one target into subjects and start each."""
        try:
            if isinstance(target, LocalTarget):
                self.progress.expect(1)
                subject = local(target.path, self.context)
                group.create_task(self.local(subject, ended))
                return
            releases = await resolve(target, self.network)
        except LeakmonError as error:
            ended.put_nowait((Subject(target=target.text, jobs=[]), error))
            return
        for release in releases:
            self.progress.expect(len(release.artifacts))
            for artifact in release.artifacts:
                group.create_task(self.artifact(target, release, artifact, ended))

    async def history(
        self, target: Target, group: asyncio.TaskGroup, ended: asyncio.Queue[Ended | None]
    ) -> None:
        """Inspect all commits of one repository."""
        del group  # one after the other: each keeps the sandbox busy by itself
        from monitor.pipeline.whole import inspected

        async with self.fetching:
            subject = Subject(target=target.text, jobs=[])
            try:
                outcomes = await inspected(
                    subject, target, self.network, self.folder,
                    context=self.context, run=self._one, progress=self.progress,
                    at_once=self.at_once,
                )  # fmt: skip
            except LeakmonError as error:
                ended.put_nowait((subject, error))
                return
            ended.put_nowait((subject, outcomes))

    async def _one(self, job: Job) -> Outcome:
        async with self.inspecting:
            return await run(self.sandbox, job)

    async def local(self, subject: Subject, ended: asyncio.Queue[Ended | None]) -> None:
        ended.put_nowait((subject, await self.outcomes(subject)))
        self.progress.inspected(subject.target)

    async def artifact(
        self,
        target: Target,
        release: Release,
        artifact: Artifact,
        ended: asyncio.Queue[Ended | None],
    ) -> None:
        subject = Subject(
            target=target.text,
            jobs=[],
            filename=artifact.filename,
            release=release,
            artifact=artifact,
        )
        try:
            async with self.fetching:
                fetched = await fetch(
                    artifact, self.network, self.folder, self.progress.fetching(artifact.filename)
                )
            subject.skipped += fetched.skipped
            subject.jobs = [Job(((fetched.path, artifact.filename),), self._context_of(artifact))]
            subject.temporary = fetched.path
            await attested.look(subject, fetched.path, fetched.sha256, self.network)
            ended.put_nowait((subject, await self.outcomes(subject)))
        except LeakmonError as error:
            ended.put_nowait((subject, error))
        finally:
            subject.discard()
            self.progress.inspected(artifact.filename)

    def _context_of(self, artifact: Artifact) -> Context:
        return structs.replace(
            self.context,
            ecosystem=artifact.ecosystem,
            name=artifact.name,
            version=artifact.version,
        )

    async def outcomes(self, subject: Subject) -> list[Outcome]:
        async def one(job: Job) -> Outcome:
            outcome = await self._one(job)
            return self.keep(subject, outcome) if self.keep else outcome

        return list(await asyncio.gather(*(one(job) for job in subject.jobs)))
