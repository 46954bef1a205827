"""Gitleaks' TOML (https://github.com/gitleaks/gitleaks#configuration) -> our rules.

Carried over: id, description, regex, secretGroup, entropy, tags, and allow lists of expressions on
the secret or the match and of stop words. Keywords are a prefilter of Gitleaks' own and not needed.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from monitor.errors import RuleError
from monitor.rules.importers import groups, identifier, with_secret, without, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.rules.importers import Imported

_REFERENCE = "https://github.com/gitleaks/gitleaks#configuration"
_KEYS = {
    "id", "description", "regex", "secretGroup", "entropy", "keywords", "tags", "path",
    "allowlist", "allowlists",
}  # fmt: skip


def import_gitleaks(content: bytes) -> Imported:
    """The rules of a Gitleaks configuration. RuleError if it is not TOML of that form."""
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(f"is not TOML: {error}") from error
    sources = document.get("rules", [])
    if not isinstance(sources, list):
        raise RuleError("rules: must be a list of tables")
    left_out = [f"{key}: is not carried over" for key in document if key not in {"rules", "title"}]
    rules = []
    for source in sources:
        name = identifier(str(source.get("id", "")))
        try:
            rules.append(_rule(name, source, left_out))
        except RuleError as error:
            left_out.append(f"{name}: {error}")
    return written(rules, left_out)


def _rule(name: str, source: dict[str, Any], left_out: list[str]) -> dict[str, Any]:
    left_out += [f"{name}: {key}: is not carried over" for key in source if key not in _KEYS]
    regex = source.get("regex")
    if not isinstance(regex, str):
        raise RuleError("has no regex: rules on paths alone are not carried over")
    if "path" in source:
        left_out.append(f"{name}: path: an expression on paths is not carried over")
    group = source.get("secretGroup") or (1 if groups(regex) else 0)
    description = str(source.get("description") or name)
    metadata: dict[str, Any] = {
        "kind": "secret",
        "confidence": "medium",
        "description": description,
        "references": [_REFERENCE],
        "tags": [str(tag) for tag in source.get("tags", [])],
    }
    if source.get("entropy"):
        metadata["entropy"] = float(source["entropy"])
    rule: dict[str, Any] = {
        "id": name,
        "languages": ["regex"],
        "severity": "HIGH",
        "message": description,
    }
    patterns: list[dict[str, Any]] = [{"pattern-regex": with_secret(regex, group)}]
    for allowed in [source.get("allowlist") or {}, *source.get("allowlists", [])]:
        patterns += _allowed(name, allowed, left_out)
    rule |= patterns[0] if len(patterns) == 1 else {"patterns": patterns}
    return rule | {"metadata": metadata}


def _allowed(name: str, source: dict[str, Any], left_out: list[str]) -> Iterator[dict[str, Any]]:
    """What an allow list takes away, as patterns."""
    if str(source.get("condition", "OR")).upper() not in {"OR", "||"}:
        left_out.append(f"{name}: allowlist: the condition AND is not carried over")
        return
    left_out += [
        f"{name}: allowlist.{key}: is not carried over"
        for key in source
        if key not in {"description", "condition", "regexes", "regexTarget", "stopwords"}
    ]
    expressions = [str(one) for one in source.get("regexes", [])]
    target = source.get("regexTarget", "secret")
    if expressions and target == "match":
        yield from ({"pattern-not-regex": one} for one in expressions)
    elif expressions and target in {"secret", ""}:
        yield _condition(without(expressions))
    elif expressions:
        left_out.append(f"{name}: allowlist.regexes on the {target} are not carried over")
    words = [re.escape(str(word)) for word in source.get("stopwords", [])]
    if words:
        yield _condition(f"(?i){without(words)}")


def _condition(regex: str) -> dict[str, Any]:
    return {"metavariable-regex": {"metavariable": "$SECRET", "regex": regex}}
