"""Rules: loaded from Semgrep YAML, proven by their examples, compiled for the matcher.

``compiled(folders, cache_folder)`` gives the ready ``Matcher``; on a warm start it imports neither
yaml nor the translator. ``load(folders)`` gives the rules themselves, ``check(folders)`` what is
wrong with them. The format is described in ``rules/README.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitor.rules.model import Match, Problem, Rule, RuleSet

if TYPE_CHECKING:
    from monitor.rules.cache import bundled_rules_folder, compiled
    from monitor.rules.examples import check
    from monitor.rules.loader import load
    from monitor.rules.matcher import Matcher

__all__ = [
    "Match",
    "Matcher",
    "Problem",
    "Rule",
    "RuleSet",
    "bundled_rules_folder",
    "check",
    "compiled",
    "load",
]

_HOMES = {
    "Matcher": "matcher",
    "bundled_rules_folder": "cache",
    "check": "examples",
    "compiled": "cache",
    "load": "loader",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(name)
    import importlib

    return getattr(importlib.import_module(f"monitor.rules.{home}"), name)
