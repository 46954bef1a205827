"""What is remembered of an artifact's shape, and what stands for one that could not be opened."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from msgspec import convert, to_builtins
from msgspec.structs import replace

from monitor.detectors.drift.profiling import profile
from monitor.model import Confidence, Finding, Severity
from monitor.model.profiles import Profile
from monitor.pipeline import attested

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.errors import LeakmonError
    from monitor.model import Artifact, Release, TargetReport
    from monitor.pipeline.subjects import Subject
    from monitor.sandbox import Outcome
    from monitor.service.parts import Parts
    from monitor.store import Stored

MOST_PROFILES = 40
"""Files of ten versions: a release of PyPI has several."""


async def profiles(stored: Stored, parts: Parts) -> tuple[Profile, ...]:
    """What the latest artifacts of other versions looked like, the newest first."""
    artifact = stored.artifact
    known = await parts.store.history(
        artifact.ecosystem, artifact.name, MOST_PROFILES, before=stored.artifact_id
    )
    return tuple(convert(each.profile, Profile) for each in known if each.profile)


def not_inspected(report: TargetReport, error: LeakmonError) -> TargetReport:
    """What cannot be opened at all is for people to look at: nothing is passed over in silence."""
    path = report.filename or report.target
    finding = Finding(
        rule="artifact-not-inspected",
        detector="packaging",
        kind="not-inspected",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        message=f"The artifact could not be inspected: {error}",
        path=path,
        fingerprint=hashlib.sha256(f"not-inspected\0{error.reason}".encode()).hexdigest()[:32],
    )
    return replace(report, findings=[finding])


def shape_of(
    artifact: Artifact, release: Release, outcomes: Sequence[Outcome], subject: Subject | None
) -> dict[str, Any]:
    """What the next version is held against; ``subject`` is None where nothing was inspected."""
    if len(outcomes) != 1 or outcomes[0].inspection is None:
        return {}
    shape = profile(
        outcomes[0].inspection,
        version=artifact.version,
        filename=artifact.filename,
        publisher=release.publisher,
        provenance=attested.state(subject) if subject is not None else "",
        builder=attested.builder(subject) if subject is not None else "",
    )
    told: dict[str, Any] = to_builtins(shape)
    return told


def members_digest(outcomes: Sequence[Outcome]) -> str:
    """The set of members, by path and size."""
    found = [each.inspection for each in outcomes if each.inspection is not None]
    if not found:
        return ""
    listed = sorted(f"{member.path}\0{member.size}" for one in found for member in one.members)
    whole = "\n".join(listed).encode("utf-8", "surrogatepass")
    return hashlib.sha256(whole).hexdigest()
