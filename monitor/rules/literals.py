"""The literals without which an expression cannot match, for probes of their encoded forms.

Only short sets are multiplied out (``gh[pousr]_``); letters whose case is left open are written in
lower case, in upper case and as the expression's first spelling has them, never mixed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from monitor.errors import RuleError
from monitor.rules.syntax import Choice, Repeat, Sequence, Set, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.rules.model import Rule
    from monitor.rules.syntax import Node

MOST = 24
"""How many literals one expression may be multiplied out to."""

Literals = frozenset[bytes]
_CASE_BIT = 0x20
_PAIR = 2
_MAX_LENGTH = 12
_MAX_SET = 8


def required(rules: Iterable[Rule], least: int) -> list[bytes]:
    """The literals of ``least`` bytes and more, one of which every match of a rule contains.

    A rule whose expressions have none is left out. In order, each once.
    """
    found: set[bytes] = set()
    for rule in rules:
        for branch in rule.branches:
            try:
                tree, _ = parse(branch.expressions[0].pattern)
            except RuleError:
                continue
            best = strongest(tree)
            if best and min(map(len, best)) >= least:
                found |= best
    return sorted(each for each in found if not any(o != each and o in each for o in found))


def strongest(node: Node) -> Literals:
    """The set of literals of a node whose shortest is longest; empty where there is none."""
    if isinstance(node, Set):
        return _spelled([node])
    if isinstance(node, Repeat):
        return strongest(node.body) if node.least else frozenset()
    if isinstance(node, Choice):
        parts = [strongest(item) for item in node.items]
        whole = frozenset().union(*parts)
        return whole if all(parts) and len(whole) <= MOST else frozenset()
    best: Literals = frozenset()
    for run in _runs(node):
        candidate = _spelled(run) if isinstance(run, list) else strongest(run)
        if _strength(candidate) > _strength(best):
            best = candidate
    return best


def _strength(literals: Literals) -> tuple[int, int]:
    return (min(map(len, literals), default=0), -len(literals))


def _runs(node: Sequence) -> Iterable[list[Set] | Node]:
    """Neighbouring sets that are narrow, and each other node."""
    run: list[Set] = []
    for item in _flat(node):
        if isinstance(item, Set) and item.mask.bit_count() <= _MAX_SET:
            run.append(item)
            continue
        if run:
            yield run
            run = []
        if not isinstance(item, Set):
            yield item
    if run:
        yield run


def _flat(node: Sequence) -> Iterable[Node]:
    for item in node.items:
        if isinstance(item, Sequence):
            yield from _flat(item)
        elif isinstance(item, Repeat) and isinstance(item.body, Set) and item.least == item.most:
            yield from [item.body] * min(item.least, _MAX_LENGTH)
        else:
            yield item


def _spelled(run: list[Set]) -> Literals:
    """The literals of neighbouring sets: the stretch of them that multiplies out to few."""
    best: Literals = frozenset()
    for first in range(len(run)):
        spelled = {b""}
        for item in run[first : first + _MAX_LENGTH]:
            more = {text + choice for text in spelled for choice in _choices(item.mask)}
            if _is_open_case(item.mask):
                more = {each for each in more if each in (each.lower(), each.upper())}
            if len(more) > MOST:
                break
            spelled = more
        candidate = frozenset(spelled) - {b""}
        if _strength(candidate) > _strength(best):
            best = candidate
    return best


@lru_cache(maxsize=4096)
def _choices(mask: int) -> list[bytes]:
    return [bytes((byte,)) for byte in range(256) if mask >> byte & 1]


def _is_open_case(mask: int) -> bool:
    pair = _choices(mask)
    return len(pair) == _PAIR and pair[0].lower() == pair[1] and pair[0].isalpha()
