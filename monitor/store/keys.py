"""The identities of jobs and artifacts: short, stable, and the same for the same thing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.model import Job

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.model import Artifact, Notice, Ownership

PRIORITIES = {
    "deliver": 300,
    "resolve": 200,
    "look": 200,
    "stranger": 150,
    "artifact": 100,
    "recheck": 0,
}
"""What people wait for goes first. A backfill subtracts from these."""

REPOSITORIES = frozenset({"github", "gitlab", "git"})
"""Whose notices are about repositories."""

BACKFILL = -150
"""The priority to give to what a backfill finds: behind everything new, before rechecks."""

WHEEL = ".whl"
"""How the files of a PyPI release end that are held against its sdist."""

_MAX_KEY = 400
_DIGESTS = ("sha256", "sha512", "sha1", "md5")


def job_key(kind: str, *parts: str) -> str:
    """``kind/part/part``; a long one ends in a digest instead, since indexes have limits."""
    key = "/".join((kind, *parts))
    if len(key) <= _MAX_KEY and key.isprintable():
        return key
    return f"{kind}/sha256:{_digest(parts)}"


def notice_key(notice: Notice) -> str:
    """One row of a feed: ecosystem, name, position, and the version and file it speaks of."""
    parts = [notice.ecosystem, notice.name, notice.position]
    parts += [part for part in (notice.version, notice.filename) if part]
    return job_key("resolve", *parts)


def artifact_identity(artifact: Artifact) -> str:
    """The digest of ecosystem, name, version, filename and the strongest announced digest."""
    digest = next((f"{k}:{artifact.digests[k]}" for k in _DIGESTS if k in artifact.digests), "")
    parts = (artifact.ecosystem, artifact.name, artifact.version, artifact.filename, digest)
    return _digest(parts)


def _digest(parts: tuple[str, ...]) -> str:
    whole = "\0".join(part.replace("\0", "\ufffd") for part in parts)
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()


def resolve_job(
    key: str, notice: Notice, ownership: Ownership, run_at: datetime, priority: int
) -> Job:
    """The job that finds out what a notice means. Its payload holds the notice and its owner.

    Whose owner is not known yet is a ``stranger``, and to look at a repository takes a clone
    (``look``): kinds of their own, so that they delay nobody.
    """
    kind = "resolve" if ownership.organisation else "stranger"
    if notice.ecosystem in REPOSITORIES:
        kind = "look"
    payload: dict[str, Any] = {
        "notice_key": key,
        "notice": msgspec.to_builtins(notice),
        "ownership": msgspec.to_builtins(ownership),
        "priority": priority,
    }
    return Job(
        key=key,
        kind=kind,
        run_at=run_at,
        payload=payload,
        priority=PRIORITIES[kind] + priority,
    )


def artifact_job(artifact_id: int, identity: str, run_at: datetime, priority: int = 0) -> Job:
    """The job that fetches, scans and settles an artifact. Payload: ``{"artifact": id}``."""
    return Job(
        key=job_key("artifact", identity),
        kind="artifact",
        run_at=run_at,
        payload={"artifact": artifact_id},
        priority=PRIORITIES["artifact"] + priority,
    )


def deliver_job(outgoing_id: str, channel: str, run_at: datetime) -> Job:
    """The job that wakes a channel's delivery. Payload: ``{"outgoing": id, "channel": name}``."""
    return Job(
        key=job_key("deliver", outgoing_id),
        kind="deliver",
        run_at=run_at,
        payload={"outgoing": outgoing_id, "channel": channel},
        priority=PRIORITIES["deliver"],
    )
