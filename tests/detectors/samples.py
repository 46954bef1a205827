"""Hand-built inspections: what the walk would have given, without a walk."""

from __future__ import annotations

import random
import string
from typing import TYPE_CHECKING

from monitor.archive import Member
from monitor.model import Confidence, MemberRecord, Severity, SourceMapRecord
from monitor.rules import Match
from monitor.rules.model import Metadata, Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

OUTER = "acme-cli-1.2.0.tgz!/package/"


def token(length: int = 36, seed: int = 7) -> str:
    """A token's body that no provider ever gave out, the same in every run."""
    chosen = random.Random(seed)
    return "".join(chosen.choices(string.ascii_letters + string.digits, k=length))


def member(path: str, content: str | bytes = b"", offset: int = 0) -> Member:
    raw = content.encode() if isinstance(content, str) else content
    return Member(path=path, data=raw, offset=offset, container="tar")


def records(*paths: str, owner: str = "", mtime: int = 0) -> list[MemberRecord]:
    return [MemberRecord(path, 100, "tar", mtime, owner) for path in paths]


def rule(
    rule_id: str = "acme-token",
    *,
    kind: str = "secret",
    severity: Severity = Severity.CRITICAL,
    checksum: str = "",
    generic: bool = False,
) -> Rule:
    return Rule(
        id=rule_id,
        message="An Acme token. Whoever holds it acts as its user.",
        severity=severity,
        languages=("regex",),
        metadata=Metadata(
            kind=kind,
            confidence=Confidence.HIGH,
            provider="acme",
            references=("https://docs.acme.example/tokens",),
            revoke="Revoke it.",
            checksum=checksum,
            generic=generic,
        ),
    )


def match(content: bytes, secret: str, of: Rule | None = None, start: int = 0) -> Match:
    at = content.index(secret.encode(), start)
    span = (at, at + len(secret))
    return Match(of or rule(), span, span, secret.encode())


def source_map(
    path: str,
    sources: Sequence[tuple[str, int, int, bool, bool]],
    *,
    origin: str = "file",
    remote: Sequence[str] = (),
    problem: str | None = None,
) -> SourceMapRecord:
    return SourceMapRecord(
        path=path, origin=origin, sources=list(sources), remote=list(remote), problem=problem
    )
