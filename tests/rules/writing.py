"""Small rules for tests, written as a rule author writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from monitor.rules.cache import matcher_of
from monitor.rules.loader import load

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.rules import Matcher


def rule(pattern: str | None = None, /, **keys: Any) -> dict[str, Any]:
    """A rule with defaults for what it must have; ``metadata`` is added to the default's."""
    written: dict[str, Any] = {
        "id": "acme",
        "languages": ["regex"],
        "severity": "HIGH",
        "message": "An Acme token.",
    }
    if pattern is not None:
        written["pattern-regex"] = pattern
    return written | {key.replace("_", "-"): value for key, value in keys.items()}


def write(folder: Path, *rules: dict[str, Any]) -> Path:
    """A folder with one file of rules."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yaml").write_text(yaml.safe_dump({"rules": list(rules)}))
    return folder


def matcher(folder: Path, *rules: dict[str, Any]) -> Matcher:
    """A matcher of these rules."""
    return matcher_of(load([str(write(folder, *rules))]).rules)
