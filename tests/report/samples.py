"""Reports that look like real ones: made-up owners, values and digests."""

from __future__ import annotations

import hashlib

from monitor.model import (
    Confidence,
    Finding,
    Posture,
    PostureValue,
    ScanReport,
    Secret,
    Severity,
    Skipped,
    Status,
    TargetReport,
    Verdict,
)
from monitor.model.provenance import Builder, Provenance

VALUE = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def secret_finding(number: int = 0, *, value: str | None = None) -> Finding:
    return Finding(
        rule="github-personal-access-token",
        detector="secrets",
        kind="secret",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        message="GitHub personal access token: whoever reads this package can act as its owner",
        path=f"acme-cli-2.1.88.tgz!/package/dist/vendor/chunk-{number:04}.js.map!/src/client.ts",
        line=12 + number,
        column=27,
        end_line=12 + number,
        end_column=67,
        byte_offset=4_211,
        decoded=["base64"] if number == 1 else [],
        secret=Secret(
            redacted="ghp_…q7R8",
            fingerprint=digest(VALUE)[:32],
            checksum="valid",
            value=value,
        ),
        references=["https://docs.github.example/authentication/personal-access-tokens"],
        advice="Revoke the token now under Settings, Developer settings; then read its audit log"
        " for uses since the package was published. Only then publish a clean version.",
        fingerprint=digest("github" + VALUE)[:32],
    )


def source_map_finding() -> Finding:
    return Finding(
        rule="source-map-first-party",
        detector="source-maps",
        kind="source",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        message="Source map with 1,897 first-party source files, complete and readable",
        path="acme-cli-2.1.88.tgz!/package/cli.js.map",
        evidence={
            "first_party_files": 1897,
            "lines": 512_031,
            "bytes": 59_812_004,
            "share": 0.94,
            "largest": [f"src/agents/loop-{i}/planner.ts" for i in range(20)],
        },
        advice="Unpublish or deprecate 2.1.88 now, publish without the map, and ask the mirrors to"
        " purge it.",
        fingerprint=digest("map")[:32],
    )


def carrier_finding() -> Finding:
    return Finding(
        rule="npm-workspace-reference",
        detector="markers",
        kind="marker",
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        message="Names an internal registry host",
        path="acme-cli-2.1.88.tgz!/package/package.json",
        line=41,
        column=5,
        evidence={"host": "npm.corp.acme.example"},
        fingerprint=digest("host")[:32],
    )


def noisy_findings() -> list[Finding]:
    return [
        Finding(
            rule="home-path",
            detector="markers",
            kind="marker",
            severity=Severity.LOW,
            confidence=Confidence.LOW,
            message=f"Absolute path of somebody's home folder: /Users/someone/work/{n}",
            path=f"acme-cli-2.1.88.tgz!/package/native/libacme-{n}.node",
            byte_offset=1_000 * n + 7,
            fingerprint=digest(f"home{n}")[:32],
        )
        for n in range(40)
    ]


def leaking_target() -> TargetReport:
    return TargetReport(
        target="npm:@acme/cli@2.1.88",
        purl="pkg:npm/%40acme/cli@2.1.88",
        filename="acme-cli-2.1.88.tgz",
        sha256=digest("acme-cli-2.1.88"),
        provenance=Provenance(
            state="verified",
            builder=Builder(
                kind="github",
                issuer="https://token.actions.example",
                repository="acme/cli",
                repository_id="987",
                owner_id="123",
                workflow=".github/workflows/release.yml",
                ref="refs/tags/v2.1.88",
                commit="4f1c2d4f1c2d4f1c2d4f1c2d4f1c2d4f1c2dabcd",
            ),
        ),
        bytes=23_104_881,
        inspected_bytes=88_404_120,
        members=2_114,
        status=Status.PARTIAL,
        skipped=[
            Skipped("acme-cli-2.1.88.tgz!/package/vendor/models.zip!/weights.bin", "encrypted"),
            Skipped("acme-cli-2.1.88.tgz!/package/vendor/models.zip!/vocabulary.txt", "encrypted"),
            Skipped("acme-cli-2.1.88.tgz!/package/fixtures/broken.tar.gz", "truncated"),
        ],
        posture=Posture(
            PostureValue.PROPRIETARY,
            ["licence is UNLICENSED", "no public repository", "108 earlier versions minified"],
        ),
        verdict=Verdict(
            Severity.CRITICAL,
            "1,897 first-party source files and a live-shaped GitHub token ship in cli.js.map; "
            "none of the 120 versions before had a map.",
            [
                "source-map-first-party is CRITICAL for a proprietary owner",
                "first source map ever in this package: one level up",
                "six times the usual size",
            ],
        ),
        findings=[
            *noisy_findings(),
            carrier_finding(),
            *(secret_finding(n) for n in range(15)),
            source_map_finding(),
        ],
    )


def clean_target() -> TargetReport:
    return TargetReport(
        target="npm:is-number@7.0.0",
        purl="pkg:npm/is-number@7.0.0",
        filename="is-number-7.0.0.tgz",
        sha256=digest("is-number"),
        bytes=3_732,
        inspected_bytes=9_615,
        members=4,
        status=Status.COMPLETE,
        posture=Posture(PostureValue.OPEN, ["licence is MIT", "public repository"]),
        verdict=Verdict(Severity.NONE, "Nothing found that was not meant to ship."),
    )


def failed_target() -> TargetReport:
    return TargetReport(
        target="pypi:acme==2.0",
        status=Status.FAILED,
        skipped=[Skipped("acme-2.0-py3-none-any.whl", "digest-mismatch")],
    )


def report(*targets: TargetReport) -> ScanReport:
    return ScanReport(
        targets=list(targets),
        rules_digest=digest("rules"),
        version="0.1.0",
        seconds=1.834,
        cpu_seconds=1.2,
    )


def full_report() -> ScanReport:
    return report(leaking_target(), clean_target(), failed_target())
