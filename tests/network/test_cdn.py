"""Listings of CDNs: both shapes are read, whatever else comes is an error or nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.registries import cdn
from tests.watch_servers.cdn import nested

PATHS = ["cli.js", "dist/cli.js.map", "dist/deep/a.js"]


def test_flat_nested_and_whole_paths_are_the_same() -> None:
    shapes = (
        nested(PATHS),
        [{"name": f"/{path}", "hash": "x"} for path in PATHS],
        [{"path": f"/{path}", "type": "text/plain", "size": 3} for path in PATHS],
    )
    for files in shapes:
        body = json.dumps({"version": "1.0.0", "files": files}).encode()
        assert cdn.read(body, "1.0.0") == frozenset(PATHS)


BAD = [b"", b"[]", b"{}", b'{"files": {}}', b'{"files": [], "version": "2.0.0"}', b"\xff", b"[" * 9]


@pytest.mark.parametrize("body", BAD)
def test_what_is_no_listing_is_an_error(body: bytes) -> None:
    assert BAD
    with pytest.raises(ValueError):  # noqa: PT011 - any words
        cdn.read(body, "1.0.0")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["name", "path", "type", "files", "x"]), inner)
    ),
    max_leaves=20,
)


@given(st.lists(json_values, max_size=6))
def test_strange_entries_are_passed_over(files: list[object]) -> None:
    found = cdn.read(json.dumps({"files": files}).encode(), "1.0.0")
    assert all(found)


def test_a_listing_is_bounded_in_depth() -> None:
    deep: list[object] = [{"type": "file", "name": "end"}]
    for _ in range(200):
        deep = [{"type": "directory", "name": "d", "files": deep}]
    assert cdn.read(json.dumps({"files": deep}).encode(), "1") == frozenset()


def test_addresses_keep_the_scope_and_quote_the_version() -> None:
    told = cdn.jsdelivr("http://127.0.0.1/", "@acme/cli", "1.0.0+x/../y")
    assert told == "http://127.0.0.1/v1/packages/npm/@acme/cli@1.0.0%2Bx%2F..%2Fy?structure=flat"
    assert cdn.unpkg("http://127.0.0.1/", "cli", "1") == "http://127.0.0.1/cli@1/?meta"
