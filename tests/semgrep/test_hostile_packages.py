"""No package can switch Semgrep off."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from monitor.harvest import Code, Harvest
from monitor.semgrep import Engine, Limits, load
from tests.semgrep.packages import COPIES, JS_LEAK, PASSWORD, SLOW, hostile

if TYPE_CHECKING:
    from pathlib import Path

RULE = """\
rules:
  - id: test-call
    languages: [javascript]
    severity: HIGH
    message: A test.
    pattern: jwt.sign(..., "$SECRET")
"""


def test_every_file_with_a_leak_is_told(structural: list[dict[str, Any]]) -> None:
    told = {each["path"] for each in structural}
    names = [name for name, content in hostile().items() if PASSWORD.encode() in content]
    unread = {"package/huge.js"}
    leaks = [name for name in names if "/copies/" not in name and name not in unread]
    assert len(leaks) > 15
    for name in leaks:
        last = re.sub(r"[^\w.;$()=-]+", ".{0,20}", name.rpartition("/")[2])
        pattern = re.escape(last).replace(re.escape(".{0,20}"), ".{0,20}")
        assert any(re.search(pattern, path) for path in told), name


def test_sources_recovered_from_maps_are_read(structural: list[dict[str, Any]]) -> None:
    (found,) = [each for each in structural if "cli.js.map!/" in each["path"]]
    assert found["path"].endswith("/src/auth.ts")
    assert found["line"] == 2


def test_copies_are_read_once_and_counted(structural: list[dict[str, Any]]) -> None:
    copies = [each for each in structural if "/copies/" in each["path"]]
    assert len(copies) == 20
    counts = [each.get("evidence", {}).get("copies") for each in copies]
    assert counts == [None] * 19 + [COPIES]


def test_what_is_too_large_is_said(hostile_report: dict[str, Any]) -> None:
    (target,) = hostile_report["targets"]
    assert target["status"] == "partial"
    assert "not-fully-inspected" not in {each["rule"] for each in target["findings"]}
    skipped = {(each["path"].rpartition("/")[2], each["reason"]) for each in target["skipped"]}
    assert ("huge.js", "semgrep-over-size") in skipped
    assert {each for each in skipped if each[1].startswith("semgrep")} == {
        ("huge.js", "semgrep-over-size"),
        ("latin.js", "semgrep-partly-parsed"),
    }


def test_places_are_read_from_the_bytes(structural: list[dict[str, Any]]) -> None:
    (found,) = [each for each in structural if each["path"].endswith("latin.js")]
    first = b'var caf\xe9 = "\xff\xfe";\n'
    assert (found["line"], found["column"]) == (2, JS_LEAK.index(PASSWORD) + 1)
    assert (found["end_line"], found["end_column"]) == (2, found["column"] + len(PASSWORD))
    assert found["byte_offset"] == len(first) + JS_LEAK.index(PASSWORD)


def test_secrets_are_redacted_and_identified(
    hostile_report: dict[str, Any], structural: list[dict[str, Any]]
) -> None:
    assert PASSWORD not in json.dumps(hostile_report)
    assert {each["secret"]["redacted"] for each in structural} == {"…NfYk"}
    assert len({each["secret"]["fingerprint"] for each in structural}) == 1
    by_rule: dict[str, set[str]] = {}
    for each in structural:
        by_rule.setdefault(each["rule"], set()).add(each["fingerprint"])
    assert len(by_rule) == 4
    assert all(len(fingerprints) == 1 for fingerprints in by_rule.values())


def engine_of(tmp_path: Path, limits: Limits) -> Engine:
    (tmp_path / "rule.yaml").write_text(RULE)
    (tmp_path / "private").mkdir()
    return Engine(load([str(tmp_path / "rule.yaml")]), str(tmp_path / "private"), limits)


def harvest(*texts: str) -> Harvest:
    return Harvest([Code(".js", text.encode(), [f"p{at}.js"]) for at, text in enumerate(texts)])


def test_a_file_that_takes_too_long_costs_only_itself(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, Limits(file_seconds=2))
    engine.take(0, harvest(SLOW, JS_LEAK))
    findings, skipped = engine.run()[0]
    assert [each.path for each in findings] == ["p1.js"]
    assert [(each.path, each.reason) for each in skipped] == [("p0.js", "semgrep-over-time")]


def test_a_run_that_has_to_be_killed_costs_only_its_cause(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, Limits(file_seconds=0, batch_seconds=6))
    engine.take(0, harvest(SLOW))
    engine.take(1, harvest(JS_LEAK))
    told = engine.run()
    assert [(each.path, each.reason) for each in told[0][1]] == [("p0.js", "semgrep-over-time")]
    assert [each.path for each in told[1][0]] == ["p0.js"]
    assert told[1][1] == []


def test_nothing_runs_when_the_time_of_the_call_is_used_up(tmp_path: Path) -> None:
    (tmp_path / "rule.yaml").write_text(RULE)
    (tmp_path / "private").mkdir()
    seconds = iter([0.0, 10.0])
    engine = Engine(
        load([str(tmp_path / "rule.yaml")]),
        str(tmp_path / "private"),
        Limits(total_seconds=5),
        clock=lambda: next(seconds),
    )
    engine.take(0, harvest(JS_LEAK))
    assert [each.reason for each in engine.run()[0][1]] == ["semgrep-over-time"]


def test_a_child_cannot_name_the_files_that_are_written(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, Limits())
    engine.take(0, Harvest([Code("/../../../escaped.js", JS_LEAK.encode(), ["a.js"])]))
    assert [path.name for path in (tmp_path / "private").rglob("*.js")] == []
