"""Settings and transcripts of coding agents, and the configuration inside a shipped ``.git``.

They carry inline tokens (allowed commands, servers' headers) far more often than they should.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from monitor.detectors import fingerprints
from monitor.detectors.carriers.placeholders import is_placeholder
from monitor.model import Confidence, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.rules import Match

_MAX_READ = 1 << 20
_LOCAL_SETTINGS = ".claude/settings.local.json"
_AGENT = (
    r"(?:^|/)(?:\.claude/(?:.*/)?[^/]+\.(?:json|jsonl)|\.mcp\.json|\.cursor/(?:.*/)?[^/]+\.json"
    r"|\.continue/(?:.*/)?[^/]+\.(?:json|ya?ml)|\.codex/(?:.*/)?[^/]+\.(?:json|jsonl|toml)"
    r"|\.gemini/(?:.*/)?[^/]+\.(?:json|env)|\.devin/[^/]+|\.aider[^/]*)$"
)
_GIT_CONFIG = r"(?:^|/)\.git/config$"
_BEARER = r"""(?xi)
        (?:bearer|token|basic)[ \t:=]+["']?(?P<value>[A-Za-z0-9_.~+/=-]{12,})
        |"[^"]{0,60}(?:token|api_?key|secret|passw(?:or)?d|authorization)[^"]{0,20}"\s*:\s*
         "(?P<json>[^"\s]{8,})"
        |[A-Z_]{0,40}(?:TOKEN|API_?KEY|SECRET|PASSWORD)=\\?["']?(?P<shell>[^\s"'\\]{8,})"""
_GIT_LOGIN = (
    r"(?i)https?://[^/\s:@]{0,200}:(?P<value>[^@\s/]{4,400})@|https?://(?P<json>[^/\s:@]{20,400})@"
    r"|extraheader\s*=\s*AUTHORIZATION:\s*\w+\s+(?P<shell>\S{8,})"
)


def inspect(path: str, content: bytes | memoryview, matches: Sequence[Match]) -> Sequence[Finding]:
    """The finding for an agent's settings or a repository's configuration, if it is one.

    ``.git/config`` without a credential is told by the presence of its folder alone.
    """
    if "/." not in path and path[:1] != ".":
        return ()
    is_git = bool(re.search(_GIT_CONFIG, path))
    if not is_git and not re.search(_AGENT, path):
        return ()
    text = bytes(content[:_MAX_READ]).decode("utf-8", "replace")
    rules = sorted({each.rule.id for each in matches if each.rule.metadata.kind == "secret"})
    has_login = bool(rules) or _has_login(_GIT_LOGIN if is_git else _BEARER, text)
    if is_git and not has_login:
        return ()
    evidence: dict[str, Any] = {"rules": rules} if rules else {}
    if has_login:
        evidence["content"] = fingerprints.of_content(content)
    return [_git(path, evidence) if is_git else _agent(path, evidence, has_login=has_login)]


def is_settings(path: str) -> bool:
    """Whether ``inspect`` tells of the file itself."""
    return bool(re.search(_AGENT, path))


def _has_login(pattern: str, text: str) -> bool:
    return any(
        not is_placeholder(next(value for value in found.groups() if value is not None))
        for found in re.finditer(pattern, text)
    )


def _git(path: str, evidence: dict[str, Any]) -> Finding:
    return _finding(
        "carrier-git-credentials",
        "credential-file",
        Severity.CRITICAL,
        "The package holds a .git folder whose configuration contains a credential.",
        path=path,
        evidence=evidence,
    )


def _agent(path: str, evidence: dict[str, Any], *, has_login: bool) -> Finding:
    if has_login:
        return _finding(
            "carrier-agent-settings",
            "credential-file",
            Severity.CRITICAL,
            "A coding agent's settings with a credential in them ship with the package.",
            path=path,
            evidence=evidence,
        )
    is_local = path.endswith(_LOCAL_SETTINGS)
    return _finding(
        "carrier-agent-settings",
        "agent-settings",
        Severity.MEDIUM if is_local else Severity.HIGH,
        "A coding agent's settings ship with the package; no credential was seen in them.",
        path=path,
        evidence=evidence,
    )


def _finding(
    rule: str, kind: str, severity: Severity, message: str, *, path: str, evidence: dict[str, Any]
) -> Finding:
    is_filled = severity is Severity.CRITICAL
    return Finding(
        rule=rule,
        detector="carriers",
        kind=kind,
        severity=severity,
        confidence=Confidence.HIGH if "rules" in evidence or not is_filled else Confidence.MEDIUM,
        message=message,
        path=path,
        fingerprint=fingerprints.of_finding(rule, fingerprints.stable_path(path)),
        evidence=evidence,
        advice=(
            "Revoke the credential at its provider first, then publish without the file."
            if is_filled
            else "Leave the file out of the package: name what ships, not what does not."
        ),
    )
