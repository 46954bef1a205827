"""What was published and is gone before it could be fetched: on record, and told all the same."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from packageurl import PackageURL

from monitor.incidents import VANISHED
from monitor.model import (
    Artifact,
    Confidence,
    Finding,
    Release,
    Severity,
    Skipped,
    Status,
    TargetReport,
    Verdict,
)
from monitor.service.logs import logger
from monitor.watchers import actions

if TYPE_CHECKING:
    from monitor.model import Ownership
    from monitor.service.parts import Parts

UNKNOWN = "unknown"
"""The version of a package that was gone as a whole before any version of it was seen."""

_log = logger()


class Gone(Struct, frozen=True, kw_only=True):
    """A version that cannot be had, or one file of it (``filename``)."""

    ecosystem: str
    name: str
    version: str
    filename: str | None = None
    published_at: datetime | None = None


async def announce(gone: Gone, owner: Ownership, parts: Parts) -> None:
    """Put on record what was there and cannot be had; its job tells of it. Twice is harmless."""
    release = _release(gone)
    (entry,) = await parts.store.announce(release, owner)
    await parts.store.withdraw(
        gone.ecosystem, gone.name, gone.version, gone.filename, actions.REMOVED
    )
    if entry.is_new:
        _log.warning(
            f"{gone.ecosystem}:{gone.name}@{gone.version}: gone before it could be inspected",
            step="resolve",
            reason=VANISHED,
        )
        await parts.wake()


def _release(gone: Gone) -> Release:
    namespace, _, last = gone.name.rpartition("/")
    ending = ".tgz" if gone.ecosystem == "npm" else ""
    purl = PackageURL(gone.ecosystem, namespace or None, last, gone.version)
    artifact = Artifact(
        ecosystem=gone.ecosystem,
        name=gone.name,
        version=gone.version,
        filename=gone.filename or f"{last}-{gone.version}{ending}",
        purl=purl.to_string(),
        published_at=gone.published_at,
    )
    return Release(
        ecosystem=gone.ecosystem,
        name=gone.name,
        version=gone.version,
        artifacts=[artifact],
        published_at=gone.published_at,
    )


def report(artifact: Artifact) -> TargetReport:
    """What stands in the place of an inspection."""
    told = (
        f"Version {artifact.version} vanished before inspection: it was published, and could no "
        "longer be had."
    )
    finding = Finding(
        rule="vanished-before-inspection",
        detector="packaging",
        kind=VANISHED,
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        message=told,
        path=artifact.filename,
        fingerprint=hashlib.sha256(b"vanished").hexdigest()[:32],
        advice="Ask who published it what it held; until that is known, take it for a leak.",
    )
    return TargetReport(
        target=artifact.purl,
        purl=artifact.purl,
        filename=artifact.filename,
        status=Status.FAILED,
        skipped=[Skipped(artifact.filename, VANISHED)],
        verdict=Verdict(Severity.MEDIUM, told, [told]),
        findings=[finding],
    )
