"""Rule files -> ``RuleSet``. Every error names the file, the rule and the key.

Rules of other languages than ``regex`` and ``generic`` are Semgrep's own work and are kept aside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from monitor.errors import RuleError
from monitor.model import Severity
from monitor.rules.files import digest_of, read_files
from monitor.rules.metadata import metadata_of
from monitor.rules.model import Problem, Rule, RuleSet, Structural
from monitor.rules.tree import PATTERN_KEYS, branches_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

SEVERITIES = {
    "CRITICAL": Severity.CRITICAL,
    "HIGH": Severity.HIGH,
    "ERROR": Severity.HIGH,
    "MEDIUM": Severity.MEDIUM,
    "WARNING": Severity.MEDIUM,
    "LOW": Severity.LOW,
    "INFO": Severity.INFO,
}
TEXTUAL = frozenset({"regex", "generic", "none"})
_KEYS = frozenset(
    {"id", "message", "severity", "languages", "paths", "metadata", *PATTERN_KEYS}
    | {"fix", "fix-regex", "options", "min-version", "max-version"}
)
_ID = re.compile(r"[A-Za-z0-9_.\-]{1,200}\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def load(folders: Sequence[str]) -> RuleSet:
    """All rules of the folders (or single files), in the order of their paths.

    RuleError for the first thing that is wrong; an id may occur once only.
    """
    rule_set, problems = load_leniently(read_files(folders))
    if problems:
        raise RuleError(str(problems[0]))
    return rule_set


def load_leniently(contents: Sequence[tuple[str, bytes]]) -> tuple[RuleSet, list[Problem]]:
    """The rules of files that can be loaded, and what is wrong with the others."""
    rules: list[Rule] = []
    structural: list[Structural] = []
    problems: list[Problem] = []
    known: set[str] = set()
    seen: dict[str, str] = {}
    for path, content in contents:
        try:
            if path.endswith(".txt"):
                known |= _known_examples(content)
                continue
            written = sources(content)
        except RuleError as error:
            problems.append(Problem(path, "", str(error)))
            continue
        for source in written:
            try:
                rule = rule_of(path, source, seen)
            except RuleError as error:
                problems.append(Problem(path, _name_of(source), str(error)))
                continue
            seen[rule.id] = path
            if isinstance(rule, Rule):
                rules.append(rule)
            else:
                structural.append(rule)
    return RuleSet(rules, digest_of(contents), structural, sorted(known)), problems


def _name_of(source: Any) -> str:
    name = source.get("id") if isinstance(source, dict) else None
    return name if isinstance(name, str) else ""


def sources(content: bytes) -> list[Any]:
    """The rules of one file as they are written."""
    try:
        document = yaml.load(content, Loader=_Loader)  # noqa: S506 - it is a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RuleError(f"is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or not isinstance(document.get("rules"), list):
        raise RuleError("rules: must be a list")
    for key in document:
        if key != "rules":
            raise RuleError(f"{key}: is not a key of a rule file")
    return list(document["rules"])


def rule_of(path: str, source: Any, seen: Mapping[str, str]) -> Rule | Structural:
    """One rule of a file; ``seen`` maps the ids used already to their files."""
    if not isinstance(source, dict):
        raise RuleError("rules: must be a list of mappings")
    name = source.get("id")
    if not isinstance(name, str) or not _ID.match(name):
        raise RuleError(f"id: {name!r} is not a rule's id")
    if name in seen:
        raise RuleError(f"id: is already used in {seen[name]}")
    languages = _texts(source, "languages")
    if not languages:
        raise RuleError("languages: is missing")
    if not TEXTUAL.issuperset(languages):
        return Structural(name, path, source)
    return _textual(path, name, tuple(languages), source)


def _textual(path: str, name: str, languages: tuple[str, ...], source: dict[str, Any]) -> Rule:
    for key in source:
        if key not in _KEYS:
            raise RuleError(f"{key}: is not a key of a rule")
    severity = SEVERITIES.get(str(source.get("severity")))
    if severity is None:
        raise RuleError(f"severity: {source.get('severity')!r} is none of {' '.join(SEVERITIES)}")
    message = source.get("message")
    if not isinstance(message, str) or not message.strip():
        raise RuleError("message: is missing")
    paths = source.get("paths") or {}
    if not isinstance(paths, dict):
        raise RuleError("paths: must be a mapping")
    for key in paths:
        if key not in {"include", "exclude"}:
            raise RuleError(f"paths.{key}: is not a key of paths")
    return Rule(
        id=name,
        message=" ".join(message.split()),
        severity=severity,
        languages=languages,
        file=path,
        branches=branches_of(source),
        include=tuple(_texts(paths, "include")),
        exclude=tuple(_texts(paths, "exclude")),
        metadata=metadata_of(source.get("metadata") or {}),
    )


def _texts(mapping: dict[str, Any], key: str) -> list[str]:
    value = mapping.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RuleError(f"{key}: must be a list of texts")
    return list(value)


def _known_examples(content: bytes) -> set[str]:
    known = set()
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        digest = line.partition("#")[0].strip()
        if digest and not _DIGEST.match(digest):
            raise RuleError(f"line {number}: {digest!r} is not a SHA-256 digest")
        known.add(digest)
    return known - {""}
