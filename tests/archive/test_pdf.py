"""PDF: what is compressed, what is shown piecemeal, what is UTF-16."""

from __future__ import annotations

import zlib

from hypothesis import given, settings

from tests.archive.mutations import mutated, opened

PAGE = b"BT /F1 9 Tf [(tok) -20 (en\\051)] TJ (second \\\nline) Tj ET"


def stream(body: bytes, dictionary: bytes = b"/Filter /FlateDecode") -> bytes:
    head = b"4 0 obj\n<< /Length %d %s >>\nstream\r\n" % (len(body), dictionary)
    return head + body + b"\nendstream\nendobj\n"


TITLE = b"\xfe\xff" + "Plan grün".encode("utf-16-be")
DOCUMENT = (
    b"%PDF-1.7\n1 0 obj\n<< /Title ("
    + TITLE
    + b") /Author <FEFF"
    + "Jo".encode("utf-16-be").hex().encode()
    + b"> >>\nendobj\n"
    + stream(zlib.compress(PAGE))
    + stream(b"plain bytes", b"")
    + stream(zlib.compress(b"%d 0 obj (object stream secret)" % 9))
    + b"%%EOF\n"
)


def test_streams_texts_and_the_file_itself() -> None:
    members, trail = opened("a.pdf", DOCUMENT)
    assert members == {
        "a.pdf": DOCUMENT,
        "a.pdf!/(stream 1)": PAGE,
        "a.pdf!/(stream 1 text)": b"token)\nsecond line",
        "a.pdf!/(stream 3)": b"9 0 obj (object stream secret)",
        "a.pdf!/(texts)": "Plan grün\nJo".encode(),
    }
    assert trail.skipped == []


def test_a_damaged_stream_gives_its_beginning() -> None:
    body = zlib.compress(b"".join(b"line %d\n" % number for number in range(9_000)))
    members, trail = opened("a.pdf", b"%PDF-1.4\n" + stream(body)[: len(body) // 2])
    assert members["a.pdf!/(stream 1)"].startswith(b"line 0\nline 1\n")
    assert [skipped.reason for skipped in trail.skipped] == ["truncated"]


def test_a_bomb_is_stopped() -> None:
    bomb = stream(zlib.compress(bytes(40 << 20), 9))
    members, trail = opened("a.pdf", b"%PDF-1.4\n" + bomb * 50)
    assert sum(map(len, members.values())) < 70 << 20
    assert "bomb" in {hazard.kind for hazard in trail.hazards}


@settings(deadline=None)
@given(mutated(DOCUMENT))
def test_mutations_never_raise(raw: bytes) -> None:
    _, trail = opened("a.pdf", raw)
    assert "reader-error" not in {skipped.reason for skipped in trail.skipped}
