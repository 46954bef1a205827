"""A known leak does not hide a larger one that has its fingerprint."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.suppress import extent

LARGER: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"content": "a" * 32}, {"content": "b" * 32}, "its content has changed"),
    ({"first_party_files": 3}, {"first_party_files": 300}, "first party files: 3 were known"),
    ({"first_party_bytes": 1}, {"first_party_bytes": 200_000}, "first party bytes: 1 were known"),
    ({"count": 1}, {"count": 40}, "count: 1 were known"),
    ({"paths": ["a-1.0/x.sql"]}, {"paths": ["a-1.1/x.sql", "y.sql"]}, "y.sql was not known"),
]
NO_LARGER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"content": "a" * 32, "keys": ["A"]}, {"content": "a" * 32, "keys": ["A", "B"]}),
    ({"first_party_files": 1897}, {"first_party_files": 2300}),
    ({"first_party_files": 3}, {"first_party_files": 1}),
    ({"paths": ["a-1.0/x.sql", "b.sql"]}, {"paths": ["a-1.1/x.sql"]}),
    ({"paths": [f"{word}.log" for word in "abcdefghijklmnopqrst"]}, {"paths": ["new.log"]}),
    ({}, {"content": "a" * 32, "count": 9, "paths": ["a"]}),
    ({"content": 7, "count": "9", "paths": "abc"}, {"content": "a", "count": 1000, "paths": ["z"]}),
]


@pytest.mark.parametrize(("known", "found", "told"), LARGER)
def test_what_is_larger_is_told(known: dict[str, Any], found: dict[str, Any], told: str) -> None:
    assert extent.of(known).excess(found) == told
    assert extent.of(extent.kept(known)).excess(found) == told


@pytest.mark.parametrize(("known", "found"), NO_LARGER)
def test_what_is_not_larger_is_covered(known: dict[str, Any], found: dict[str, Any]) -> None:
    assert extent.of(known).excess(found) == ""


@given(st.dictionaries(st.sampled_from(["content", "paths", "count", "places"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), st.lists
)))  # fmt: skip
def test_any_evidence_covers_itself(evidence: dict[str, Any]) -> None:
    assert extent.of(evidence).excess(evidence) == ""
