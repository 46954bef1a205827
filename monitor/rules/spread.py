"""A probe without a literal, written as several that have one.

Where nothing of two fixed bytes must occur (``[12]/[0-9]{13}``), Hyperscan runs an automaton over
the whole text; written out (``1/[0-9]{13}``, ``2/[0-9]{13}``) it looks for the literals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.rules.literals import strongest
from monitor.rules.probe import emit, flattened
from monitor.rules.syntax import Choice, Repeat, Sequence, Set, parse

if TYPE_CHECKING:
    from monitor.rules.syntax import Node

_LEAST = 2  # bytes of a literal that Hyperscan can look for
_MOST = 10  # bytes of a set that is multiplied out
_CLAMP = 1 << 16  # what stands in a probe is short enough already


def spread(probe: str) -> list[str]:
    """Expressions that together match what the probe matches: most often itself alone."""
    tree = flattened(parse(probe)[0])
    literals = strongest(tree)
    if not literals or min(map(len, literals)) >= _LEAST or not isinstance(tree, Sequence):
        return [probe]
    for at, item in enumerate(tree.items):
        alternatives = _alternatives(item)
        if alternatives:
            before, behind = tree.items[:at], tree.items[at + 1 :]
            return [
                emit(Sequence([*before, one, *behind]), _CLAMP, is_tolerant=False)
                for one in alternatives
            ]
    return [probe]


def _alternatives(node: Node) -> list[Node]:
    """The node once for each first byte that it can have; none if these are many or it is one."""
    if isinstance(node, Set):
        return _bytes(node.mask)
    if isinstance(node, Repeat):
        if not node.least or not isinstance(node.body, Set):
            return []
        most = None if node.most is None else node.most - 1
        rest = Repeat(node.body, node.least - 1, most)
        return [Sequence([first, rest]) for first in _bytes(node.body.mask)]
    if isinstance(node, Choice):
        return [one for item in node.items for one in _alternatives(item) or [item]]
    return []


def _bytes(mask: int) -> list[Node]:
    if not 1 < mask.bit_count() <= _MOST:
        return []
    return [Set(1 << byte) for byte in range(256) if mask >> byte & 1]
