"""Names of copies: those that speak of a package whose sources leaked, and no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.watchers.perimeter.republished import Wanted

WANTED = Wanted(["@anthropic-ai/claude-code", "@acme/cli", "quillpad"])
CLAUDE, ACME, QUILL = "@anthropic-ai/claude-code", "@acme/cli", "quillpad"
NAMES = [
    ("claude-code", [CLAUDE]),
    ("claude-code-source", [CLAUDE]),
    ("@somebody/claude_code.leaked", [CLAUDE]),
    ("my-claudecode-fork", [CLAUDE]),
    ("c1aude-c0de", [CLAUDE]),
    ("code-by-claude", [CLAUDE]),
    ("open-claude", [CLAUDE]),
    ("claude-leak", [CLAUDE]),
    ("claude-api", []),
    ("code-source", []),
    ("acme-cli-source", [ACME]),
    ("cli-source", []),
    ("acme-fork", []),
    ("quillpad2", [QUILL]),
    ("quillpad-mirror", [QUILL]),
    ("quill-pad", [QUILL]),
    ("quill", []),
    ("left-pad", []),
    ("", []),
]


def test_the_table_is_not_empty() -> None:
    assert NAMES


@pytest.mark.parametrize(("name", "packages"), NAMES)
def test_names_that_fit(name: str, packages: list[str]) -> None:
    assert WANTED.find(name) == packages


def test_nothing_is_wanted_of_nothing() -> None:
    assert Wanted([]).find("claude-code-source") == []
    assert Wanted(["x", "@a/b"]).find("x-source") == []


@given(st.text(max_size=400))
def test_no_name_breaks_it(name: str) -> None:
    assert set(WANTED.find(name)) <= {CLAUDE, ACME, QUILL}
