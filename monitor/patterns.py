"""Expressions that are compiled when they are first used: a start pays for none that it does not.

A scan of one small package uses a third of the expressions that its modules hold, and compiling is
a tenth of its time. ``compile_all`` is for a process that forks: its children share what is ready.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, AnyStr, cast

_METHODS = ("search", "match", "fullmatch", "finditer", "findall", "split", "sub", "subn")
_waiting: list[_Later] = []


class _Later:
    """Stands for a ``re.Pattern``; after its first use its methods are the pattern's own."""

    if TYPE_CHECKING:
        _source: tuple[Any, int]

    def __init__(self, expression: Any, flags: int) -> None:
        self._source = (expression, flags)

    def compiled(self) -> re.Pattern[Any]:
        pattern = re.compile(*self._source)
        # From here on they are found before ``__getattr__`` is asked.
        self.__dict__.update({each: getattr(pattern, each) for each in _METHODS})
        return pattern

    def __getattr__(self, name: str) -> Any:
        return getattr(self.compiled(), name)


def later(expression: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As ``re.compile``; an expression that is wrong is told at its first use (tests use each)."""
    pattern = _Later(expression, flags)
    _waiting.append(pattern)
    return cast("re.Pattern[AnyStr]", pattern)


def compile_all() -> None:
    """Compile now what has been described so far."""
    while _waiting:
        _waiting.pop().compiled()
