"""Rules -> one Hyperscan database. Hundreds of rules take seconds: ``cache`` keeps the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hyperscan
from msgspec.structs import replace

from monitor.errors import RuleError
from monitor.rules.encoded import expressions as encoded
from monitor.rules.probes import DERIVED, NAMES, PROBES
from monitor.rules.spread import spread
from monitor.rules.translate import CLAMPS, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.rules.model import Branch, Expression, Rule

MAX_SLOTS = (1 << 16) - 1
"""Ids of branches and probes together; see ``work.SLOT_BITS``."""


def light(rule: Rule) -> Rule:
    """The compiled rule without its examples and probes: scanning does not need them."""
    without = replace(rule.metadata, match=(), ignore=())
    branches = [
        replace(
            branch,
            expressions=tuple(replace(one, probe="") for one in branch.expressions),
            excluded=tuple(replace(one, probe="") for one in branch.excluded),
        )
        for branch in rule.branches
    ]
    return replace(rule, metadata=without, branches=tuple(branches))


def usable(rule: Rule) -> Rule:
    """The rule with probes that Hyperscan takes; RuleError names what it does not."""
    branches = tuple(_usable_branch(rule, branch) for branch in rule.branches)
    return replace(rule, branches=branches)


def _usable_branch(rule: Rule, branch: Branch) -> Branch:
    first, *others = branch.expressions
    try:
        return replace(branch, expressions=(_usable(first), *others))
    except RuleError as error:
        raise RuleError(f"{rule.file}: {rule.id}: {error}") from error


def _usable(expression: Expression) -> Expression:
    message = ""
    for level in range(len(CLAMPS)):
        # The pattern was rewritten when it was read; doing it again changes nothing.
        candidate = translate(expression.pattern, level) if level else expression
        try:
            build([candidate.probe])
        except hyperscan.error as error:
            message = str(error)
        else:
            return candidate
    raise RuleError(f"Hyperscan refuses it even when shortened: {message}")


def build(expressions: Sequence[str], ids: Sequence[int] = ()) -> Any:
    """A block-mode database; an expression's place in the list is its id where none is given."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[expression.encode() for expression in expressions],
        ids=ids or list(range(len(expressions))),
        flags=[0] * len(expressions),
    )
    return database


def build_all(rules: Sequence[Rule]) -> tuple[list[Rule], Any]:
    """The rules, their probes shortened where that was needed, and the database of all of them.

    A branch's place in the order of the rules is its id; the probes of ``probes`` come behind.
    RuleError names the rule that cannot be compiled.
    """
    ready = list(rules)
    if sum(len(rule.branches) for rule in ready) + len(NAMES) > MAX_SLOTS:
        raise RuleError(f"more than {MAX_SLOTS} expressions cannot be compiled at once")
    try:
        return ready, build(*_expressions(ready))
    except hyperscan.error:
        # The library does not say which: only now they are tried one by one, which takes longer.
        ready = [usable(rule) for rule in ready]
        return ready, build(*_expressions(ready))


def _expressions(rules: Sequence[Rule]) -> tuple[list[str], list[int]]:
    """Everything to look for, and its ids: several expressions of one branch or name share one."""
    probes = [branch.expressions[0].probe for rule in rules for branch in rule.branches]
    pairs = [(text, at) for at, probe in enumerate(probes) for text in spread(probe)]
    first = len(probes)
    pairs += [(probe.expression, first + at) for at, probe in enumerate(PROBES)]
    first += len(PROBES)
    pairs += [(text, first + DERIVED.index(name)) for name, text in encoded(rules)]
    return [text for text, _ in pairs], [slot for _, slot in pairs]
