"""A map's own JSON is searched around its sources, and these as members: nothing falls between."""

from __future__ import annotations

import json
import random
import string
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.rules import Matcher
    from tests.scenarios.conftest import Outcome

RULE = "gitlab-personal-access-token"
FILLER = "export const answer = 42; // nothing to see\n" * 200


def token(seed: int) -> str:
    """A made-up token of the right form."""
    return "glpat-" + "".join(
        random.Random(seed).choices(string.ascii_letters + "0123456789", k=20)
    )


BEFORE, INSIDE, BEHIND = (token(seed) for seed in (1, 2, 3))


def written() -> bytes:
    """A map with a token before its sources, one in a source, and one behind them."""
    document = {
        "version": 3,
        "x_before": f"key = {BEFORE}",
        "sources": ["../src/a.ts"],
        "sourcesContent": [FILLER + f'const key = "{INSIDE}";\n'],
        "names": [f"key = {BEHIND}"],
        "mappings": "AAAA",
    }
    return json.dumps(document, separators=(",", ":")).encode()


@pytest.mark.parametrize("name", ["app.js.map", "app.json"])
def test_tokens_around_and_in_the_sources(scan: Callable[..., Outcome], name: str) -> None:
    content = written()
    found = scan(content, name).of(RULE)
    assert [(each.path, each.byte_offset) for each in found if each.path == name] == [
        (name, content.index(BEFORE.encode())),
        (name, content.index(BEHIND.encode())),
    ]
    (inner,) = [each for each in found if each.path != name]
    assert inner.path.endswith("!/../src/a.ts")


@pytest.mark.parametrize(
    ("broken", "count"),
    [
        (written()[:-30], 2),  # the last token is cut off
        (written() + b"," * 100 + b'"x"', 3),
        (written().replace(b'"sources":', b'"sourcesContent":["twice"],"sources":'), 3),
        (b"\xff\xfe" + written().decode().encode("utf-16-le"), 3),
    ],
    ids=["truncated", "trailing", "a key twice", "UTF-16"],
)
def test_what_is_no_sound_map_is_searched_whole(
    scan: Callable[..., Outcome], broken: bytes, count: int
) -> None:
    found = scan(broken, "app.js.map").of(RULE)
    assert len({each.fingerprint for each in found}) == count


def test_a_hole_is_two_texts(matcher: Matcher) -> None:
    head, tail = f'a = atob("x"); key = {BEFORE}\n'.encode(), f"b = {BEHIND} atob(".encode()
    text = head + INSIDE.encode() + tail
    hole = len(head), len(head) + len(INSIDE)
    found = matcher.scan_around(text, "joined.txt", hole)
    assert [match.secret.decode() for match in found] == [BEFORE, BEHIND]
    assert all(text[one.secret_start : one.secret_end] == one.secret for one in found)
    ends = matcher.probe_hits["base64-word"]
    assert [text[end - 5 : end] for end in ends] == [b"atob(", b"atob("]
