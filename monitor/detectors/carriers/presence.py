"""Files and folders whose mere presence in a package tells something: one finding per kind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from monitor.detectors import fingerprints
from monitor.detectors.carriers.agents import is_settings
from monitor.model import NESTED, Confidence, Finding, Severity
from monitor.model.wording import count
from monitor.patterns import later

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import MemberRecord

_MAX_SHOWN = 20
_BUNDLED = "node_modules/"


class Kind(Struct, frozen=True):
    """What is told of all files of one kind: "N ``what``s ``detail`` ship with the package"."""

    rule: str
    kind: str
    severity: Severity
    what: str
    detail: str
    advice: str


_LEAVE_OUT = "Leave it out: list what ships (`files`, `include`) instead of what does not."

_KINDS = {
    each.rule.removeprefix("carrier-"): each
    for each in (
        Kind("carrier-git", "repository", Severity.HIGH, "file", "of a version control folder",
             "Its history may hold anything ever committed: scan it, revoke what it holds."),
        Kind("carrier-agent-folder", "agent-settings", Severity.HIGH,
             "file", "of a coding agent's folder", _LEAVE_OUT),
        Kind("carrier-agent-instructions", "agent-instructions", Severity.MEDIUM,
             "instruction file", "for coding agents", _LEAVE_OUT),
        Kind("carrier-debris", "debris", Severity.LOW, "file", "left by an editor or desktop",
             _LEAVE_OUT),
        Kind("carrier-dump", "dump", Severity.HIGH, "database, dump or memory image", "",
             "Look for personal data and credentials in it before anything else."),
        Kind("carrier-history", "history", Severity.HIGH, "shell or client history file", "",
             "Commands carry passwords: revoke what they show, publish without the file."),
        Kind("carrier-log", "log", Severity.MEDIUM, "log file", "", _LEAVE_OUT),
        Kind("carrier-ci", "ci", Severity.MEDIUM, "build pipeline file", "", _LEAVE_OUT),
        Kind("carrier-debug-symbols", "source", Severity.HIGH, "file", "of debug symbols",
             "Strip the binaries, keep the symbols on your own symbol server."),
    )
}  # fmt: skip

_FOLDERS = {
    ".git": "git", ".svn": "git", ".hg": "git", ".bzr": "git",
    ".claude": "agent-folder", ".cursor": "agent-folder", ".continue": "agent-folder",
    ".codex": "agent-folder", ".gemini": "agent-folder", ".devin": "agent-folder",
    ".windsurf": "agent-folder",
    ".idea": "debris", ".vscode": "debris", "__macosx": "debris",
    ".circleci": "ci", ".buildkite": "ci", ".github": "ci", ".gitlab": "ci",
}  # fmt: skip
_NAMES = {
    ".ds_store": "debris", "thumbs.db": "debris", "desktop.ini": "debris",
    ".gitlab-ci.yml": "ci", ".travis.yml": "ci", "jenkinsfile": "ci",
    "azure-pipelines.yml": "ci", ".drone.yml": "ci", "appveyor.yml": "ci",
    ".appveyor.yml": "ci", "bitbucket-pipelines.yml": "ci", ".cirrus.yml": "ci",
    "claude.md": "agent-instructions", "agents.md": "agent-instructions",
    "gemini.md": "agent-instructions", ".cursorrules": "agent-instructions",
    ".windsurfrules": "agent-instructions", "claude.local.md": "agent-instructions",
    "copilot-instructions.md": "agent-instructions",
    ".bash_history": "history", ".zsh_history": "history", ".python_history": "history",
    ".psql_history": "history", ".mysql_history": "history", ".sqlite_history": "history",
    ".node_repl_history": "history", ".rediscli_history": "history", ".sh_history": "history",
}  # fmt: skip
_EXTENSIONS = {
    "swp": "debris", "swo": "debris", "bak": "debris", "orig": "debris", "rej": "debris",
    "sql": "dump", "sqlite": "dump", "sqlite3": "dump", "dump": "dump",
    "heapsnapshot": "dump", "heapprofile": "dump", "hprof": "dump", "dmp": "dump", "mdmp": "dump",
    "log": "log", "pdb": "debug-symbols", "dsym": "debug-symbols",
}  # fmt: skip
_HINTS = frozenset(_EXTENSIONS) | {name.rpartition(".")[2] for name in _NAMES} | {"gz"}
_DEEP_FOLDER = later(r"(?i)(?:__macosx|\.dsym)/")
_WORKFLOWS = r"(?:^|/)\.github/(?:workflows|actions)/"


def findings(members: Sequence[MemberRecord]) -> list[Finding]:
    """One finding for each kind met, own files before those of bundled dependencies."""
    met: dict[tuple[str, bool], dict[str, int]] = {}
    fronts: dict[str, list[tuple[str, str]]] = {}
    for member in members:
        path = member.path
        front, nested, inner = path.rpartition(NESTED)
        is_deep = NESTED in front  # a database is seen by the front of its rows' paths
        if not is_deep and not _may_tell(path):
            continue
        if front not in fronts:
            fronts[front] = _kinds(front) if nested else []
        found = fronts[front]
        if not is_deep or _may_tell(inner) or _DEEP_FOLDER.search(inner):
            kind = _kind(inner)
            found = [*found, (kind, path)] if kind is not None else found
        for each, shown in found:
            is_bundled = _BUNDLED in shown
            met.setdefault((each, is_bundled), {}).setdefault(shown, member.size)
    return [_finding(_KINDS[kind], paths, is_bundled=b) for (kind, b), paths in sorted(met.items())]


def _may_tell(path: str) -> bool:
    """Whether the last part of a path can be of a kind: nearly none can."""
    tail = path[path.rfind("/") + 1 :]
    return (
        tail[tail.rfind(".") + 1 :].lower() in _HINTS
        or "/." in path
        or tail[-1:] == "~"
        or path[:1] == "."
        or ".dSYM/" in path
    )


def _kinds(path: str) -> list[tuple[str, str]]:
    """The kinds of a container and of those it lies in, each with the path that shows it."""
    found: list[tuple[str, str]] = []
    parts = path.split(NESTED)
    for depth in range(1, len(parts) + 1):
        shown = NESTED.join(parts[:depth])
        kind = _kind(parts[depth - 1])
        if kind is not None:
            found.append((kind, shown))
    return found


def _kind(inner: str) -> str | None:
    parts = inner.lower().split("/")
    name = parts[-1]
    if name in _NAMES:
        return _NAMES[name]
    for part in parts[:-1]:
        if part in _FOLDERS:
            kind = _FOLDERS[part]
            is_harmless = part == ".github" and not re.search(_WORKFLOWS, inner)
            return None if is_harmless or is_settings(inner) else kind
        if part.endswith(".dsym"):
            return "debug-symbols"
    if name.endswith("~") and len(name) > 1:
        return "debris"
    stem, dot, extension = name.removesuffix(".gz").rpartition(".")
    return _EXTENSIONS.get(extension) if dot and stem else None


def _counted(kind: Kind, number: int) -> str:
    plural = kind.what.replace("database, dump", "databases, dumps") + "s"
    what = " ".join(filter(None, (count(number, kind.what, plural), kind.detail)))
    return f"{what} {'ships' if number == 1 else 'ship'}"


def _finding(kind: Kind, paths: dict[str, int], *, is_bundled: bool) -> Finding:
    first = next(iter(paths))
    evidence: dict[str, Any] = {
        "count": len(paths),
        "bytes": sum(paths.values()),
        "paths": list(paths)[:_MAX_SHOWN],
    }
    if is_bundled:
        evidence["bundled"] = True
    where = " inside bundled dependencies" if is_bundled else ""
    is_weaker = is_bundled and kind.severity < Severity.HIGH
    subject = "bundled" if is_bundled else "own"
    return Finding(
        rule=kind.rule,
        detector="carriers",
        kind=kind.kind,
        severity=Severity.INFO if is_weaker else kind.severity,
        confidence=Confidence.MEDIUM,
        message=f"{_counted(kind, len(paths))} with the package{where}.",
        path=first,
        fingerprint=fingerprints.of_finding(kind.rule, subject),
        evidence=evidence,
        advice=kind.advice,
    )
