"""What git says, read without trust: any bytes at all must give an answer, and a right one."""

from __future__ import annotations

import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Change, Commit
from monitor.registries import git_reading as reading
from monitor.registries.rest import next_of

A, B, C = (letter * 40 for letter in "abc")
ZERO = "0" * 40

GOOD_REFS = ["refs/heads/main", "refs/heads/feature/x", "refs/tags/v1.0", "refs/heads/ünïcode"]
BAD_REFS = [
    "refs/heads/../../etc", "refs/heads/a..b", "refs/heads/.hidden", "refs/heads/x.lock",
    "refs/heads/a b", "refs/heads/a\x1b[2J", "refs/heads/a~1", "refs/heads/a:b", "refs/heads/",
    "refs/heads//x", "refs/heads/x.", "refs/heads/@{u}", "heads/main", "-refs/heads/x",
    "refs/heads/\u202egnp", "refs/" + "x" * 2000,
]  # fmt: skip
LINKS = [
    ('<https://x/?page=2>; rel="next"', "https://x/?page=2"),
    ('<https://x/a>; rel="first", <https://x/b>; rel="next"', "https://x/b"),
    ('<https://x/a>; title="rel=next"; rel="last"', ""),
    ("<https://x/a>; rel=next", "https://x/a"),
    ('<https://x/a,b>; rel="prev next"', "https://x/a,b"),
    ("", ""),
    ("nonsense", ""),
]


@pytest.mark.parametrize("name", GOOD_REFS)
def test_a_ref_that_git_takes(name: str) -> None:
    assert reading.is_ref(name)
    found = reading.refs(f"{A}\t{name}\n".encode())
    assert (found.ids, found.refused) == ({name: A}, 0)


@pytest.mark.parametrize("name", BAD_REFS)
def test_a_ref_that_git_refuses_is_counted_and_left_out(name: str) -> None:
    assert not reading.is_ref(name)
    found = reading.refs(f"{A}\t{name}\n".encode())
    assert found.ids == {}
    assert found.refused == 1


def test_refs_are_peeled_and_the_default_branch_is_known() -> None:
    output = (
        f"ref: refs/heads/main\tHEAD\n{A}\tHEAD\n{A}\trefs/heads/main\n"
        f"{B}\trefs/tags/v1\n{C}\trefs/tags/v1^{{}}\nnothing\trefs/heads/x\n"
    )
    found = reading.refs(output.encode())
    assert found.ids == {"refs/heads/main": A, "refs/tags/v1": C}
    assert (found.head, found.head_ref) == (A, "refs/heads/main")


def test_changes_of_plain_commits_merges_links_and_removals() -> None:
    output = b"\0".join([
        A.encode(),
        f":000000 100644 {ZERO} {B} A".encode(), b"dir/new\nline",
        f":100644 000000 {B} {ZERO} D".encode(), b"removed",
        f":000000 160000 {ZERO} {C} A".encode(), b"vendored",
        f":000000 120000 {ZERO} {C} A".encode(), b"link",
        C.encode(),
        f"::100644 100644 100644 {A} {A} {B} MM".encode(), b":100644 odd",
        f":000000 100644 {ZERO} {A} A".encode(), b"\xff\xfe",
        b"",
    ])  # fmt: skip
    assert list(reading.changes(output)) == [
        Change(A, "dir/new\nline", B),
        Change(A, "link", C),
        Change(C, ":100644 odd", B),
        Change(C, "\udcff\udcfe", A),
    ]
    assert list(reading.gitlinks(output)) == [Change(A, "vendored", C)]


def test_commits_with_times_that_nobody_can_have_meant() -> None:
    output = f"{A}\t-5\t99999999999999999\t\t{B}\n{B}\tx\t0\t{A} {C}\t\nbroken\n{C}\t1\t2\n"
    first, second = reading.commits(output.encode())
    assert first == Commit(
        id=A, authored_at=datetime(1970, 1, 1, tzinfo=UTC),
        committed_at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), source=B,
    )  # fmt: skip
    assert (second.authored_at, second.parents) == (None, [A, C])


@given(st.binary(max_size=400))
def test_any_bytes_can_be_read(output: bytes) -> None:
    for ref in reading.refs(output).ids:
        assert reading.is_ref(ref)
    for commit in reading.commits(output):
        assert reading.OID.fullmatch(commit.id)
    for change in (*reading.changes(output), *reading.gitlinks(output)):
        assert change.path
    reading.tree_blobs(output)
    reading.sizes(output)


OIDS = st.text("0123456789abcdef", min_size=40, max_size=40).filter(lambda oid: oid.strip("0"))
PATHS = st.binary(min_size=1, max_size=40).filter(lambda path: b"\0" not in path)


FILES = st.lists(st.tuples(PATHS, OIDS), min_size=1, max_size=4)


@given(st.lists(st.tuples(OIDS, FILES)))
def test_what_git_writes_comes_back_as_it_was(
    commits: list[tuple[str, list[tuple[bytes, str]]]],
) -> None:
    tokens = []
    for commit, files in commits:
        tokens.append(commit.encode())
        for path, blob in files:
            tokens += [f":000000 100644 {ZERO} {blob} A".encode(), path]
    found = list(reading.changes(b"\0".join([*tokens, b""])))
    wanted = [(commit, path, blob) for commit, files in commits for path, blob in files]
    assert [(c.commit, c.path.encode("utf-8", "surrogateescape"), c.blob) for c in found] == wanted


@pytest.mark.parametrize(("header", "target"), LINKS)
def test_the_next_page_is_where_the_header_says(header: str, target: str) -> None:
    assert next_of(header) == target


@given(st.text(string.printable, max_size=300))
def test_any_link_header_can_be_read(header: str) -> None:
    next_of(header)
    next_of("<" * 200 + header * 20)
