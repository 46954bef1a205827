"""Confirming one branch of a rule in a window around a hit; never over a whole file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.rules.model import Branch, Expression

_SEARCH_ADVANTAGE = 3  # how much faster one search is than a match at each place

Span = tuple[int, int]
Groups = dict[str, Span]
Text = Any  # bytes, a memoryview or a mapped file: ``re`` reads them all, typeshed knows only some


def engine(pattern: str) -> Any:
    """The compiled expression: by ``re``, or by ``regex`` where ``re`` lacks something."""
    encoded = pattern.encode()
    try:
        return re.compile(encoded, re.MULTILINE)
    except re.error:
        import regex

        return regex.compile(encoded, regex.MULTILINE | regex.VERSION0)


class Confirmation:
    """One branch, its expressions compiled when first needed."""

    __slots__ = ("_excluded", "_others", "branch", "expression", "is_plain", "match", "search")

    def __init__(self, branch: Branch) -> None:
        self.branch = branch
        self.expression = branch.expressions[0]
        compiled = engine(self.expression.pattern)
        self.search, self.match = compiled.search, compiled.match
        self._others = [(other, engine(other.pattern)) for other in branch.expressions[1:]]
        self._excluded = [(other, engine(other.pattern)) for other in branch.excluded]
        self.is_plain = not (self._others or self._excluded or branch.conditions or branch.focus)

    def first(self, text: Text, start: int, last: int, stop: int) -> Any:
        """The first match in ``start`` to ``stop``; one that begins behind ``last`` may be missed.

        Where few places can begin a match, they are tried alone: a search would go on to ``stop``.
        """
        if (last - start) * _SEARCH_ADVANTAGE > stop - start:
            return self.search(text, start, stop)
        match = self.match
        for at in range(start, last + 1):
            found = match(text, at, stop)
            if found is not None:
                return found
        return None

    def results(self, text: Text, found: Any) -> Iterator[tuple[Span, Groups]]:
        """What a match of the first expression amounts to: none, one or several ranges."""
        groups = {
            name: found.span(name) for name in found.re.groupindex if found.span(name)[0] >= 0
        }
        if self.is_plain:
            yield found.span(), groups
            return
        branch = self.branch
        for span, bound in self._nested(text, found.span(), groups):
            if any(_ranges(text, span, *excluded) for excluded in self._excluded):
                continue
            if branch.conditions:
                from monitor.rules import conditions  # few rules have any

                values = {name: bytes(text[a:b]) for name, (a, b) in bound.items()}
                if not all(conditions.holds(one, values) for one in branch.conditions):
                    continue
            if not branch.focus:
                yield span, bound
            elif branch.focus in bound:
                yield bound[branch.focus], bound

    def _nested(self, text: Text, span: Span, groups: Groups) -> list[tuple[Span, Groups]]:
        """The smaller of each pair of ranges of which one holds the other."""
        results = [(span, groups)]
        for other in self._others:
            narrowed = []
            for outer, bound in results:
                for inner, more in _ranges(text, outer, *other):
                    smaller = min(outer, inner, key=lambda one: one[1] - one[0])
                    narrowed.append((smaller, bound | more))
            results = narrowed
        return results


def _ranges(
    text: Text, span: Span, expression: Expression, regex: Any
) -> list[tuple[Span, Groups]]:
    """The matches near a span that lie inside it or around it."""
    start, end = span
    reach = expression.window + expression.tail
    ranges = []
    stop = min(len(text), end + reach + expression.context + 1)
    for found in regex.finditer(text, max(0, start - reach), stop):
        a, b = found.span()
        if (start <= a and b <= end) or (a <= start and end <= b):
            named = {name: found.span(name) for name in found.re.groupindex}
            ranges.append(((a, b), {name: at for name, at in named.items() if at[0] >= 0}))
    return ranges
