"""Which members a rule looks at: the quick look for a pattern's word changes no answer."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.rules.paths import _compiled, is_chosen

WORDS = st.text("ab./*?", max_size=8)


@given(WORDS, st.text("ab./", max_size=12))
@example("**/", "a")
@example("", "")
@example("*", "a/b")
def test_a_pattern_says_the_same_with_and_without_the_quick_look(pattern: str, path: str) -> None:
    inner = path.lstrip("/")
    assert is_chosen(path, (pattern,), ()) == bool(_compiled(pattern).match(inner))
    assert is_chosen(path, (), (pattern,)) != bool(_compiled(pattern).match(inner))


@pytest.mark.parametrize(
    ("path", "pattern", "is_match"),
    [
        ("a.tgz!/package/yarn.lock", "*.lock", True),
        ("a.tgz!/package/src/test/x.js", "test", True),
        ("a.tgz!/package/docs/x.md", "docs/*.md", True),
        ("a.tgz!/package/src/docs/x.md", "docs/*.md", False),
        ("a.tgz!/package/a/b/c.py", "a/**/c.py", True),
    ],
)
def test_patterns_are_those_of_semgrep(path: str, pattern: str, *, is_match: bool) -> None:
    assert is_chosen(path, (pattern,), ()) is is_match
