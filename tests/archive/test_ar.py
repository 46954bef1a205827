"""``ar`` archives and the packages that are made of them."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive.mutations import mutated, opened


def tarred(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, body in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(body)
            archive.addfile(header, io.BytesIO(body))
    return out.getvalue()


def archived(*members: tuple[bytes, bytes]) -> bytes:
    out = b"!<arch>\n"
    for name, body in members:
        out += b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name, 1_700_000_000, 0, 0, b"100644", len(body))
        out += body + b"\n" * (len(body) % 2)
    return out


DEB = archived(
    (b"debian-binary", b"2.0\n"),
    (b"control.tar.gz", gzip.compress(tarred(control=b"Package: acme\n"))),
    (b"data.tar.xz", lzma.compress(tarred(env=b"TOKEN=1\n"))),
)


def test_a_debian_package_is_opened_to_its_files() -> None:
    members, trail = opened("acme.deb", DEB)
    assert members["acme.deb!/debian-binary"] == b"2.0\n"
    assert b"Package: acme\n" in members.values()
    (env,) = (path for path in members if path.endswith("/env"))
    assert env.startswith("acme.deb!/data.tar.xz!/")
    assert trail.skipped == []


def test_long_names_of_both_families() -> None:
    table = b"a-name-longer-than-sixteen.o/\nanother-name-that-is-long.o/\n"
    raw = archived((b"/", b"symbols!"), (b"//", table), (b"/0", b"one"), (b"/30", b"two"))
    raw += archived((b"#1/20", b"bsd-name-of-twenty-x" + b"three"), (b"short.o/", b"four"))[8:]
    members, _ = opened("x.a", raw)
    assert members == {
        "x.a!/a-name-longer-than-sixteen.o": b"one",
        "x.a!/another-name-that-is-long.o": b"two",
        "x.a!/bsd-name-of-twenty-x": b"three",
        "x.a!/short.o": b"four",
    }


def test_a_cut_member_is_given_and_said() -> None:
    members, trail = opened("x.a", archived((b"a/", b"whole"), (b"b/", b"token-in-here"))[:-4])
    assert members["x.a!/b"] == b"token-in-h"
    assert [skipped.reason for skipped in trail.skipped] == ["truncated"]


def test_a_bad_header_leaves_the_rest_as_it_is() -> None:
    members, trail = opened("x.a", archived((b"a/", b"even")) + b"?" * 80 + b"token")
    assert members["x.a!/(unread)"].endswith(b"token")
    assert [skipped.reason for skipped in trail.skipped] == ["bad-header"]


@pytest.mark.parametrize("name", [b"../../etc/passwd", b"/etc/passwd"])
def test_names_that_lead_out_are_hazards(name: bytes) -> None:
    table = archived((b"//", name + b"/\n"), (b"/0", b"x"))
    assert [hazard.kind for hazard in opened("x.a", table)[1].hazards] == ["traversal"]


@settings(deadline=None)
@given(mutated(DEB))
def test_mutations_never_raise(raw: bytes) -> None:
    _, trail = opened("x.deb", raw)
    assert "reader-error" not in {skipped.reason for skipped in trail.skipped}


@given(st.binary(max_size=300))
def test_any_bytes_behind_the_magic_never_raise(rest: bytes) -> None:
    _, trail = opened("x.a", b"!<arch>\n" + rest)
    assert "reader-error" not in {skipped.reason for skipped in trail.skipped}
