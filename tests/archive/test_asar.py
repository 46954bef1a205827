"""Electron's archives: index, files, and the bytes that the index does not own up to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from tests.archive.mutations import mutated, opened


def packed(files: dict[str, Any], body: bytes) -> bytes:
    text = json.dumps({"files": files}, separators=(",", ":")).encode()
    padded = text + bytes(-len(text) % 4)
    sizes = (4, len(padded) + 8, len(padded) + 4, len(text))
    return b"".join(size.to_bytes(4, "little") for size in sizes) + padded + body


def placed(offset: int, size: int, **more: Any) -> dict[str, Any]:
    return {"offset": str(offset), "size": size} | more


APP = packed(
    {
        ".env": placed(0, 8),
        "src": {"files": {"main.js": placed(8, 5), "native.node": {"size": 9, "unpacked": True}}},
        "latest": {"link": "src/main.js"},
    },
    b"TOKEN=1\nmain()hidden",
)


def test_files_links_and_the_unlisted_rest() -> None:
    members, trail = opened("app.asar", APP)
    assert members["app.asar!/.env"] == b"TOKEN=1\n"
    assert members["app.asar!/src/main.js"] == b"main("
    (rest,) = (body for path, body in members.items() if "unlisted" in path)
    assert rest == b")hidden"
    assert [(skipped.path, skipped.reason) for skipped in trail.skipped] == [
        ("app.asar!/latest", "link")
    ]


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (placed(10**9, 5), "truncated"),
        (placed(0, 10**15), "truncated"),
        ({"offset": "-5", "size": 5}, "bad-header"),
        ({"offset": 3, "size": 5}, "bad-header"),
        ({"offset": "9" * 500, "size": 5}, "bad-header"),
        ({"offset": "0", "size": -1}, "bad-header"),
        ("text", "bad-header"),
    ],
)
def test_lying_entries_are_said_and_cost_nothing_else(node: object, reason: str) -> None:
    members, trail = opened("a.asar", packed({"bad": node, "good": placed(0, 4)}, b"good"))
    assert members["a.asar!/good"] == b"good"
    assert [skipped.reason for skipped in trail.skipped] == [reason]


def test_names_that_lead_out_are_hazards() -> None:
    _, trail = opened("a.asar", packed({"..": {"files": {"x": placed(0, 1)}}}, b"x"))
    assert [hazard.kind for hazard in trail.hazards] == ["traversal"]


def test_entries_that_share_their_bytes_are_stopped() -> None:
    body = bytes(200_000)
    files = {f"{number}": placed(0, len(body)) for number in range(5_000)}
    members, trail = opened("a.asar", packed(files, body))
    assert sum(map(len, members.values())) <= 200_000 * 400
    assert "overlap" in {hazard.kind for hazard in trail.hazards}


def test_an_index_that_nests_too_deeply_is_scanned_as_it_is() -> None:
    raw = b"\4\0\0\0" + b"\0\1\0\0" * 3 + b'{"files":' + b'{"a":' * 60_000
    members, trail = opened("a.asar", raw)
    assert list(members) == ["a.asar"]
    assert [skipped.reason for skipped in trail.skipped] == ["bad-header"]


@settings(deadline=None)
@given(mutated(APP))
def test_mutations_never_raise(raw: bytes) -> None:
    _, trail = opened("a.asar", raw)
    assert "reader-error" not in {skipped.reason for skipped in trail.skipped}
