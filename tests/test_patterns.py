"""Expressions compiled on first use behave as compiled ones."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

import monitor
from monitor import patterns
from monitor.patterns import later

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is compiled from here on."""
    seen: list[object] = []
    true: Callable[..., re.Pattern[str]] = re.compile

    def noted(expression: object, flags: int = 0) -> re.Pattern[str]:
        seen.append(expression)
        return true(expression, flags)

    monkeypatch.setattr(re, "compile", noted)
    return seen


def test_it_is_compiled_once_and_when_it_is_used(compiled: list[object]) -> None:
    pattern = later(r"b+", re.IGNORECASE)
    assert compiled == []
    assert [pattern.findall("abBa"), pattern.sub("-", "abBa")] == [["bB"], "a-a"]
    found = pattern.search("abBa", 2)
    assert found is not None
    assert found.span() == (2, 3)
    assert pattern.pattern == "b+"
    assert compiled[0] == "b+"
    assert len(compiled) <= 2  # what is no method is asked of the pattern again


def test_a_process_that_forks_compiles_everything_at_once(compiled: list[object]) -> None:
    patterns.compile_all()
    compiled.clear()
    later(rb"one")
    later(rb"two")
    patterns.compile_all()
    assert sorted(map(str, compiled)) == ["b'one'", "b'two'"]
    patterns.compile_all()
    assert len(compiled) == 2


def test_a_wrong_one_says_so_when_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_waiting", [])
    with pytest.raises(re.error, match="unterminated"):
        later("(").search("")


def test_every_expression_of_leakmon_can_be_compiled() -> None:
    for module in pkgutil.walk_packages(monitor.__path__, "monitor."):
        if "._bundled" not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)
    patterns.compile_all()
