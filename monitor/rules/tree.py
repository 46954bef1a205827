"""The pattern keys of a rule -> branches in normal form (an or of ands).

What Semgrep does with them was established by experiment and is held by a differential test; see
``rules/README.md``.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Any, NamedTuple

from monitor.errors import RuleError
from monitor.rules.conditions import comparison
from monitor.rules.confirm import engine
from monitor.rules.dialect import to_python
from monitor.rules.model import Branch, Condition, Expression
from monitor.rules.translate import translate

PATTERN_KEYS = frozenset({"pattern-regex", "pattern-either", "patterns"})
MAX_BRANCHES = 256
"""How many alternatives a rule may have in normal form."""

_METAVARIABLE = re.compile(r"\$([A-Z_][A-Z0-9_]*)\Z")


class _Part(NamedTuple):
    """A branch in the making: it may still lack an expression."""

    expressions: tuple[Expression, ...] = ()
    excluded: tuple[Expression, ...] = ()
    conditions: tuple[Condition, ...] = ()
    focus: tuple[str, ...] = ()


def branches_of(source: dict[str, Any]) -> tuple[Branch, ...]:
    """The branches of a rule as it is written; RuleError names the key."""
    keys = [key for key in source if key in PATTERN_KEYS]
    if len(keys) != 1:
        raise RuleError("needs exactly one of pattern-regex, pattern-either and patterns")
    branches = []
    for part in _parts(keys[0], source[keys[0]], keys[0]):
        if not part.expressions:
            raise RuleError(f"{keys[0]}: needs a pattern-regex that says what to find")
        if len(set(part.focus)) > 1:
            raise RuleError("focus-metavariable: only one metavariable can be in focus")
        focus = part.focus[0] if part.focus else ""
        branches.append(Branch(part.expressions, part.excluded, part.conditions, focus))
    if len(branches) > MAX_BRANCHES:
        raise RuleError(f"{keys[0]}: comes to {len(branches)} alternatives; {MAX_BRANCHES} at most")
    return tuple(dict.fromkeys(branches))


def _parts(key: str, value: Any, where: str) -> list[_Part]:
    """The alternatives that one key stands for."""
    if key == "pattern-regex":
        return [_Part(expressions=(_expression(value, where),))]
    if key == "pattern-not-regex":
        return [_Part(excluded=(_expression(value, where),))]
    if key == "pattern-either":
        return [part for k, v, w in _items(value, where) for part in _parts(k, v, w)]
    if key == "patterns":
        return _all_of([_parts(k, v, w) for k, v, w in _items(value, where)], where)
    if key == "focus-metavariable":
        return [_Part(focus=(_metavariable(value, where),))]
    return [_Part(conditions=(_condition(key, value, where),))]


def _all_of(sides: list[list[_Part]], where: str) -> list[_Part]:
    count = 1
    for side in sides:
        count *= len(side)
    if count > MAX_BRANCHES:
        raise RuleError(f"{where}: comes to {count} alternatives; {MAX_BRANCHES} at most")
    return [
        _Part(
            *(
                tuple(dict.fromkeys(item for one in ones for item in one))
                for ones in zip(*chosen, strict=True)
            )
        )
        for chosen in product(*sides)
    ]


def _items(value: Any, where: str) -> list[tuple[str, Any, str]]:
    if not isinstance(value, list) or not value:
        raise RuleError(f"{where}: must be a list of patterns")
    items = []
    for index, item in enumerate(value):
        if not isinstance(item, dict) or len(item) != 1:
            raise RuleError(f"{where}[{index}]: must be a mapping with one key")
        [(key, inner)] = item.items()
        items.append((key, inner, f"{where}[{index}].{key}"))
    return items


def _expression(value: Any, where: str) -> Expression:
    if not isinstance(value, str):
        raise RuleError(f"{where}: must be a text")
    try:
        expression = translate(value)
        engine(expression.pattern)
    except RuleError as error:
        raise RuleError(f"{where}: {error}") from error
    except (
        re.error,
        ValueError,
    ) as error:  # what "regex" raises is one of these or a class of its own
        raise RuleError(
            f"{where}: is not a regular expression that can be used: {error}"
        ) from error
    except Exception as error:
        if type(error).__module__.startswith("regex"):
            raise RuleError(f"{where}: {error}") from error
        raise
    return expression


def _metavariable(value: Any, where: str) -> str:
    found = _METAVARIABLE.match(value) if isinstance(value, str) else None
    if found is None:
        raise RuleError(f"{where}: {value!r} is not a metavariable such as $SECRET")
    return found[1]


def _condition(key: str, value: Any, where: str) -> Condition:
    allowed = {
        "metavariable-regex": {"metavariable", "regex"},
        "metavariable-comparison": {"metavariable", "comparison"},
        "metavariable-analysis": {"metavariable", "analyzer"},
    }.get(key)
    if allowed is None:
        raise RuleError(f"{where}: {key} is not supported in a rule of regular expressions")
    if not isinstance(value, dict):
        raise RuleError(f"{where}: must be a mapping")
    for inner in value:
        if inner not in allowed:
            raise RuleError(f"{where}.{inner}: is not a key of {key}")
    argument = value.get("regex", value.get("comparison", value.get("analyzer")))
    if not isinstance(argument, str):
        raise RuleError(f"{where}: needs {' and '.join(sorted(allowed))}")
    if key == "metavariable-comparison":
        comparison(argument)
        name = _metavariable(value.get("metavariable", "$_"), where)
        return Condition("comparison", name, argument)
    name = _metavariable(value.get("metavariable"), f"{where}.metavariable")
    if key == "metavariable-regex":
        try:
            re.compile(to_python(argument).encode())
        except re.error as error:
            raise RuleError(f"{where}.regex: {error}") from error
        return Condition("regex", name, argument)
    if argument != "entropy":
        raise RuleError(f"{where}.analyzer: {argument!r} is not supported; entropy is")
    return Condition("entropy", name)
