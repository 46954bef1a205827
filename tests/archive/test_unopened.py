"""Kinds of archives that are known and not opened: each is told, wherever it lies."""

from __future__ import annotations

import gzip

import pytest

from monitor.archive.marks import UNOPENED
from tests.archive.mutations import opened
from tests.scenarios.builders import tar

MARKS = [*UNOPENED, ("compress", b"\x1f\x9d\x90")]


@pytest.mark.parametrize(("name", "magic"), MARKS)
def test_it_is_a_gap_and_its_bytes_are_still_searched(name: str, magic: bytes) -> None:
    raw = magic + bytes(40) + b"stored as it is"
    members, trail = opened(f"a.{name}", raw)
    assert members == {f"a.{name}": raw}
    assert [(gap.path, gap.reason) for gap in trail.skipped] == [
        (f"a.{name}", "unsupported-archive")
    ]
    nested = gzip.compress(tar({f"package/a.{name}": raw, "package/b.js": b"1"}))
    members, trail = opened("a.tgz", nested)
    assert members[f"a.tgz!/package/a.{name}"] == raw
    assert [(gap.path, gap.reason) for gap in trail.skipped] == [
        (f"a.tgz!/package/a.{name}", "unsupported-archive")
    ]


@pytest.mark.parametrize(
    "raw", [b"7z is a tool", b"Rar! he said", b"\x1f\x9d\xff\0", b"\x1f\x9d", b"070701 is a number"]
)
def test_text_and_chance_are_none(raw: bytes) -> None:
    members, trail = opened("a", raw)
    assert members == {"a": raw}
    assert trail.skipped == []
