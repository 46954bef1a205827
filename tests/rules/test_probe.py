from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rules.compile import build
from monitor.rules.translate import translate

LETTERS = {"\n": "n", "\r": "r", "\t": "t", "\f": "f"}
SETS = {
    '"': '"', "[\"'`]": "'`", "/": "/", "=": "=", "&": "&", "[<>+]": "<>+",
    "[\\n\\r]": "\n\r", "[ \\t]": "\t", "[ \\f=]": "\f=",
}  # fmt: skip
"""Expressions for a set, and those of its characters that have more than one spelling."""


def spelled(char: str, depth: int, *, is_coded: bool) -> str:
    """The character as a string in a string in ... spells it."""
    if is_coded:
        return "\\" * depth + f"u{ord(char):04x}"
    return "\\" * depth + LETTERS.get(char, char)


@given(
    chars=st.sampled_from(sorted(SETS)),
    behind=st.sampled_from([("", ""), ("ab{3}", "abbb")]),
    depth=st.integers(1, 8),
    is_coded=st.booleans(),
)
def test_a_probe_takes_every_spelling_of_what_its_expression_takes(
    *, chars: str, behind: tuple[str, str], depth: int, is_coded: bool
) -> None:
    probe = re.compile(translate(f"key{chars}{behind[0]}").probe)
    for char in SETS[chars]:
        assert probe.fullmatch(f"key{char}{behind[1]}")
        assert probe.search(f"key{spelled(char, depth, is_coded=is_coded)}{behind[1]}")


@pytest.mark.parametrize("behind", [b"a" * 10_000, b"u0061" * 2_000, b"\\u0061" * 2_000])
def test_an_escape_at_the_end_of_a_probe_raises_one_hit(behind: bytes) -> None:
    database = build([translate("key=[a-z]{4}[\"']").probe])
    ends: list[int] = []
    database.scan(b"key=word\\" + behind, lambda _slot, _start, end, *_: ends.append(end))
    assert len(ends) == 1
