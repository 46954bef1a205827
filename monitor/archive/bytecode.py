"""Assignments, told from CPython bytecode.

A token is often known by the name that it is given: ``access_token = "..."``. In a ``.pyc`` name
and value lie apart; this brings them together again where the instructions do so directly. It is
no decompiler: what it does not understand makes it forget, never guess.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from monitor.archive.marshalled import Code, Value
from monitor.archive.opcodes import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MAX_LINES = 10_000
_IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z0-9_.\-]{1,80}")

_WORDCODE = (3, 6)
_LEGACY_HAVE_ARGUMENT = 90


class Name:
    """A variable or attribute on the stack, as opposed to a constant."""

    __slots__ = ("text",)

    def __init__(self, text: Value) -> None:
        self.text = text if isinstance(text, bytes) else b""


class Assignments:
    """Walks one code object with a stack of what is known to lie on top of the real one.

    ``lines`` holds assignments as text, ``shown`` the constants that stand in them.
    """

    def __init__(self, shown: set[bytes]) -> None:
        self.lines: list[bytes] = []
        self.shown = shown
        self._stack: list[Value] = []
        self._keywords: tuple[Value, ...] = ()

    def walk(self, code: Code, version: tuple[int, int]) -> None:
        """Adds the lines of one code object; versions without a table have none."""
        table = TABLES.get(version)
        if table is None or not any(isinstance(value, bytes | tuple) for value in code.constants):
            return
        self._stack.clear()
        steps = _words(code.code, table) if version >= _WORDCODE else _legacy(code.code, table)
        for action, argument in steps:
            if len(self.lines) >= _MAX_LINES:
                return
            if action != "skip":
                self._step(action, argument, code)

    def _step(self, action: str, argument: int, code: Code) -> None:
        stack = self._stack
        if action == "const":
            stack.append(_at(code.constants, argument))
        elif action in _LOADS:
            table, shift = _LOADS[action]
            stack.append(Name(_at(getattr(code, table), argument >> shift)))
        elif action in _STORES:
            self._assign(_at(getattr(code, _STORES[action]), argument))
        elif action in self._actions:
            self._actions[action](self, argument, code)
        elif action == "other":
            stack.append(None)
        else:
            stack.clear()

    def _assign(self, name: Value) -> None:
        value = self._stack.pop() if self._stack else None
        self._line(name, value, b'%s = "%s"')

    def _line(self, name: Value, value: Value, form: bytes) -> None:
        if isinstance(name, bytes) and isinstance(value, bytes) and name and value:
            self.lines.append(form % (name, value))
            self.shown.add(value)

    def _attribute(self, argument: int, code: Code, shift: int = 0) -> None:
        if self._stack:
            self._stack[-1] = Name(_at(code.names, argument >> shift))

    def _half_attribute(self, argument: int, code: Code) -> None:
        self._attribute(argument, code, 1)

    def _fast_fast(self, argument: int, code: Code) -> None:
        for place in (argument >> 4, argument & 15):
            self._stack.append(Name(_at(code.variables, place)))

    def _set_fast_fast(self, argument: int, code: Code) -> None:
        self._assign(_at(code.variables, argument >> 4))
        self._stack.append(Name(_at(code.variables, argument & 15)))

    def _set_attribute(self, argument: int, code: Code) -> None:
        if self._stack:
            self._stack.pop()
        self._assign(_at(code.names, argument))

    def _set_item(self, _argument: int, _code: Code) -> None:
        key = self._stack[-1] if self._stack else None
        del self._stack[-2:]
        value = self._stack.pop() if self._stack else None
        self._line(key, value, b'"%s": "%s"')

    def _map_item(self, _argument: int, _code: Code) -> None:
        key = self._stack.pop() if self._stack else None
        value = self._stack.pop() if self._stack else None
        self._line(key, value, b'"%s": "%s"')

    def _map(self, argument: int, _code: Code) -> None:
        top = self._stack[-2 * argument :] if argument else []
        top = top[len(top) % 2 :]
        for key, value in zip(top[::2], top[1::2], strict=True):
            self._line(key, value, b'"%s": "%s"')
        self._replace(2 * argument)

    def _map_of_keys(self, argument: int, _code: Code) -> None:
        keys = self._stack.pop() if self._stack else None
        self._pair(keys, argument, b'"%s": "%s"')
        self._replace(argument)

    def _call_keywords(self, argument: int, _code: Code) -> None:
        keys = self._stack.pop() if self._stack else None
        self._pair(keys, argument, b'%s="%s"')
        self._stack.clear()

    def _remember_keywords(self, argument: int, code: Code) -> None:
        keys = _at(code.constants, argument)
        self._keywords = keys if isinstance(keys, tuple) else ()

    def _call(self, argument: int, _code: Code) -> None:
        if self._keywords:
            self._pair(self._keywords, argument, b'%s="%s"')
            self._keywords = ()
        elif argument == 2:  # noqa: PLR2004 - getenv("NAME", "default") and its like
            name, value = ([None, None, *self._stack])[-2:]
            if isinstance(name, bytes) and _IDENTIFIER.fullmatch(name):
                self._line(name, value, b'%s = "%s"')
        self._stack.clear()

    def _call_pairs(self, argument: int, _code: Code) -> None:
        pairs = argument >> 8
        if not pairs:
            self._call(argument, _code)
            return
        top = self._stack[-2 * pairs :]
        top = top[len(top) % 2 :]
        for key, value in zip(top[::2], top[1::2], strict=True):
            self._line(key, value, b'%s="%s"')
        self._stack.clear()

    def _compare(self, _argument: int, _code: Code) -> None:
        left, right = ([None, None, *self._stack])[-2:]
        if isinstance(right, Name):
            left, right = right, left
        if isinstance(left, Name):
            self._line(left.text, right, b'%s == "%s"')
        self._replace(2)

    def _function(self, _argument: int, _code: Code) -> None:
        """Defaults lie below the code object as one tuple; 3.6 to 3.10 put the name on top."""
        if self._stack and not isinstance(self._stack[-1], Code):
            self._stack.pop()
        values, inner = ([None, None, *self._stack])[-2:]
        if isinstance(inner, Code) and isinstance(values, tuple):
            self._defaults(inner, values)
        self._stack.clear()

    def _function_2(self, argument: int, _code: Code) -> None:
        inner = self._stack.pop() if self._stack else None
        if isinstance(inner, Code) and argument:
            self._defaults(inner, tuple(self._stack[-argument:]))
        self._stack.clear()

    def _defaults(self, inner: Code, values: tuple[Value, ...]) -> None:
        if not 0 <= inner.argument_count <= len(inner.variables):
            return
        names = inner.variables[: inner.argument_count]
        for name, value in zip(reversed(names), reversed(values), strict=False):
            self._line(name, value, b'%s="%s"')

    def _copy(self, _argument: int, _code: Code) -> None:
        self._stack.append(self._stack[-1] if self._stack else None)

    def _swap(self, argument: int, _code: Code) -> None:
        if 0 < argument <= len(self._stack):
            self._stack[-argument], self._stack[-1] = self._stack[-1], self._stack[-argument]
        else:
            self._stack.clear()

    def _unpack(self, argument: int, _code: Code) -> None:
        value = self._stack.pop() if self._stack else None
        if isinstance(value, tuple) and len(value) == argument:
            self._stack.extend(reversed(value))
        else:
            self._stack.clear()

    def _pair(self, keys: Value, count: int, form: bytes) -> None:
        """Pairs the last ``len(keys)`` of ``count`` values; unknown ones are missing in front."""
        if not isinstance(keys, tuple):
            return
        values = self._stack[-count:] if count else []
        for key, value in zip(reversed(keys), reversed(values), strict=False):
            self._line(key, value, form)

    def _replace(self, count: int) -> None:
        """Takes ``count`` values off and puts one that is not known on."""
        if count:
            del self._stack[-count:]
        self._stack.append(None)

    _actions: ClassVar[dict[str, Callable[[Assignments, int, Code], None]]] = {
        "attribute": _attribute,
        "half-attribute": _half_attribute,
        "fast-fast": _fast_fast,
        "set-fast-fast": _set_fast_fast,
        "set-attribute": _set_attribute,
        "set-item": _set_item,
        "map-item": _map_item,
        "map": _map,
        "map-of-keys": _map_of_keys,
        "call-keywords": _call_keywords,
        "keywords": _remember_keywords,
        "call": _call,
        "call-pairs": _call_pairs,
        "compare": _compare,
        "function": _function,
        "function-2": _function_2,
        "copy": _copy,
        "swap": _swap,
        "unpack": _unpack,
    }


_LOADS = {
    "name": ("names", 0),
    "half-name": ("names", 1),  # the lowest bit asks for a NULL as well
    "fast": ("variables", 0),
    "deref": ("derefs", 0),
}
_STORES = {"set-name": "names", "set-fast": "variables", "set-deref": "derefs"}


def _at(table: tuple[Value, ...], place: int) -> Value:
    return table[place] if 0 <= place < len(table) else None


def _words(code: bytes, table: dict[int, str]) -> Iterator[tuple[str, int]]:
    """Instructions of two bytes, since 3.6; inline caches are opcode 0."""
    high = 0
    is_blank = True  # there is nothing to forget
    for at in range(0, len(code) - 1, 2):
        action = table.get(code[at], "forget")
        argument = high | code[at + 1]
        if action == "extend":
            high = (argument << 8) & 0xFFFFFFFF
            continue
        high = 0
        if action == "skip" or (is_blank and action == "forget"):
            continue
        is_blank = action == "forget"
        yield action, argument


def _legacy(code: bytes, table: dict[int, str]) -> Iterator[tuple[str, int]]:
    """Instructions of one byte, or three from opcode 90 on."""
    at = high = 0
    while at < len(code):
        action = table.get(code[at], "forget")
        argument = 0
        if code[at] >= _LEGACY_HAVE_ARGUMENT:
            argument = high | int.from_bytes(code[at + 1 : at + 3], "little")
            at += 2
        at += 1
        if action == "extend":
            high = (argument << 16) & 0xFFFFFFFF
            continue
        high = 0
        yield action, argument
