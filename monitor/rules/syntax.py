"""A regular expression as a small tree of our own, read from the standard library's parser.

Look-arounds and anchors consume nothing and are left out; laziness, possessiveness and atomicity
are forgotten; a back-reference is what its group could be. So a tree stands for a superset of what
its expression matches.
"""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

from monitor.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_REACH = 16 << 10
"""How far an open repeat is followed, in bytes."""

ALL = (1 << 256) - 1
_sre: Any = importlib.import_module("re._parser")
_op: Any = importlib.import_module("re._constants")


def mask_of(chars: Iterable[int]) -> int:
    """The set of these bytes as a bit mask."""
    mask = 0
    for char in chars:
        mask |= 1 << char
    return mask


_WORD = mask_of(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_DIGIT = mask_of(b"0123456789")
_SPACE = mask_of(b" \t\n\r\f\v")


class Set:
    """Exactly one byte out of a set, as a bit mask."""

    __slots__ = ("mask",)

    def __init__(self, mask: int) -> None:
        self.mask = mask


class Sequence:
    """Nodes one behind the other; empty for what consumes nothing."""

    __slots__ = ("items",)

    def __init__(self, items: list[Node]) -> None:
        self.items = items


class Choice:
    """One of several nodes."""

    __slots__ = ("items",)

    def __init__(self, items: list[Node]) -> None:
        self.items = items


class Repeat:
    """A node ``least`` to ``most`` times; None is without end."""

    __slots__ = ("body", "least", "most")

    def __init__(self, body: Node, least: int, most: int | None) -> None:
        self.body = body
        self.least = least
        self.most = most


class Final(Repeat):
    """The repeat at which a probe ends, cut to its minimum: it must not fire once more per byte."""

    __slots__ = ()


Node = Set | Sequence | Choice | Repeat


def parse(pattern: str) -> tuple[Sequence, Reader]:
    """The tree of an expression in Python's dialect, and the reader that saw its look-arounds."""
    try:
        parsed = _sre.parse(pattern.encode(), re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise RuleError(f"is not a regular expression that can be used: {error}") from error
    reader = Reader()
    # The parser's own state carries flags given at the very beginning, such as (?i).
    tree = reader.sequence(parsed, parsed.state.flags)
    return tree, reader


class Reader:
    """Turns the parser's tree into ours; ``context`` is the reach of look-arounds met, in bytes."""

    def __init__(self) -> None:
        self.context = 0
        self.is_anchored = False
        self._groups: dict[int, Node] = {}

    def sequence(self, parsed: Any, flags: int) -> Sequence:
        """What the parser made of an expression or of a part of it."""
        return Sequence([self._node(op, argument, flags) for op, argument in parsed])

    def _node(  # noqa: C901, PLR0911 - a table of the parser's codes
        self, op: Any, argument: Any, flags: int
    ) -> Node:
        if op in (_op.LITERAL, _op.NOT_LITERAL, _op.ANY, _op.IN):
            return Set(_single(op, argument, flags))
        if op is _op.AT:
            self.context = max(self.context, 2)
            self.is_anchored = self.is_anchored or argument in (_op.AT_BEGINNING, _op.AT_END)
            return Sequence([])
        if op in (_op.ASSERT, _op.ASSERT_NOT):
            inner = self.sequence(argument[1], flags)
            self.context = max(self.context, min(width(inner)[1] or MAX_REACH, MAX_REACH))
            return Sequence([])
        if op is _op.SUBPATTERN:
            group, on, off, parsed = argument
            node = self.sequence(parsed, (flags | on) & ~off)
            if group is not None:
                self._groups[group] = node
            return node
        if op is _op.ATOMIC_GROUP:
            return self.sequence(argument, flags)
        if op is _op.BRANCH:
            return Choice([self.sequence(one, flags) for one in argument[1]])
        if op in (_op.MAX_REPEAT, _op.MIN_REPEAT, _op.POSSESSIVE_REPEAT):
            least, most, parsed = argument
            body = self.sequence(parsed, flags)
            return Repeat(body, int(least), None if most is _op.MAXREPEAT else int(most))
        if op is _op.GROUPREF:
            return self._groups[argument]
        if op is _op.GROUPREF_EXISTS:
            _, yes, no = argument
            return Choice([self.sequence(yes, flags), self.sequence(no or [], flags)])
        raise RuleError(f"{op} is not supported")


def _single(op: Any, argument: Any, flags: int) -> int:
    if op is _op.ANY:
        return ALL if flags & re.DOTALL else ALL & ~mask_of(b"\n")
    if op is _op.IN:
        is_negated = bool(argument) and argument[0][0] is _op.NEGATE
        mask = 0
        for kind, value in argument[is_negated:]:
            mask |= _item(kind, value)
        mask = _cased(mask, flags)
        return ALL & ~mask if is_negated else mask
    mask = _cased(1 << argument, flags)
    return mask if op is _op.LITERAL else ALL & ~mask


def _item(kind: Any, value: Any) -> int:
    if kind is _op.LITERAL:
        return 1 << int(value)
    if kind is _op.RANGE:
        return mask_of(range(value[0], value[1] + 1))
    categories = {
        _op.CATEGORY_DIGIT: _DIGIT,
        _op.CATEGORY_NOT_DIGIT: ALL & ~_DIGIT,
        _op.CATEGORY_SPACE: _SPACE,
        _op.CATEGORY_NOT_SPACE: ALL & ~_SPACE,
        _op.CATEGORY_WORD: _WORD,
        _op.CATEGORY_NOT_WORD: ALL & ~_WORD,
    }
    return categories[value]


def _cased(mask: int, flags: int) -> int:
    if not flags & re.IGNORECASE:
        return mask
    upper, lower = mask >> ord("A") & 0x3FFFFFF, mask >> ord("a") & 0x3FFFFFF
    return mask | upper << ord("a") | lower << ord("A")


def width(node: Node) -> tuple[int, int | None]:
    """The least and the most bytes that a node consumes; None is without end."""
    if isinstance(node, Set):
        return 1, 1
    if isinstance(node, Repeat):
        least, most = width(node.body)
        open_end = node.most is None or most is None
        is_empty = most == 0 or node.most == 0
        top = 0 if is_empty else None if open_end else (most or 0) * (node.most or 0)
        return least * node.least, top
    widths = [width(item) for item in node.items]
    tops = [most for _, most in widths]
    bounded = [most for most in tops if most is not None]
    is_open = len(bounded) < len(tops)
    if isinstance(node, Sequence):
        return sum(least for least, _ in widths), None if is_open else sum(bounded)
    return (
        min((least for least, _ in widths), default=0),
        None if is_open else max(bounded, default=0),
    )
