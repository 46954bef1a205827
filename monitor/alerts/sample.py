"""A made-up incident, for ``leakmon alerts preview``."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from monitor.incidents import changes
from monitor.model import (
    Artifact,
    Confidence,
    Finding,
    Posture,
    PostureValue,
    Release,
    Secret,
    Severity,
    Status,
    TargetReport,
)

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.model import IncidentChange

_USUAL_SIZE = 9_412_000
_VERSIONS = 88


def sample(now: datetime, kind: str = "source") -> IncidentChange:
    """An incident that was opened just now: ``source`` (a published map) or ``secret``."""
    history = [_artifact(now, number) for number in range(1, _VERSIONS)]
    artifact = replace(_artifact(now, _VERSIONS), size=59_804_113)
    report = TargetReport(
        target=artifact.purl,
        status=Status.COMPLETE,
        bytes=artifact.size or 0,
        sha256=artifact.digests["sha256"],
        posture=Posture(
            PostureValue.PROPRIETARY,
            ["configured for acme", "licence UNLICENSED", "no repository is named"],
        ),
        findings=_secrets() if kind == "secret" else _maps(),
    )
    release = Release(
        ecosystem="npm",
        name=artifact.name,
        version=artifact.version,
        artifacts=[artifact],
        publisher="acme-release-bot",
    )
    seen_at = now - timedelta(seconds=1)
    (change,) = changes(report, artifact, "acme", [], seen_at, history=history, release=release)
    return change


def _artifact(now: datetime, number: int) -> Artifact:
    version = f"2.1.{number}"
    filename = f"cli-{version}.tgz"
    content = filename.encode()
    return Artifact(
        ecosystem="npm",
        name="@acme/cli",
        version=version,
        filename=filename,
        purl=f"pkg:npm/%40acme/cli@{version}",
        size=_USUAL_SIZE + 1000 * number,
        digests={
            "sha256": hashlib.sha256(content).hexdigest(),
            "sha512": hashlib.sha512(content).hexdigest(),
        },
        published_at=now - timedelta(days=_VERSIONS - number, seconds=4),
    )


def _maps() -> list[Finding]:
    return [
        Finding(
            rule="source-map-first-party-content",
            detector="source-maps",
            kind="source",
            severity=Severity.CRITICAL,
            confidence=Confidence.HIGH,
            message="The source map carries 1,897 first-party source files in full text.",
            path="cli-2.1.88.tgz!/package/cli.js.map",
            fingerprint=hashlib.sha256(b"map").hexdigest()[:32],
            evidence={"first_party_files": 1897, "first_party_lines": 512_031},
            advice="Build without source maps or leave them out of the package's file list.",
        )
    ]


def _secrets() -> list[Finding]:
    first = Finding(
        rule="github-personal-access-token",
        detector="secrets",
        kind="secret",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        message="GitHub personal access token. Whoever reads the package can act as its owner.",
        path="cli-2.1.88.tgz!/package/.env",
        fingerprint=hashlib.sha256(b"secret").hexdigest()[:32],
        line=3,
        column=14,
        secret=Secret(
            redacted="ghp_…q7R8",
            fingerprint=hashlib.sha256(b"value").hexdigest()[:32],
            checksum="valid",
        ),
        advice="Revoke the token in the owner's developer settings, then read its audit log.",
    )
    vendored = "package/vendor/tools-0.9.0.tgz"
    nested = f"cli-2.1.88.tgz!/{vendored}!/package/dist/cli.js.map!/src/client.ts"
    return [first, replace(first, path=nested, line=211, decoded=["base64"])]
