from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from monitor.rules.unescape import readings, unescape_string

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)


@given(TEXTS, st.booleans())
def test_json_strings_are_undone(text: str, is_ascii: bool) -> None:  # noqa: FBT001 - hypothesis
    raw = json.dumps(text, ensure_ascii=is_ascii)[1:-1].encode()
    decoded = unescape_string(raw)
    assert (raw if decoded is None else decoded[0]) == text.encode()


@given(st.binary(max_size=80))
def test_every_byte_knows_where_it_stood(raw: bytes) -> None:
    decoded = unescape_string(raw)
    if decoded is None:
        return
    text, offsets = decoded
    assert len(offsets) == len(text) + 1
    assert list(offsets) == sorted(offsets)
    assert offsets[-1] == len(raw)
    assert all(
        text[at] == raw[offset] for at, offset in enumerate(offsets[:-1]) if raw[offset] != 92
    )


def test_what_javascript_writes_is_undone() -> None:
    decoded = unescape_string(
        rb"a\x41B\/\'\
c\q\u00zz\uD83D\uDE00"
    )
    assert decoded is not None
    assert decoded[0] == "aAB/'c\\q\\u00zz😀".encode()


def test_levels_come_one_by_one_and_end() -> None:
    text = json.dumps(json.dumps(json.dumps(json.dumps("a\nb")))).encode()
    found = list(readings(text, is_anchored=False))
    assert [len(levels) for _, _, levels in found] == [1, 2, 3]
    for plain, offsets, _ in found:
        assert offsets is not None
        assert len(offsets) == len(plain) + 1
    assert list(readings(b"plain", is_anchored=False)) == []
    assert [one[0] for one in readings(b'"a"', is_anchored=True)] == [b"\na\n"]
