"""Fetch, scan, judge and settle for a stretch of commits: an ``artifact`` job of a repository.

The mirror is what is fetched; what is kept as evidence are the files that something was found in.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec.structs import replace

from monitor.detectors import Context
from monitor.pipeline.history import History
from monitor.pipeline.subjects import Subject
from monitor.registries.git_parts import Parts as FilesOfCommits
from monitor.registries.repository import HISTORY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from monitor.pipeline.history import Run
    from monitor.sandbox import Outcome
    from monitor.service.parts import Parts
    from monitor.store import RepositoryRecord, Stored


def is_push(stored: Stored) -> bool:
    """Whether an artifact is commits of a repository."""
    return stored.artifact.url.startswith(HISTORY)


async def inspected(
    stored: Stored, folder: str, run: Run, parts: Parts
) -> tuple[Stored, Subject, list[Outcome]]:
    """Inspect the new files of an artifact's commits; what is found is in the evidence store."""
    artifact = stored.artifact
    marks = await parts.store.commit_marks(stored.artifact_id)
    known = await parts.store.repository(artifact.ecosystem, artifact.name)
    assert known is not None, "a push belongs to a repository on record"
    subject = Subject(
        target=artifact.purl,
        jobs=[],
        filename=artifact.filename,
        release=await parts.store.release(stored.artifact_id),
        artifact=artifact,
    )
    context = Context(
        ecosystem=artifact.ecosystem,
        name=artifact.name,
        version=artifact.version,
        now=int(parts.clock.now().timestamp()),
    )
    kept = os.path.join(folder, "kept.tar")
    async with parts.network.mirrors.opened(artifact.url.removeprefix(HISTORY)) as mirror:
        await mirror.fetch([each.commit for each in marks], has_blobs=True)
        files = FilesOfCommits(
            mirror, marks, folder, known=_known_clean(known, parts), head=known.head
        )
        with open(kept, "wb") as out:  # noqa: ASYNC230 - a file of ours on this machine
            work = History(files, subject, context, run, kept=out)
            outcomes = await work.outcomes()
    await parts.store.blobs_are_clean(known.package_id, parts.rules_digest, sorted(work.clean))
    if work.has_kept:
        stored = await _kept(stored, kept, parts)
    return stored, subject, outcomes


async def _kept(stored: Stored, path: str, parts: Parts) -> Stored:
    kept = await parts.evidence.put(path)
    await parts.store.fetched(
        stored.artifact_id, evidence_key=kept.key, sha256=kept.sha256, size=kept.size
    )
    return replace(stored, evidence_key=kept.key, sha256=kept.sha256, size=kept.size)


def _known_clean(
    known: RepositoryRecord, parts: Parts
) -> Callable[[Sequence[str]], Awaitable[set[str]]]:
    """Which files of a repository need no further look under the rules in force."""

    async def ask(blobs: Sequence[str]) -> set[str]:
        return await parts.store.clean_blobs(known.package_id, parts.rules_digest, blobs)

    return ask
