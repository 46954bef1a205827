"""Kingfisher's YAML (https://github.com/mongodb/kingfisher/blob/main/docs/RULES.md) -> our rules.

Carried over: name, id, pattern, min_entropy, confidence, examples, references and the counts and
words of pattern_requirements. Validation, revocation and dependencies are not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from monitor.errors import RuleError
from monitor.rules.importers import cut, groups, identifier, with_secret, without, written

if TYPE_CHECKING:
    from monitor.rules.importers import Imported

_TOKEN = "TOKEN"  # noqa: S105 - the name of the group that holds the secret
_KEYS = {
    "name", "id", "pattern", "min_entropy", "confidence", "examples", "references",
    "pattern_requirements", "visible", "negative_examples",
}  # fmt: skip
_COUNTS = {"min_digits": "0-9", "min_uppercase": "A-Z", "min_lowercase": "a-z"}
_SPECIAL = "!@#$%^&*()_+-=[]{}|;:'\",.<>?/\\`~"


def import_kingfisher(content: bytes) -> Imported:
    """The rules of a Kingfisher rule file. RuleError if it is not YAML of that form."""
    try:
        document = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RuleError(f"is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or not isinstance(document.get("rules"), list):
        raise RuleError("rules: must be a list")
    left_out: list[str] = []
    rules = []
    for source in document["rules"]:
        if not isinstance(source, dict):
            left_out.append("a rule that is not a mapping")
            continue
        name = identifier(str(source.get("id", "")))
        try:
            rules.append(_rule(name, source, left_out))
        except RuleError as error:
            left_out.append(f"{name}: {error}")
    return written(rules, left_out)


def _rule(name: str, source: dict[str, Any], left_out: list[str]) -> dict[str, Any]:
    if source.get("visible") is False:
        raise RuleError("is there for other rules only (visible: false)")
    left_out += [f"{name}: {key}: is not carried over" for key in source if key not in _KEYS]
    pattern = source.get("pattern")
    if not isinstance(pattern, str):
        raise RuleError("has no pattern")
    names = groups(pattern)
    group: int | str = _TOKEN if _TOKEN in names else 1 if names else 0
    expression = with_secret(pattern.strip(), group)
    patterns: list[dict[str, Any]] = [{"pattern-regex": expression}]
    patterns += _required(name, source.get("pattern_requirements") or {}, left_out)
    title = str(source.get("name") or name)
    metadata: dict[str, Any] = {
        "kind": "secret",
        "confidence": str(source.get("confidence", "medium")).lower(),
        "description": title,
        "references": [str(one) for one in source.get("references") or []],
        "examples": {
            "match": [cut(str(one), expression) for one in source.get("examples") or []],
            "ignore": [str(one) for one in source.get("negative_examples") or []],
        },
    }
    if source.get("min_entropy"):
        metadata["entropy"] = float(source["min_entropy"])
    rule: dict[str, Any] = {
        "id": name,
        "languages": ["regex"],
        "severity": "HIGH",
        "message": f"{title} found.",
    }
    rule |= patterns[0] if len(patterns) == 1 else {"patterns": patterns}
    return rule | {"metadata": metadata}


def _required(name: str, source: dict[str, Any], left_out: list[str]) -> list[dict[str, Any]]:
    """Least counts of kinds of characters and words that must not occur, as conditions."""
    conditions = []
    for key, value in source.items():
        if key in _COUNTS:
            conditions.append(_at_least(int(value), _COUNTS[key]))
        elif key == "min_special_chars":
            special = re.escape(str(source.get("special_chars") or _SPECIAL))
            conditions.append(_at_least(int(value), special))
        elif key == "ignore_if_contains":
            conditions.append(f"(?i){without(re.escape(str(word)) for word in value)}")
        elif key != "special_chars":
            left_out.append(f"{name}: pattern_requirements.{key}: is not carried over")
    return [{"metavariable-regex": {"metavariable": "$SECRET", "regex": one}} for one in conditions]


def _at_least(count: int, kind: str) -> str:
    return f"(?=(?:[^{kind}]*[{kind}]){{{count}}})"
