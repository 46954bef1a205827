"""The ``metadata`` of a rule: what Semgrep ignores and leakmon lives on."""

from __future__ import annotations

import hashlib
from typing import Any

from monitor.errors import RuleError
from monitor.model import Confidence
from monitor.rules.checksums import CHECKS
from monitor.rules.looks import LOOKS
from monitor.rules.model import KINDS, Example, Metadata

CUT = "{}"
"""Stands inside every token of an example, so that no live-looking token is in git."""

FREE = frozenset(
    {"category", "technology", "cwe", "owasp", "subcategory", "likelihood", "impact", "license"}
    | {"source", "source-rule-url", "verify", "vulnerability_class", "cwe2021-top25"}
    | {"cwe2022-top25", "asvs", "bandit-code", "author", "secret_type", "product"}
)
"""Keys that are Semgrep's convention, or for people only."""

_KEYS = FREE | {
    "kind", "confidence", "provider", "description", "references", "revoke", "checksum", "entropy",
    "looks",    "generic", "placeholders", "known_examples", "tags", "examples",
}  # fmt: skip


def metadata_of(source: Any) -> Metadata:
    """The metadata as it is written; RuleError names the key."""
    if not isinstance(source, dict):
        raise RuleError("metadata: must be a mapping")
    for key in source:
        if key not in _KEYS:
            raise RuleError(f"metadata.{key}: is not a key of metadata")
    examples = source.get("examples") or {}
    if not isinstance(examples, dict):
        raise RuleError("metadata.examples: must be a mapping")
    for key in examples:
        if key not in {"match", "ignore"}:
            raise RuleError(f"metadata.examples.{key}: is not a key of examples")
    return Metadata(
        kind=_one_of(source, "kind", KINDS, "secret"),
        confidence=Confidence(_one_of(source, "confidence", _CONFIDENCES, "medium")),
        provider=_text(source, "provider") or "generic",
        description=" ".join(_text(source, "description").split()),
        references=_texts(source, "references"),
        revoke=" ".join(_text(source, "revoke").split()),
        checksum=_one_of(source, "checksum", tuple(CHECKS), ""),
        entropy=_number(source, "entropy"),
        looks=_one_of(source, "looks", tuple(LOOKS), ""),
        generic=_flag(source, "generic", is_on=False),
        placeholders=_flag(source, "placeholders", is_on=True),
        known_examples=tuple(
            hashlib.sha256(text.replace(CUT, "").encode()).hexdigest()
            for text in _texts(source, "known_examples")
        ),
        tags=_texts(source, "tags"),
        match=_examples(examples, "match"),
        ignore=_examples(examples, "ignore"),
    )


_CONFIDENCES = tuple(confidence.value for confidence in Confidence)


def _text(source: dict[str, Any], key: str) -> str:
    value = source.get(key, "")
    if not isinstance(value, str):
        raise RuleError(f"metadata.{key}: must be a text")
    return value


def _texts(source: dict[str, Any], key: str) -> tuple[str, ...]:
    value = source.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RuleError(f"metadata.{key}: must be a list of texts")
    return tuple(value)


def _one_of(source: dict[str, Any], key: str, allowed: tuple[str, ...], default: str) -> str:
    value = _text(source, key).lower() or default
    if value != default and value not in allowed:
        raise RuleError(f"metadata.{key}: {value!r} is none of {' '.join(allowed)}")
    return value


def _number(source: dict[str, Any], key: str) -> float:
    value = source.get(key, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 8:  # noqa: PLR2004 - bits in a byte
        raise RuleError(f"metadata.{key}: must be a number of bits per byte")
    return float(value)


def _flag(source: dict[str, Any], key: str, *, is_on: bool) -> bool:
    value = source.get(key, is_on)
    if not isinstance(value, bool):
        raise RuleError(f"metadata.{key}: must be true or false")
    return value


def _examples(source: dict[str, Any], key: str) -> tuple[Example, ...]:
    items = source.get(key) or []
    if not isinstance(items, list):
        raise RuleError(f"metadata.examples.{key}: must be a list")
    return tuple(_example(item, f"metadata.examples.{key}[{at}]") for at, item in enumerate(items))


def _example(item: Any, where: str) -> Example:
    if isinstance(item, str):
        return Example(item.replace(CUT, ""))
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        raise RuleError(f"{where}: must be a text or a mapping with a text")
    for key, value in item.items():
        if key not in {"text", "path", "secret"} or not isinstance(value, str):
            raise RuleError(f"{where}.{key}: is not a key of an example, or not a text")
    return Example(
        text=item["text"].replace(CUT, ""),
        path=item.get("path", ""),
        secret=item.get("secret", "").replace(CUT, ""),
    )
