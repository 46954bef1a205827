"""The JSON Schema (draft 2020-12) of ``leakmon/scan/1``: closed objects, optional keys absent.

``scan_schema`` describes the JSON report, ``line_schema`` one line of the JSON Lines report.
"""

from __future__ import annotations

from typing import Any

from monitor.model import Confidence, PostureValue, Severity, Status
from monitor.report.wire import SCHEMA

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_text = {"type": "string"}
_texts = {"type": "array", "items": _text}
_natural = {"type": "integer", "minimum": 0}
_severity = {"enum": [severity.value for severity in Severity]}
_found = [severity.value for severity in Severity if severity is not Severity.NONE]


def _closed(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object with these keys and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


_SECRET = _closed(
    {"redacted": _text, "fingerprint": _text},
    {"checksum": {"enum": ["valid", "invalid"]}, "value": _text},
)
_FINDING_KEYS = {
    "rule": _text,
    "detector": _text,
    "kind": _text,
    "severity": _severity,
    "confidence": {"enum": [confidence.value for confidence in Confidence]},
    "message": _text,
    "path": _text,
    "line": _natural,
    "column": _natural,
    "end_line": _natural,
    "end_column": _natural,
    "byte_offset": _natural,
    "decoded": _texts,
    "references": _texts,
    "fingerprint": _text,
}
_FINDING_OPTIONS = {
    "secret": {"$ref": "#/$defs/secret"},
    "evidence": {"type": "object", "description": "What the detector measured; its keys are free."},
    "advice": _text,
}
_HIDDEN_KEYS = {
    "rule": _text,
    "severity": _severity,
    "path": _text,
    "fingerprint": _text,
    "by": {"enum": ["baseline", "ignore", "inline"]},
    "explanation": _text,
}
_HIDDEN_OPTIONS = {
    "evidence": {"type": "object", "description": "What tells this leak from a larger one."},
}
_IDENTITY = {"target": _text}
_IDENTITY_OPTIONS = {
    "purl": _text,
    "filename": _text,
    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
}
_FORGE = ("issuer", "repository", "repository_id", "owner_id")
_PROVENANCE = {
    **_closed(
        {"state": {"enum": ["verified", "invalid", "unverifiable"]}},
        {
            "reason": _text,
            "detail": _text,
            "builder": _closed(
                {"kind": {"enum": ["github", "gitlab", "other"]}},
                dict.fromkeys(
                    [*_FORGE, "workflow", "ref", "commit"],
                    _text,
                ),
            ),
        },
    ),
    "description": "What became of the attestations that the registry announces; the builder is "
    "told only of a verified one, from its certificate.",
}
_TARGET_OPTIONS = {**_IDENTITY_OPTIONS, "provenance": _PROVENANCE}
_TARGET_KEYS = {
    **_IDENTITY,
    "bytes": _natural,
    "members": _natural,
    "inspected_bytes": _natural,
    "status": {"enum": [status.value for status in Status]},
    "skipped": {
        "type": "array",
        "items": _closed({"path": _text, "reason": _text}, {"detail": _text}),
    },
    "posture": _closed(
        {"value": {"enum": [value.value for value in PostureValue]}, "evidence": _texts}
    ),
    "verdict": _closed({"severity": _severity, "summary": _text, "reasons": _texts}),
}
_TOOL = _closed({"name": {"const": "leakmon"}, "version": _text, "rules_digest": _text})
_SUMMARY_KEYS = {
    "severities": _closed(dict.fromkeys(_found, _natural), {"none": _natural}),
    "seconds": {"type": "number", "minimum": 0},
    "bytes": _natural,
}
_SUMMARY_OPTIONS = {
    "hidden": {
        **_closed({}, dict.fromkeys(["baseline", "ignore", "inline", "min-severity"], _natural)),
        "description": "How many findings this report leaves out, by what hides them.",
    },
    "notes": _texts,
}


def scan_schema() -> dict[str, Any]:
    """The schema of the JSON report, as ``leakmon schema scan`` prints it."""
    return {
        "$schema": _DIALECT,
        "$id": f"urn:{SCHEMA.replace('/', ':')}",
        "title": "leakmon scan report",
        **_closed(
            {
                "schema": {"const": SCHEMA},
                "tool": _TOOL,
                "targets": {"type": "array", "items": {"$ref": "#/$defs/target"}},
                "summary": _closed(_SUMMARY_KEYS, _SUMMARY_OPTIONS),
            }
        ),
        "$defs": {
            "target": _closed(
                {
                    **_TARGET_KEYS,
                    "findings": {"type": "array", "items": {"$ref": "#/$defs/finding"}},
                },
                {
                    **_TARGET_OPTIONS,
                    "hidden": {"type": "array", "items": {"$ref": "#/$defs/hidden"}},
                },
            ),
            "finding": _closed(_FINDING_KEYS, _FINDING_OPTIONS),
            "hidden": _closed(_HIDDEN_KEYS, _HIDDEN_OPTIONS),
            "secret": _SECRET,
        },
    }


def line_schema() -> dict[str, Any]:
    """The schema of one line of the JSON Lines report."""
    head = {"schema": {"const": SCHEMA}}
    kinds = {
        "target": _closed({**head, **_TARGET_KEYS}, _TARGET_OPTIONS),
        "finding": _closed({**_IDENTITY, **_FINDING_KEYS}, _IDENTITY_OPTIONS | _FINDING_OPTIONS),
        "hidden": _closed({**_IDENTITY, **_HIDDEN_KEYS}, {**_IDENTITY_OPTIONS, **_HIDDEN_OPTIONS}),
        "summary": _closed({**head, "tool": _TOOL, **_SUMMARY_KEYS}, _SUMMARY_OPTIONS),
    }
    for kind, schema in kinds.items():
        schema["properties"] = {"type": {"const": kind}, **schema["properties"]}
        schema["required"] = ["type", *schema["required"]]
    return {
        "$schema": _DIALECT,
        "$id": f"urn:{SCHEMA.replace('/', ':')}:line",
        "title": "One line of a leakmon scan report in JSON Lines",
        "oneOf": list(kinds.values()),
        "$defs": {"secret": _SECRET},
    }
