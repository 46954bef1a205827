"""What holds of every input: all members come back, and no bytes at all make the walk raise."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.archive import Budget, Limits, Member, Trail, walk

Members = list[tuple[str, bytes]]
Packer = Callable[[Members], bytes]

RELAXED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
CLOCKLESS = Limits(max_seconds=1e9)


def pack_tar(members: Members, dialect: int) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=dialect) as archive:
        for name, body in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    return made.getvalue()


def pack_zip(members: Members, method: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return made.getvalue()


class OneWay(io.RawIOBase):
    """A sink that cannot seek: zipfile then writes sizes behind the members."""

    def __init__(self) -> None:
        super().__init__()
        self.got = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece: object) -> int:
        self.got += piece  # type: ignore[arg-type] # zipfile writes bytes
        return len(piece)  # type: ignore[arg-type] # as above


def pack_streamed_zip(members: Members) -> bytes:
    sink = OneWay()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return bytes(sink.got)


CONTAINERS: dict[str, Packer] = {
    "gnu": lambda members: pack_tar(members, tarfile.GNU_FORMAT),
    "pax": lambda members: pack_tar(members, tarfile.PAX_FORMAT),
    "stored": lambda members: pack_zip(members, zipfile.ZIP_STORED),
    "deflated": lambda members: pack_zip(members, zipfile.ZIP_DEFLATED),
    "zip-bzip2": lambda members: pack_zip(members, zipfile.ZIP_BZIP2),
    "zip-lzma": lambda members: pack_zip(members, zipfile.ZIP_LZMA),
    "streamed": pack_streamed_zip,
    "tgz": lambda members: gzip.compress(pack_tar(members, tarfile.GNU_FORMAT)),
    "tbz": lambda members: bz2.compress(pack_tar(members, tarfile.PAX_FORMAT)),
    "txz": lambda members: lzma.compress(pack_tar(members, tarfile.GNU_FORMAT), preset=0),
    "tzst": lambda members: zstandard.compress(pack_tar(members, tarfile.GNU_FORMAT)),
}

NAMES = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyzäßλ_-", min_size=1, max_size=60), min_size=1, max_size=4
).map("/".join)
BODIES = st.one_of(
    st.binary(max_size=2_000).map(lambda body: b"." + body),
    st.integers(0, 300_000).map(lambda size: b"line of text\n" * (size // 13)),
)
MEMBERS = st.lists(st.tuples(NAMES, BODIES), min_size=1, max_size=6, unique_by=lambda pair: pair[0])


def walked(data: bytes, limits: Limits = CLOCKLESS) -> tuple[list[Member], Trail]:
    trail = Trail()
    return list(walk("a", data, Budget(limits), trail)), trail


@RELAXED
@given(MEMBERS, st.sampled_from(sorted(CONTAINERS)))
def test_every_member_comes_back(members: Members, kind: str) -> None:
    found, trail = walked(CONTAINERS[kind](members))
    assert [(one.path, bytes(one.data)) for one in found] == [
        (f"a!/{name}", body) for name, body in members
    ]
    assert (trail.skipped, trail.hazards) == ([], [])


@RELAXED
@given(MEMBERS, st.lists(st.sampled_from(sorted(CONTAINERS)), min_size=2, max_size=4))
def test_every_member_comes_back_from_any_depth(members: Members, kinds: list[str]) -> None:
    packed = CONTAINERS[kinds[0]](members)
    for kind in kinds[1:]:
        packed = CONTAINERS[kind]([("in", packed)])
    found, trail = walked(packed)
    prefix = "a" + "!/in" * (len(kinds) - 1)
    assert {(one.path, bytes(one.data)) for one in found} == {
        (f"{prefix}!/{name}", body) for name, body in members
    }
    assert {one.depth for one in found} == {len(kinds)}
    assert (trail.skipped, trail.hazards) == ([], [])


@RELAXED
@given(st.binary(min_size=1, max_size=40_000), st.integers(1_000, 9_000))
def test_windows_join_to_the_member(body: bytes, window: int) -> None:
    limits = Limits(
        max_member_bytes=window, window_bytes=window, overlap_bytes=100, max_seconds=1e9
    )
    for data in (b"." + body, gzip.compress(b"." + body), CONTAINERS["tgz"]([("m", b"." + body)])):
        found, trail = walked(data, limits)
        joined = b""
        for one in found:
            assert one.offset <= len(joined)
            joined = joined[: one.offset] + bytes(one.data)
        assert joined == b"." + body
        assert [one.is_last for one in found] == [False] * (len(found) - 1) + [True]
        assert len({one.path for one in found}) == 1
        assert trail.skipped == []


@RELAXED
@given(st.binary(max_size=4_000))
def test_any_bytes_are_walked(data: bytes) -> None:
    found, _ = walked(data)
    assert found


MAGICS = (
    *(
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
        b"\x1f\x8b\x08\x1c",
        b"PK\3\4",
        b"PK\5\6",
        b"PK\7\x08PK\3\4",
    ),
    *(b"BZh91AY&SY", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"x\x9c", b"#!/bin/sh\n", b"Cr24"),
    b"\x5d\0\0\x80\0" + b"\xff" * 8 + b"\0",
)


@RELAXED
@given(
    st.sampled_from(MAGICS),
    st.binary(max_size=2_000),
    st.sampled_from((b"", b"PK\5\6" + bytes(18))),
)
def test_any_bytes_behind_a_magic_are_walked(magic: bytes, body: bytes, end: bytes) -> None:
    found, trail = walked(magic + body + end)
    assert found
    assert "reader-error" not in {note.reason for note in trail.skipped}


INNER = CONTAINERS["deflated"]([("x", b"inner text " * 50)])
WHOLE = {
    kind: pack([("a/b", b"some text " * 100), ("c.zip", INNER)])
    for kind, pack in CONTAINERS.items()
}


@settings(RELAXED, max_examples=250)
@given(st.data())
def test_any_damaged_archive_is_walked(data: st.DataObject) -> None:
    damaged = bytearray(WHOLE[data.draw(st.sampled_from(sorted(WHOLE)))])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        fresh = data.draw(st.binary(min_size=1, max_size=12))
        damaged[place : place + data.draw(st.sampled_from((0, len(fresh))))] = fresh
    cut = data.draw(st.one_of(st.just(len(damaged)), st.integers(0, len(damaged))))
    found, trail = walked(bytes(damaged[:cut]))
    assert found
    assert all(one.path.isprintable() for one in found)
    assert "reader-error" not in {note.reason for note in trail.skipped}
    assert sum(len(one.data) for one in found) < 20 << 20


def test_zlib_streams_are_opened() -> None:
    found, trail = walked(zlib.compress(b"hello" * 100))
    assert [(one.path, bytes(one.data)) for one in found] == [("a!/a", b"hello" * 100)]
    assert trail.skipped == []
