"""A regular expression into the wider one that Hyperscan runs, and how far around a hit to look.

Every match of the expression contains a hit of its probe; the match begins at most ``window`` bytes
before the hit's end and ends at most ``tail`` bytes behind it.
"""

from __future__ import annotations

from monitor.errors import RuleError
from monitor.rules.dialect import to_python
from monitor.rules.model import Expression
from monitor.rules.probe import emit, trimmed
from monitor.rules.syntax import MAX_REACH, parse, width

CLAMPS = (64, 24, 8)
"""How long a repeat may be in a probe, per level of shortening."""


def translate(pattern: str, level: int = 0) -> Expression:
    """The expression with its probe; RuleError if it cannot be used at all.

    A higher ``level`` (below ``len(CLAMPS)``) gives a smaller and wider probe, for expressions that
    are too large for Hyperscan.
    """
    python = to_python(pattern)
    tree, reader = parse(python)
    least, most = width(tree)
    if not least:
        raise RuleError("matches the empty text")
    lead, kept = trimmed(tree, CLAMPS[level])
    kept_least, kept_most = width(kept)
    back = None if lead is None or kept_most is None else lead + kept_most
    forward = None if most is None else most - kept_least
    return Expression(
        pattern=python,
        probe=emit(kept, CLAMPS[level], is_tolerant=level + 1 < len(CLAMPS)),
        window=MAX_REACH if back is None else min(back, MAX_REACH),
        least=kept_least,
        tail=MAX_REACH if forward is None else min(forward, MAX_REACH),
        is_open=max(MAX_REACH if x is None else x for x in (back, forward)) >= MAX_REACH,
        is_anchored=reader.is_anchored,
        context=min(reader.context, MAX_REACH),
    )
