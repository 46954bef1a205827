"""Structural rules: read from the same folders as all rules, and written out for Semgrep.

Rules of strangers are welcome as they are: what their ``metadata`` says in our words is used, the
rest is left alone. Ours are held to the whole of ``rules/README.md`` by ``shortcomings``.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from monitor.errors import RuleError
from monitor.model import Confidence, Severity
from monitor.rules.cache import bundled_rules_folder
from monitor.rules.files import read_files
from monitor.rules.loader import SEVERITIES, load_leniently
from monitor.semgrep import languages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.rules.model import Structural

FOLDER = "semgrep"
SECRET = "$SECRET"  # noqa: S105 - a metavariable's name
WEAKNESS = "weakness"
KINDS = frozenset({"secret", "private-key", "public-key", WEAKNESS})
CUT = "{}"
LEAST_MATCHES = 2

# Paths are matched by us, on members' own paths: Semgrep sees staged names only. Metadata would be
# repeated in each of its results, a fix is never wanted.
_OURS = frozenset({"metadata", "paths", "message", "id", "fix", "fix-regex", "severity"})
_SECRET_NAMED = re.compile(r"\$SECRET(?![A-Z0-9_])")


class Sample(Struct, frozen=True):
    """A text that proves a structural rule, in one of the rule's languages."""

    text: str
    language: str
    secret: str = ""


class StructuralRule(Struct, frozen=True, kw_only=True):
    """One structural rule with what its metadata says; ``source`` is as it was written."""

    id: str
    file: str
    message: str
    severity: Severity
    languages: tuple[str, ...]
    kind: str
    confidence: Confidence
    provider: str
    description: str
    references: tuple[str, ...]
    advice: str
    placeholders: bool
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    names_secret: bool
    match: tuple[Sample, ...]
    ignore: tuple[Sample, ...]
    source: dict[str, Any]


def bundled() -> str:
    """The folder of the structural rules that come with leakmon."""
    return os.path.join(bundled_rules_folder(), FOLDER)


def load(folders: Sequence[str]) -> list[StructuralRule]:
    """The structural rules of the folders, in the order of their paths. RuleError if one is bad."""
    rule_set, problems = load_leniently(read_files(folders))
    if problems:
        raise RuleError(str(problems[0]))
    return [structural(each) for each in rule_set.structural]


def document(rules: Sequence[StructuralRule]) -> str:
    """The rules as Semgrep is given them: named by number, their secret as the message."""
    written = []
    for number, rule in enumerate(rules):
        source = {key: value for key, value in rule.source.items() if key not in _OURS}
        said = {"id": f"r{number}", "severity": "ERROR", "message": message_of(rule)}
        written.append(source | said)
    return json.dumps({"rules": written})


def message_of(rule: StructuralRule) -> str:
    """Semgrep fills metavariables into messages, and shows their values nowhere else."""
    return SECRET if rule.names_secret else "-"


def shortcomings(rule: StructuralRule) -> Iterator[str]:
    """What a rule of ours must say, beyond what loading asks."""
    if not rule.description:
        yield "metadata.description: is missing"
    for address in rule.references or ("",):
        if not address.startswith("https://"):
            yield f"metadata.references: {address!r} is not an https:// address"
    if not rule.advice:
        yield "metadata.revoke or metadata.advice: is missing"
    kind = (rule.source.get("metadata") or {}).get("kind")
    if kind not in KINDS:
        yield f"metadata.kind: {kind!r} is none of {' '.join(sorted(KINDS))}"
    if (rule.kind != WEAKNESS) != rule.names_secret:
        yield f"metadata.kind: {rule.kind} and a pattern with {SECRET} belong together"
    for language in sorted({each.language for each in rule.match} ^ {*_distinct(rule.languages)}):
        yield f"metadata.examples.match: {language} must be both a language and an example's"
    if len(rule.match) < LEAST_MATCHES:
        yield f"metadata.examples.match: at least {LEAST_MATCHES} are needed"
    if not rule.ignore:
        yield "metadata.examples.ignore: at least 1 is needed"


def _distinct(names: Iterable[str]) -> set[str]:
    """Languages to show an example of: TypeScript is JavaScript, for most rules."""
    return {name for name in names if not (name == "typescript" and "javascript" in names)}


def structural(written: Structural) -> StructuralRule:
    """A rule as it was loaded, with what its metadata says. RuleError if that is nonsense."""
    source = written.source
    where = f"{written.file}: {written.id}"
    severity = SEVERITIES.get(str(source.get("severity")))
    if severity is None:
        raise RuleError(f"{where}: severity: {source.get('severity')!r} is not a severity")
    names = tuple(str(each) for each in source["languages"])
    for name in names:
        if name.lower() not in languages.ENDINGS and name.lower() not in {"generic", "regex"}:
            raise RuleError(f"{where}: languages: Semgrep has no language {name!r}")
    about = source.get("metadata")
    about = about if isinstance(about, dict) else {}
    patterns = {key: value for key, value in source.items() if key not in _OURS}
    names_secret = bool(_SECRET_NAMED.search(json.dumps(patterns, default=str)))
    paths = source.get("paths")
    paths = paths if isinstance(paths, dict) else {}
    return StructuralRule(
        id=written.id,
        file=written.file,
        message=" ".join(str(source.get("message", written.id)).split()),
        severity=severity,
        languages=names,
        kind=_word(about, "kind") or ("secret" if names_secret else WEAKNESS),
        confidence=_confidence(about),
        provider=_word(about, "provider") or "generic",
        description=" ".join(_word(about, "description").split()),
        references=_words(about.get("references")),
        advice=" ".join((_word(about, "revoke") or _word(about, "advice")).split()),
        placeholders=about.get("placeholders") is not False,
        include=_words(paths.get("include")),
        exclude=_words(paths.get("exclude")),
        names_secret=names_secret,
        match=_samples(about, "match", names, where),
        ignore=_samples(about, "ignore", names, where),
        source=source,
    )


def _word(about: dict[str, Any], key: str) -> str:
    value = about.get(key)
    return value if isinstance(value, str) else ""


def _words(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str))


def _confidence(about: dict[str, Any]) -> Confidence:
    try:
        return Confidence(_word(about, "confidence").lower())
    except ValueError:
        return Confidence.MEDIUM


def _samples(
    about: dict[str, Any], key: str, names: tuple[str, ...], where: str
) -> tuple[Sample, ...]:
    """Examples: a text in the rule's first language, or ``{text, language, secret}``."""
    examples = about.get("examples")
    items = examples.get(key) if isinstance(examples, dict) else None
    found = []
    for item in items or ():
        given = {"text": item} if isinstance(item, str) else item
        if not isinstance(given, dict) or not isinstance(given.get("text"), str):
            raise RuleError(f"{where}: metadata.examples.{key}: a text is missing")
        language = str(given.get("language", names[0]))
        if language not in names:
            raise RuleError(f"{where}: metadata.examples.{key}: {language!r} is not its language")
        secret = str(given.get("secret", "")).replace(CUT, "")
        found.append(Sample(given["text"].replace(CUT, ""), language, secret))
    return tuple(found)
