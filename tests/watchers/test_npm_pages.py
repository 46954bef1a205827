"""npm's feed and records as bytes: what is read, what is passed over, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.watchers import actions
from monitor.watchers.npm import rows
from monitor.watchers.npm.packuments import (
    SECURITY_HOLDER,
    STAGED,
    Difference,
    Known,
    Packument,
    compare,
    read,
)


def page(*results: Any, last: Any = None) -> bytes:
    return json.dumps({"results": results, "last_seq": last}).encode()


def row(seq: Any, name: Any, **more: Any) -> dict[str, Any]:
    return {"seq": seq, "id": name, "changes": [{"rev": "4-abc"}], **more}


def test_rows_become_notices() -> None:
    found = rows.read(page(row(11, "a"), row(12, "@acme/b", deleted=True), last=12), "10")
    assert [(one.name, one.action, one.position, one.revision) for one in found.notices] == [
        ("a", actions.CHANGED, "11", "4-abc"),
        ("@acme/b", actions.REMOVED, "12", "4-abc"),
    ]
    assert (found.last, found.count, found.malformed) == ("12", 2, 0)


NO_PACKAGES: list[Any] = [
    row(11, "_design/app"),
    row(11, None),
    row(11, ""),
    row(11, 7),
    row(11, "two words"),
    row(11, "line\nfeed"),
    row(11, "x" * 600),
    {"seq": 11},
    None,
    "text",
    [],
]


def test_what_is_no_package_is_passed_over_and_the_feed_goes_on() -> None:
    assert NO_PACKAGES
    for odd in NO_PACKAGES:
        found = rows.read(page(odd, row(12, "good"), last=12), "10")
        assert [notice.name for notice in found.notices] == ["good"], odd
        assert found.last == "12"
    only_design = rows.read(page(row(11, "_design/app"), last=11), "10")
    assert (only_design.last, only_design.malformed, only_design.notices) == ("11", 0, [])


SEQUENCES: list[tuple[Any, Any, str]] = [
    (11, 12, "12"),
    ("11", "12", "12"),
    ("11-g1AAAA", "12-g1AAAB", "12-g1AAAB"),
    (11, None, "11"),
    (None, 12, "12"),
    (None, None, "10"),
    (13, 12, "13"),
    (True, 2.5, "10"),
    (-4, "minus", "10"),
    (10**30, "9" * 50, "10"),
]


def test_the_last_sequence_is_the_highest_that_makes_sense() -> None:
    assert SEQUENCES
    found = [(seq, last, rows.read(page(row(seq, "a"), last=last), "10").last)
             for seq, last, _ in SEQUENCES]  # fmt: skip
    assert found == SEQUENCES


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b'{"results": 3}', b"<html>", b"\xff\xfe", b"[" * 5000]
)
def test_what_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        rows.read(body, "10")
    with pytest.raises(ValueError, match=r".+"):
        rows.read_update_sequence(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["seq", "id", "changes", "rev", "deleted", "versions", "time", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=6), JSON)
@example([{"seq": "5-", "id": "a", "changes": [{}]}], "7-x")
def test_no_page_of_json_breaks_the_reader(results: list[Any], last: Any) -> None:
    body = json.dumps({"results": results, "last_seq": last}).encode("utf-8", "surrogatepass")
    try:
        found = rows.read(body, "10")
    except ValueError:
        return
    assert found.count == len(results)
    assert rows.order(found.last) >= 10
    for notice in found.notices:
        assert rows.order(notice.position) >= 0
        assert notice.name.isprintable()


@given(st.binary(max_size=300))
def test_no_bytes_break_the_readers(body: bytes) -> None:
    for reader in (lambda b: rows.read(b, "1"), lambda b: read(b, "x")):
        try:
            reader(body)
        except ValueError:
            continue


@given(JSON)
def test_no_record_breaks_the_reader(record: Any) -> None:
    whole = {"versions": {"1.0.0": record}, "time": record, "dist-tags": record, "_rev": record}
    try:
        found = read(json.dumps(whole).encode("utf-8", "surrogatepass"), "x")
    except ValueError:
        return
    compare(found, Known(), revision="3-x")


def packument(times: dict[str, str], *versions: str, **more: Any) -> Packument:
    record = {
        "_id": "x",
        "name": "x",
        "_rev": "7-abc",
        "time": times,
        "versions": {version: {} for version in versions},
        "dist-tags": {},
        **more,
    }
    return read(json.dumps(record).encode(), "x")


TIMES = {
    "created": "2020-01-01T00:00:00.000Z",
    "modified": "2026-06-01T12:00:00.000Z",
    "1.0.0": "2020-01-01T00:00:00.000Z",
    "1.1.0": "2021-01-01T00:00:00.000Z",
    "1.2.0": "2026-06-01T11:30:00.000Z",
}


FIRST = Known(versions=frozenset({"1.0.0"}))


def test_new_versions_come_in_the_order_of_their_publication() -> None:
    found = compare(packument(TIMES, "1.2.0", "1.0.0", "1.1.0"), FIRST)
    assert found.new == ["1.1.0", "1.2.0"]


def test_a_version_with_a_time_and_no_entry_is_held_or_was_missed() -> None:
    found = compare(packument(TIMES, "1.0.0"), FIRST)
    assert (found.held, found.missed) == (["1.2.0"], ["1.1.0"])
    assert found.is_to_be_rechecked
    told = Known(versions=FIRST.versions, gone=frozenset({"1.1.0", "1.2.0"}))
    assert compare(packument(TIMES, "1.0.0"), told) == Difference()


def test_a_version_that_went_is_told_once() -> None:
    before = Known(versions=frozenset({"1.0.0", "1.1.0", "1.2.0"}))
    found = compare(packument(TIMES, "1.0.0", "1.2.0"), before)
    told = Known(versions=before.versions, gone=frozenset(found.gone))
    assert found.gone == ["1.1.0"]
    assert compare(packument(TIMES, "1.0.0", "1.2.0"), told).gone == []
    assert compare(packument(TIMES, "1.0.0", "1.1.0", "1.2.0"), told).new == ["1.1.0"]


def test_placeholders_are_no_versions() -> None:
    staged = compare(packument({}, STAGED), Known())
    holder = compare(packument({}, SECURITY_HOLDER), Known(versions=frozenset({"1.0.0"})))
    assert (staged.new, staged.is_staged, staged.is_to_be_rechecked) == ([], True, True)
    assert (holder.new, holder.is_security_holder, holder.gone) == ([], True, ["1.0.0"])


def test_a_package_that_was_unpublished_as_a_whole() -> None:
    times: dict[str, Any] = {**TIMES, "unpublished": {"name": "x", "time": TIMES["modified"]}}
    found = compare(packument(times), Known(versions=frozenset({"1.0.0"})))
    assert (found.is_unpublished, found.gone, found.held) == (True, ["1.0.0"], [])
    assert found.missed == ["1.1.0", "1.2.0"]


REVISIONS = [("8-x", True), ("7-x", False), ("6-x", False), ("", False), ("x", False)]


def test_a_record_is_behind_if_a_higher_revision_was_announced() -> None:
    assert REVISIONS
    ours = packument(TIMES, "1.0.0")
    found = [(text, compare(ours, Known(), revision=text).is_behind) for text, _ in REVISIONS]
    assert found == REVISIONS
    without = packument(TIMES, "1.0.0", _rev=None)
    assert not compare(without, Known(), revision="99-x").is_behind


def test_another_packages_record_is_refused() -> None:
    with pytest.raises(ValueError, match="another package"):
        read(b'{"name": "y", "versions": {}}', "x")
