"""Baselines and ignore files, both the operator's own.

A **baseline** is an earlier JSON or JSON Lines report of ours, or a plain list of fingerprints of
findings. An **ignore file** is TOML::

    [[ignore]]
    fingerprint = "5f2c..."       # of a finding, or of a secret's value
    content = "09ab..."           # optional: only this content of the file (evidence.content)
    reason = "revoked in May"     # mandatory
    expires = 2027-03-31          # optional: the last day on which it holds

    [[ignore]]
    rule = "dot-env-file"         # a rule and where: `*` stays in one folder, `**` does not
    path = "package/examples/**"
    reason = "placeholders only"
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from monitor.errors import ConfigError
from monitor.suppress import FINGERPRINT, Baseline, Ignore, extent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.suppress.extent import Extent

_fingerprint = re.compile(FINGERPRINT)
_keys = ("fingerprint", "rule", "path", "content", "reason", "expires")
_schema = "leakmon/scan/1"


def read_baseline(path: str) -> Baseline:
    """The baseline in this file; ConfigError if it cannot be read or is none."""
    return parse_baseline(_read(path), path)


def parse_baseline(text: str, name: str) -> Baseline:
    """Fingerprints from a JSON report, a JSON Lines report or a list with ``#`` comments.

    From a report come its findings and those which a baseline had hidden from it, so writing the
    latest report over the baseline forgets nothing. A report also says how much was known.
    """
    if text.lstrip().startswith("{"):
        extents: dict[str, list[Extent]] = {}
        for fingerprint, known in _from_report(text, name):
            extents.setdefault(fingerprint, []).append(known)
        return Baseline(name, frozenset(extents), extents)
    found: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        word = line.split("#", 1)[0].strip()
        if word and not _fingerprint.fullmatch(word):
            raise ConfigError(f"{name}: line {number}: {word[:40]!r} is not a fingerprint")
        if word:
            found.add(word)
    return Baseline(name, frozenset(found))


def _from_report(text: str, name: str) -> Iterator[tuple[str, Extent]]:
    """What a JSON report knows, or JSON Lines if the text is not one document."""
    import json

    try:
        documents = [json.loads(text)]
    except ValueError:
        try:
            documents = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise ConfigError(f"{name}: neither a report nor a list: {error}") from error
    if not _is_ours(documents[0]):
        raise ConfigError(f"{name}: schema: not a {_schema} report")
    try:
        for document in documents:
            yield from _of_document(document)
    except (TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{name}: not a well-formed {_schema} report") from error


def _is_ours(document: Any) -> bool:
    return isinstance(document, dict) and document.get("schema") == _schema


def _of_document(document: dict[str, Any]) -> Iterator[tuple[str, Extent]]:
    kind = document.get("type")
    if kind == "finding" or (kind == "hidden" and document["by"] == "baseline"):
        yield _known(document)
    for target in document.get("targets", []):
        for finding in target.get("findings", []):
            yield _known(finding)
        for hidden in target.get("hidden", []):
            if hidden["by"] == "baseline":
                yield _known(hidden)


def _known(finding: dict[str, Any]) -> tuple[str, Extent]:
    fingerprint, evidence = finding["fingerprint"], finding.get("evidence", {})
    if not isinstance(fingerprint, str) or not isinstance(evidence, dict):
        raise TypeError("a fingerprint is a string, evidence an object")
    return fingerprint, extent.of(evidence)


def read_ignores(path: str) -> tuple[Ignore, ...]:
    """The ignores in this file; ConfigError names the file and the key that is wrong."""
    return parse_ignores(_read(path), path)


def parse_ignores(text: str, name: str) -> tuple[Ignore, ...]:
    """The ignores of a TOML text; see ``read_ignores``."""
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: {error}") from error
    for key in document:
        if key != "ignore":
            raise ConfigError(f"{name}: {key}: unknown key; the file holds [[ignore]] tables")
    entries = document.get("ignore", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigError(f"{name}: ignore: must be written as [[ignore]] tables")
    return tuple(_ignore(f"{name}: ignore[{i}]", entry) for i, entry in enumerate(entries, 1))


def _ignore(origin: str, entry: dict[str, Any]) -> Ignore:
    for key in entry:
        if key not in _keys:
            raise ConfigError(f"{origin}.{key}: unknown key; known are {', '.join(_keys)}")
    fingerprint = _text(origin, entry, "fingerprint")
    rule, path = _text(origin, entry, "rule"), _text(origin, entry, "path")
    if fingerprint and (rule or path):
        raise ConfigError(f"{origin}: take either fingerprint, or rule and path")
    if not fingerprint and not (rule and path):
        raise ConfigError(f'{origin}: needs fingerprint, or both rule and path (path = "**": all)')
    if fingerprint and not _fingerprint.fullmatch(fingerprint):
        raise ConfigError(f"{origin}.fingerprint: {fingerprint[:40]!r} is not a fingerprint")
    reason = _text(origin, entry, "reason").strip()
    if not reason:
        raise ConfigError(f"{origin}.reason: is mandatory: say why this may be ignored")
    return Ignore(
        origin=origin,
        reason=reason,
        fingerprint=fingerprint,
        rule=rule,
        path=path,
        content=_text(origin, entry, "content"),
        expires=_expiry(origin, entry.get("expires")),
    )


def _text(origin: str, entry: dict[str, Any], key: str) -> str:
    value = entry.get(key, "")
    if not isinstance(value, str):
        raise ConfigError(f"{origin}.{key}: must be a string")
    return value


def _expiry(origin: str, value: Any) -> date | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ConfigError(f"{origin}.expires: must be a date such as 2027-03-31") from None


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text") from error
