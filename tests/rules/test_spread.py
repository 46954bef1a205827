from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.rules import bundled_rules_folder, load
from monitor.rules.spread import spread
from tests.rules.writing import matcher, rule

if TYPE_CHECKING:
    from pathlib import Path

RULES = load([bundled_rules_folder()]).rules
PROBES = [branch.expressions[0].probe for one in RULES for branch in one.branches]
WRITTEN_OUT = {probe: spread(probe) for probe in PROBES if len(spread(probe)) > 1}


@pytest.mark.parametrize(
    ("probe", "count"),
    [
        (r"[1-2](?:/|\\+/)[0-9]{3}:[0-9a-f]{4}", 2),
        (r"[a-z]{1}:(?:[0-9]{2,3}|\x2a):[a-z]{2}", 11),
        (r"[a-z]:[0-9]{1,2}:", 10),
        (r"[a-z]:[0-9]{0,2}:", 1),  # the set can be left out
        (r"[1-2]/[0-9]{3}", 1),  # has literals of two bytes
        (r"acme_[0-9]{3}", 1),
        (r"[a-z]{4}", 1),  # has none, and none can be made of it
    ],
)
def test_a_probe_without_a_literal_is_written_out(probe: str, count: int) -> None:
    written = spread(probe)
    assert len(written) == count
    together = re.compile("|".join(written))
    randomly = random.Random(5)
    texts = ["".join(randomly.choices("12/:*a0f\\", k=12)) for _ in range(20_000)]
    texts += ["1/123:0a0f", "2/000:ffff", "a:12:ab", "z:*:ab", "a:0:", "acme_123", "abcd"]
    matched = [text for text in texts if re.search(probe, text)]
    assert matched
    assert matched == [text for text in texts if together.search(text)]


def test_few_rules_need_it() -> None:
    assert 0 < len(WRITTEN_OUT) < len(PROBES) / 20


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_a_probe_matches_one_of_its_parts_matches(data: st.DataObject) -> None:
    probe = data.draw(st.sampled_from(sorted(WRITTEN_OUT)))
    text = data.draw(st.from_regex(re.compile(probe.encode()), fullmatch=True))
    assert any(re.fullmatch(part.encode(), text) for part in WRITTEN_OUT[probe])


def test_a_rule_written_out_finds_each_match_once(tmp_path: Path) -> None:
    found_by = matcher(tmp_path, rule(r"(?P<SECRET>[12]/[0-9]{3}:[0-9a-f]{4})"))
    text = rb"1/123:0a0f 2/000:ffff 3/123:0a0f \"2\/000:abcd\""
    assert [one.secret for one in found_by.scan_all(text)] == [
        b"1/123:0a0f",
        b"2/000:ffff",
        b"2/000:abcd",
    ]
