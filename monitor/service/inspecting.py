"""Fetch, scan, judge and settle: what an ``artifact`` job does, each step durable before the next.

A crash between two steps repeats at most the one that was cut short: bytes that are kept are not
fetched again, an artifact that is settled with these rules is left alone.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from monitor import canary, incidents
from monitor.detectors import Context
from monitor.errors import LeakmonError, NotFoundError
from monitor.http.failures import room
from monitor.model import Status
from monitor.pipeline import attested
from monitor.pipeline.conclude import Concluded, Policy, conclude_subject
from monitor.pipeline.subjects import Subject
from monitor.registries.network import fetch
from monitor.sandbox import Job as SandboxJob
from monitor.sandbox.events import run
from monitor.service import canaries, imposture, learning, pushes, shapes, siblings, vanishing
from monitor.service.ignoring import without_ignored
from monitor.service.logs import logger
from monitor.store import Scan
from monitor.watchers.perimeter import builders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import (
        Artifact,
        Incident,
        IncidentChange,
        TargetReport,
    )
    from monitor.model.profiles import Profile
    from monitor.pipeline.private_code import PrivateCode
    from monitor.sandbox import Outcome
    from monitor.service.parts import Parts
    from monitor.store import Past, Settled, Stored

TRIES_OF_A_SCAN = 2
"""A child may be killed for want of memory that others took; a second time it is the artifact."""


SANDBOX_LOST = "sandbox-lost"
_log = logger()


async def inspect_artifact(artifact_id: int, attempts: int, parts: Parts) -> None:
    """The whole way of one artifact. Doing it twice is harmless."""
    stored = await parts.store.artifact(artifact_id)
    if stored.state == "settled" and stored.rules_digest == parts.rules_digest:
        return
    if not pushes.is_push(stored) and _is_gone(stored):
        await _vanished(stored, parts)
        return
    with room():
        folder = parts.scratch()
    try:
        run_one = partial(in_sandbox, parts=parts)
        if pushes.is_push(stored):
            started = parts.clock.monotonic()
            stored, subject, outcomes = await pushes.inspected(stored, folder, run_one, parts)
        else:
            path, stored = await _bytes(stored, folder, parts)
            started = parts.clock.monotonic()
            subject, outcomes = await _scanned(stored, path, parts)
            await attested.look(subject, path, stored.sha256, parts.network)
            await siblings.compare(stored, subject, outcomes, run_one, parts)
        for outcome in outcomes:
            if outcome.error is not None and attempts + 1 < TRIES_OF_A_SCAN:
                raise outcome.error
        took = parts.clock.monotonic() - started
        parts.meters.scans.labels(stored.artifact.ecosystem).observe(took)
        report = await _judged(stored, subject, outcomes, parts)
        settled = await _settle(stored, report, outcomes, parts, subject)
        if not settled.is_repeat:
            learning.note(subject, outcomes, report, parts)
        if settled.again:  # now, not with the next reconciliation
            await parts.queue.ensure(settled.again)
            await parts.wake()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    await _tell(stored, report, settled, took, parts)


async def vanished(artifact_id: int, parts: Parts) -> None:
    """The last try found nothing to fetch: that is told in the place of findings."""
    await _vanished(await parts.store.artifact(artifact_id), parts)


def _is_gone(stored: Stored) -> bool:
    """Whether the registry has told already that there is nothing to fetch."""
    is_ours = stored.artifact.ecosystem == canaries.ECOSYSTEM
    return stored.evidence_key is None and not stored.artifact.url and not is_ours


async def _vanished(stored: Stored, parts: Parts) -> None:
    report = vanishing.report(stored.artifact)
    settled = await _settle(stored, report, [], parts)
    await _tell(stored, report, settled, 0.0, parts)


async def _bytes(stored: Stored, folder: str, parts: Parts) -> tuple[str, Stored]:
    """The artifact as a file: from the evidence, or fetched into it before anything else."""
    path = os.path.join(folder, "artifact")
    if stored.evidence_key is not None:
        why = "it is inspected again" if stored.settled_at else "its inspection was cut short"
        await parts.read_evidence(stored.evidence_key, path, why)
        return path, stored
    if stored.artifact.ecosystem == canaries.ECOSYSTEM:
        with room(), open(path, "wb") as file:  # noqa: ASYNC230 - a few hundred bytes
            file.write(canary.package())
    else:
        path = (await fetch(stored.artifact, parts.network, folder)).path
    kept = await parts.evidence.put(path)
    await parts.store.fetched(
        stored.artifact_id, evidence_key=kept.key, sha256=kept.sha256, size=kept.size
    )
    parts.meters.bytes.labels(stored.artifact.ecosystem).inc(kept.size)
    known = replace(stored, evidence_key=kept.key, sha256=kept.sha256, size=kept.size)
    return path, known


async def _scanned(stored: Stored, path: str, parts: Parts) -> tuple[Subject, list[Outcome]]:
    artifact = stored.artifact
    context = Context(
        ecosystem=artifact.ecosystem,
        name=artifact.name,
        version=artifact.version,
        now=int(parts.clock.now().timestamp()),
    )
    release = await parts.store.release(stored.artifact_id)
    job = SandboxJob(((path, artifact.filename),), context)
    subject = Subject(
        target=artifact.purl,
        jobs=[job],
        filename=artifact.filename,
        release=release,
        artifact=artifact,
        organisation=_proven(stored),
    )
    return subject, [await in_sandbox(job, parts)]


def _proven(stored: Stored) -> str:
    """As whose it is on record since a build of theirs was proven, whatever its name."""
    own = stored.ownership
    return own.organisation if own.reason.startswith(builders.REASON) else ""


async def in_sandbox(job: SandboxJob, parts: Parts) -> Outcome:
    """One job in the sandbox; where that is gone, in a new one."""
    used = parts.sandbox
    try:
        return await run(used, job)
    except LeakmonError as error:
        if error.reason != SANDBOX_LOST:
            raise
        parts.meters.restarts.labels("sandbox").inc()
        await parts.renew_sandbox(used)
        return await run(parts.sandbox, job)


async def _judged(
    stored: Stored, subject: Subject, outcomes: Sequence[Outcome], parts: Parts
) -> TargetReport:
    policy = Policy(
        today=parts.clock.now().date(),
        organisations=tuple(parts.settings.organisations),
        has_inline_ignores=False,
    )
    private = parts.private_code
    history = await shapes.profiles(stored, parts)
    # Look-ups of a large bundle take a while: not on the loop's own thread.
    concluded = await asyncio.to_thread(_concluded, subject, outcomes, policy, private, history)
    report = concluded.report
    report = replace(report, sha256=stored.sha256, bytes=stored.size)
    error = outcomes[0].error
    if report.status is Status.FAILED and error is not None:
        return shapes.not_inspected(report, error)
    return report


def _concluded(
    subject: Subject,
    outcomes: Sequence[Outcome],
    policy: Policy,
    private: PrivateCode | None,
    history: tuple[Profile, ...],
) -> Concluded:
    if private is not None:
        private.refresh()
    context = replace(subject.jobs[0].context, history=history)
    return conclude_subject(subject, outcomes, context, policy, private)


async def _settle(
    stored: Stored,
    report: TargetReport,
    outcomes: Sequence[Outcome],
    parts: Parts,
    subject: Subject | None = None,
) -> Settled:
    artifact = replace(stored.artifact, size=stored.size or None)
    history: list[Past] = []
    if not pushes.is_push(stored):  # commits are no versions of each other
        past = await parts.store.history(
            artifact.ecosystem, artifact.name, before=stored.artifact_id
        )
        history = [each for each in past if each.status != Status.FAILED.value]
    release = await parts.store.release(stored.artifact_id)
    ignores = await parts.store.ignores()
    now = parts.clock.now()

    def decide(sealed: TargetReport, known: Sequence[Incident]) -> Sequence[IncidentChange]:
        if artifact.ecosystem == canaries.ECOSYSTEM:
            return canaries.decide(sealed, artifact, known, now)
        owner = stored.ownership.organisation
        heard = without_ignored(sealed, artifact, owner, ignores, now.date())
        heard = imposture.without_blame(heard, known)
        return incidents.changes(
            heard,
            artifact,
            owner,
            known,
            now,
            history=history,
            release=release,
        )

    scan = Scan(
        rules_digest=parts.rules_digest,
        members_digest=shapes.members_digest(outcomes),
        profile=shapes.shape_of(artifact, release, outcomes, subject),
        is_for_wheels=siblings.is_for_wheels(stored),
    )
    return await parts.store.settle(
        stored.artifact_id, report, decide, scan, channels=parts.hearers
    )


async def _tell(
    stored: Stored, report: TargetReport, settled: Settled, took: float, parts: Parts
) -> None:
    if settled.is_repeat:
        return
    if stored.artifact.ecosystem == canaries.ECOSYSTEM:
        canaries.told(settled, parts)
    for finding in report.findings:
        parts.meters.findings.labels(finding.detector, finding.severity.value).inc()
    opened = [change.incident for change in settled.changes if change.events]
    write = _log.warning if opened else _log.info
    write(
        report.verdict.summary or report.status.value,
        step="settle",
        artifact=_name(stored.artifact),
        verdict=report.verdict.severity.value,
        status=report.status.value,
        seconds=round(took, 3),
        incidents=",".join(each.id for each in opened),
    )
    if settled.outgoing:
        await parts.wake()


async def stumbled(artifact_id: int, reason: str, parts: Parts) -> None:
    """A second try has failed. Of a canary that is told at once: it stands for all others."""
    try:
        stored = await parts.store.artifact(artifact_id)
    except NotFoundError:
        return
    if stored.artifact.ecosystem == canaries.ECOSYSTEM:
        await canaries.stumbled(stored, reason, parts)


async def give_up(artifact_id: int, reason: str, parts: Parts) -> None:
    """The last try has failed: on record, and visible until somebody revives its job."""
    try:
        await parts.store.failed(artifact_id, reason)
    except NotFoundError:
        return


def _name(artifact: Artifact) -> str:
    return f"{artifact.ecosystem}:{artifact.name}@{artifact.version} ({artifact.filename})"
