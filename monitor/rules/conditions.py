"""What must hold of a metavariable: ``metavariable-regex``, ``-comparison`` and ``-analysis``.

Comparisons are a small part of Python, read with ``ast`` and walked here, never run: names of
metavariables, literals, ``int(...)``, ``str(...)``, ``re.match(PATTERN, ...)``, comparisons,
``and``, ``or`` and ``not``. As in Semgrep's regex mode a metavariable's value is a text.
"""

from __future__ import annotations

import ast
import operator
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from monitor.errors import RuleError
from monitor.rules.dialect import to_python
from monitor.rules.entropy import looks_random

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.rules.model import Condition

_OPERATORS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_METAVARIABLE = re.compile(r"\$([A-Z_][A-Z0-9_]*)")
_PREFIX = "metavariable_"


def holds(condition: Condition, values: Mapping[str, bytes]) -> bool:
    """Whether the condition holds; it does not where its metavariable is unbound."""
    if condition.kind != "comparison":
        value = values.get(condition.metavariable)
        if value is None or condition.kind == "entropy":
            return value is not None and looks_random(value)
        return bool(_expression(condition.argument).match(value))
    texts = {name: text.decode("utf-8", "replace") for name, text in values.items()}
    try:
        return bool(_evaluate(comparison(condition.argument), texts))
    except (ValueError, TypeError, KeyError):  # "12x" as an int, a text against a number
        return False


@lru_cache(maxsize=512)
def _expression(pattern: str) -> re.Pattern[bytes]:
    return re.compile(to_python(pattern).encode(), re.MULTILINE)


@lru_cache(maxsize=512)
def comparison(source: str) -> ast.expr:
    """The parsed comparison; RuleError for anything beyond the part of Python described above."""
    try:
        tree = ast.parse(_METAVARIABLE.sub(rf"{_PREFIX}\1", source), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RuleError(f"comparison {source!r}: {error}") from error
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise RuleError(f"comparison {source!r}: {type(node).__name__} is not supported")
        if isinstance(node, ast.Call) and (len(node.args), _name(node.func)) not in _CALLS:
            raise RuleError(f"comparison {source!r}: {ast.unparse(node)} is not supported")
    return tree


_CALLS = {(1, "int"), (1, "str"), (2, "re.match")}
_ALLOWED = (
    ast.Compare, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Name, ast.Load,
    ast.Constant, ast.Call, ast.Attribute, *_OPERATORS,
)  # fmt: skip


def _name(node: ast.expr) -> str:
    return ast.unparse(node)


def _evaluate(  # noqa: PLR0911 - one return per kind of node is the clearest table
    node: ast.expr, texts: Mapping[str, str]
) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return texts[name.removeprefix(_PREFIX)]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _evaluate(operand, texts)
        case ast.UnaryOp(operand=operand):
            return -_evaluate(operand, texts)
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_evaluate(value, texts) for value in values)
        case ast.BoolOp(values=values):
            return any(_evaluate(value, texts) for value in values)
        case ast.Call(func=func, args=args):
            return _call(_name(func), [_evaluate(argument, texts) for argument in args])
        case ast.Compare(left=left, ops=ops, comparators=rights):
            sides = [_evaluate(side, texts) for side in (left, *rights)]
            pairs = zip(sides, ops, sides[1:], strict=False)
            return all(_OPERATORS[type(op)](one, other) for one, op, other in pairs)
    raise TypeError(node)


def _call(name: str, arguments: list[Any]) -> Any:
    if name == "int":
        return int(str(arguments[0]), 0)
    if name == "str":
        return str(arguments[0])
    return bool(re.match(str(arguments[0]), str(arguments[1])))
