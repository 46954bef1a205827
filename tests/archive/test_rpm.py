"""RPM packages and the cpio archives in them."""

from __future__ import annotations

import gzip
import lzma
import struct

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive.mutations import mutated, opened

FILE, LINK, DEVICE, FOLDER = 0o100644, 0o120777, 0o060644, 0o040755
TREE = (
    (b"./etc", FOLDER, b""),
    (b"./etc/acme.env", FILE, b"TOKEN=1\n"),
    (b"./usr/lib/acme.js", FILE, b"run()\n"),
    (b"./etc/link", LINK, b"acme.env"),
)


def newc(*members: tuple[bytes, int, bytes]) -> bytes:
    out = b""
    for name, mode, body in (*members, (b"TRAILER!!!", 0, b"")):
        fields = (1, mode, 0, 0, 1, 1_700_000_000, len(body), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name + b"\0"
        out += head + bytes(-len(head) % 4) + body + bytes(-len(body) % 4)
    return out + bytes(-len(out) % 512)


def odc(*members: tuple[bytes, int, bytes]) -> bytes:
    out = b""
    for name, mode, body in (*members, (b"TRAILER!!!", 0, b"")):
        out += b"070707" + b"%06o" % 1 + b"%06o" % 1 + b"%06o" % mode + b"%06o" % 0 * 4
        out += b"%011o%06o%011o" % (1_700_000_000, len(name) + 1, len(body)) + name + b"\0" + body
    return out


def rpm(payload: bytes) -> bytes:
    def header(*values: bytes) -> bytes:
        store = b"\0".join(values) + b"\0"
        index = b"".join(struct.pack(">IIII", 1000 + at, 6, 0, 1) for at, _ in enumerate(values))
        return (
            b"\x8e\xad\xe8\1\0\0\0\0" + struct.pack(">II", len(values), len(store)) + index + store
        )

    signature = header(b"signature")
    signature += bytes(-len(signature) % 8)
    lead = b"\xed\xab\xee\xdb\3\0" + bytes(90)
    return lead + signature + header(b"acme", b"built on host.corp.acme.example") + payload


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(newc(*TREE)), lzma.compress(newc(*TREE)), zstandard.compress(odc(*TREE))],
)
def test_a_package_is_opened_to_its_files(packed: bytes) -> None:
    members, trail = opened("acme.rpm", rpm(packed))
    named = {path.rpartition("!/")[2]: content for path, content in members.items()}
    assert named["./etc/acme.env"] == b"TOKEN=1\n"
    assert named["./usr/lib/acme.js"] == b"run()\n"
    assert b"host.corp.acme.example" in members["acme.rpm!/(header)"]
    assert set(named) == {"(header)", "./etc/acme.env", "./usr/lib/acme.js"}
    assert trail.skipped == []
    assert {hazard.kind for hazard in trail.hazards} == {"link"}


@pytest.mark.parametrize("make", [newc, odc])
def test_hazards_of_names_links_and_devices(make: object) -> None:
    assert callable(make)
    raw = make(
        (b"../../etc/cron.d/x", FILE, b"a"),
        (b"l", LINK, b"/etc/passwd"),
        (b"d", DEVICE, b""),
        (b"two", FILE, b"1"),
        (b"two", FILE, b"2"),
    )
    _, trail = opened("a.cpio", raw)
    assert {hazard.kind for hazard in trail.hazards} == {
        *("traversal", "link-escape", "device", "duplicate"),
    }


@pytest.mark.parametrize("cut", [105, 120, 200, 300])
def test_what_is_cut_is_said_and_the_rest_delivered(cut: int) -> None:
    whole = newc(*TREE)
    members, trail = opened("a.cpio", whole[:cut])
    assert members
    assert {gap.reason for gap in trail.skipped} & {"truncated", "bad-header"}
    second = whole.index(b"070701", 1)
    broken = whole[:second] + b"??" + whole[second + 2 :]
    members, trail = opened("a.cpio", broken)
    assert b"run()" in b"".join(members.values())
    assert "bad-header" in {gap.reason for gap in trail.skipped}


def test_a_package_without_a_payload() -> None:
    whole = rpm(b"")
    assert {gap.reason for gap in opened("a.rpm", whole)[1].skipped} == {"truncated"}
    members, trail = opened("a.rpm", whole[:150])
    assert {gap.reason for gap in trail.skipped} == {"truncated"}
    assert list(members.values()) == [whole[:150]]


WHOLE = (newc(*TREE), odc(*TREE), rpm(newc(*TREE)))


@settings(max_examples=200, deadline=None)
@given(st.one_of([mutated(whole) for whole in WHOLE]))
def test_no_bytes_raise(raw: bytes) -> None:
    _, trail = opened("a", raw)
    assert "reader-error" not in {gap.reason for gap in trail.skipped}
