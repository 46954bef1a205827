"""Pictures: texts, plain and compressed, and what is hidden behind the last chunk."""

from __future__ import annotations

import gzip
import zlib

from hypothesis import given, settings

from tests.archive.mutations import mutated, opened


def chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


HEAD = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13))
END = chunk(b"IEND", b"")
PICTURE = (
    HEAD
    + chunk(b"tEXt", b"Comment\0plain-token")
    + chunk(b"zTXt", b"Prompt\0\0" + zlib.compress(b"squeezed-token"))
    + chunk(b"iTXt", b"XML\0\0\0en\0\0international-token")
    + chunk(b"iTXt", b"XML\0\1\0\0\0" + zlib.compress(b"both-token"))
    + chunk(b"IDAT", zlib.compress(bytes(100)))
    + chunk(b"eXIf", b"MM\0*exif-token")
    + END
)


def test_every_text_is_read_and_pixels_are_not() -> None:
    members, trail = opened("a.png", PICTURE + b"tail-token")
    assert members == {
        "a.png!/(tEXt 1)": b"Comment\nplain-token",
        "a.png!/(zTXt 2)": b"Prompt\nsqueezed-token",
        "a.png!/(iTXt 3)": b"XML\nen\ninternational-token",
        "a.png!/(iTXt 4)": b"XML\nboth-token",
        "a.png!/(eXIf 5)": b"MM\0*exif-token",
        "a.png!/(tail)": b"tail-token",
    }
    assert trail.skipped == []


def test_an_archive_behind_the_picture_is_opened() -> None:
    members, _ = opened("a.png", HEAD + END + gzip.compress(b"hidden"))
    assert b"hidden" in members.values()


def test_a_picture_without_text_is_a_member_itself() -> None:
    assert list(opened("a.png", HEAD + END)[0]) == ["a.png"]


def test_a_text_that_inflates_without_end_is_stopped() -> None:
    bomb = zlib.compress(bytes(80 << 20), 9)
    members, trail = opened("a.png", HEAD + chunk(b"zTXt", b"k\0\0" + bomb) + END)
    assert {skipped.reason for skipped in trail.skipped} & {"over-ratio", "over-member-bytes"}
    assert sum(map(len, members.values())) < 70 << 20


def test_a_cut_picture_is_said_and_the_rest_scanned() -> None:
    members, trail = opened("a.png", HEAD + (1000).to_bytes(4, "big") + b"tEXtkey\0cut-token")
    assert members["a.png!/(tail)"].endswith(b"cut-token")
    assert [skipped.reason for skipped in trail.skipped] == ["truncated"]


@settings(deadline=None)
@given(mutated(PICTURE))
def test_mutations_never_raise(raw: bytes) -> None:
    _, trail = opened("a.png", raw)
    assert "reader-error" not in {skipped.reason for skipped in trail.skipped}
