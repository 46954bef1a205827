"""A small world: one organisation, its package, and what is found in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.model import (
    Artifact,
    Checkpoint,
    CommitMark,
    Confidence,
    Finding,
    Incident,
    IncidentChange,
    IncidentEvent,
    Notice,
    Ownership,
    Page,
    Posture,
    PostureValue,
    Release,
    Secret,
    Severity,
    Skipped,
    Status,
    TargetReport,
    Verdict,
)
from monitor.store import Push, Scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.store import Store

AT = datetime(2026, 1, 1, 11, 30, tzinfo=UTC)
OWNER = Ownership(organisation="acme", reason="npm scope @acme")
SCAN = Scan(rules_digest="rules-1", members_digest="members-1", profile={"maps": 1})
SECRET = "hunter2-" + "correct-horse-battery"


def notice(name: str = "@acme/cli", position: str = "17") -> Notice:
    return Notice(ecosystem="npm", name=name, action="published", position=position, occurred_at=AT)


def page(position: str = "17", **fields: Any) -> Page:
    checkpoint = Checkpoint(feed="npm", position=position, moved_at=AT)
    return Page(notices=[notice()], checkpoint=checkpoint, rows=100, **fields)


def release(version: str = "1.0.0", name: str = "@acme/cli", digest: str = "ab" * 32) -> Release:
    filename = f"cli-{version}.tgz"
    artifact = Artifact(
        ecosystem="npm",
        name=name,
        version=version,
        filename=filename,
        purl=f"pkg:npm/{name.replace('@', '%40')}@{version}",
        url=f"https://registry.example/{name}/-/{filename}",
        size=12345,
        digests={"sha256": digest, "sha1": digest[:40]},
        published_at=AT,
    )
    return Release(
        ecosystem="npm",
        name=name,
        version=version,
        artifacts=[artifact],
        licence="UNLICENSED",
        maintainers=["acme-bot"],
        publisher="acme-bot",
        published_at=AT,
    )


def finding(path: str = "cli-1.0.0.tgz!/package/.env", value: str | None = None) -> Finding:
    return Finding(
        rule="leakmon.acme-token",
        detector="secrets",
        kind="secret",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        message="An Acme token lies open",
        path=path,
        line=3,
        fingerprint="f" * 32,
        secret=Secret(redacted="hunt…tery", fingerprint="5" * 32, value=value),
        evidence={"name": "TOKEN"},
        references=["https://acme.example/tokens"],
        advice="Rotate it.",
    )


def report(findings: Sequence[Finding] | None = None) -> TargetReport:
    return TargetReport(
        target="pkg:npm/%40acme/cli@1.0.0",
        status=Status.PARTIAL,
        bytes=12345,
        members=7,
        inspected_bytes=54321,
        skipped=[Skipped("cli-1.0.0.tgz!/package/huge.bin", "over-bytes")],
        posture=Posture(PostureValue.PROPRIETARY, ["licence UNLICENSED"]),
        verdict=Verdict(Severity.CRITICAL, "A live token in .env", ["1 token"]),
        findings=[finding()] if findings is None else list(findings),
    )


def decide(report: TargetReport, known: Sequence[Incident]) -> list[IncidentChange]:
    """One incident for each finding's fingerprint; a known one gets a version more."""
    changes = []
    by_cause = {incident.cause: incident for incident in known}
    for one in report.findings:
        old = by_cause.get(one.fingerprint)
        number = len(old.versions) + 1 if old else 1
        version = f"{number}.0.0"
        if old is None:
            new = incident(one.fingerprint, versions=[version])
            event_kind = "opened"
        else:
            new = msgspec.structs.replace(old, versions=[*old.versions, version])
            event_kind = "version-added"
        changes.append(IncidentChange(incident=new, events=[event(new, event_kind, number)]))
    return changes


def incident(cause: str = "f" * 32, **fields: Any) -> Incident:
    values: dict[str, Any] = {
        "id": f"inc-{cause[:12]}",
        "organisation": "acme",
        "ecosystem": "npm",
        "package": "@acme/cli",
        "cause": cause,
        "title": "Acme token in @acme/cli",
        "severity": Severity.CRITICAL,
        "opened_at": AT,
        "first_seen_at": AT,
        "artifacts": ["pkg:npm/%40acme/cli@1.0.0"],
    }
    return Incident(**(values | fields))


def event(of: Incident, kind: str = "opened", number: int = 1) -> IncidentEvent:
    return IncidentEvent(
        id=f"{of.id}/{kind}/{number}", incident_id=of.id, kind=kind, at=AT, detail={"n": number}
    )


async def fetched(store: Store, of: Release) -> int:
    """An artifact whose bytes are kept."""
    (announced,) = await store.announce(of, OWNER)
    await store.fetched(
        announced.artifact_id, evidence_key="sha256/ab", sha256="ab" * 32, size=12345
    )
    return announced.artifact_id


COMMITS = [f"{number:040x}" for number in range(1, 6)]


def push(*commits: str, name: str = "acme/app", ref: str = "refs/heads/main") -> Push:
    """Commits of a repository that are to be inspected together."""
    artifact = Artifact(
        ecosystem="github",
        name=name,
        version=commits[-1],
        filename="app.git",
        purl=f"pkg:github/{name}@{commits[-1]}",
        url=f"history+https://git.example/{name}.git",
        published_at=AT,
    )
    made = Release(ecosystem="github", name=name, version=commits[-1], artifacts=[artifact])
    return Push(release=made, marks=[CommitMark(commit=each, ref=ref) for each in commits])


async def looked_at(
    store: Store,
    refs: dict[str, str] | None = None,
    pushes: Sequence[Push] | None = None,
    name: str = "acme/app",
) -> int:
    """A look at a repository, by default at one with one push of two commits."""
    refs = refs if refs is not None else {"refs/heads/main": COMMITS[1]}
    about = Release(
        ecosystem="github", name=name, version=next(iter(refs.values()), ""), artifacts=[]
    )
    made = pushes if pushes is not None else [push(*COMMITS[:2], name=name)]
    new = await store.record_look(
        about, OWNER, refs, made, address=f"https://git.example/{name}.git"
    )
    known = await store.repository("github", name)
    assert known is not None
    await store.blobs_are_clean(known.package_id, "rules-1", ["b" * 40])
    return new
