"""JSON, JSON Lines and their schema against the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from monitor.report import RenderOptions, render
from monitor.report.schema import line_schema, scan_schema
from monitor.suppress import Hidden
from tests.report.samples import VALUE, clean_target, full_report, report, secret_finding

_scan = Draft202012Validator(scan_schema())
_line = Draft202012Validator(line_schema())


def _options() -> RenderOptions:
    hidden = (Hidden(secret_finding(3), "ignore", "revoked in May"),)
    return RenderOptions(hidden=((), hidden), notes=("said",), show_secrets=True)


def test_the_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(scan_schema())
    Draft202012Validator.check_schema(line_schema())
    assert scan_schema()["properties"]["schema"] == {"const": "leakmon/scan/1"}


def test_a_report_keeps_the_contract() -> None:
    told = json.loads(render("json", full_report()))
    assert list(told) == ["schema", "tool", "targets", "summary"]
    assert told["schema"] == "leakmon/scan/1"
    assert set(told["tool"]) == {"name", "version", "rules_digest"}
    assert told["summary"] == {
        "severities": {"info": 0, "low": 40, "medium": 1, "high": 0, "critical": 16},
        "seconds": 1.834,
        "bytes": 23_108_613,
    }
    leaking, _, failed = told["targets"]
    assert failed["status"] == "failed"
    assert "purl" not in failed
    assert "sha256" not in failed
    source_map = next(f for f in leaking["findings"] if f["rule"] == "source-map-first-party")
    assert "secret" not in source_map
    assert source_map["evidence"]["largest"][0] == "src/agents/loop-0/planner.ts"
    token = next(f for f in leaking["findings"] if f["detector"] == "secrets")
    assert set(token["secret"]) == {"redacted", "fingerprint", "checksum"}
    assert token["severity"] == "critical"
    assert "evidence" not in token


def test_the_value_stands_in_the_secret_on_request() -> None:
    target = replace(clean_target(), findings=[secret_finding(value=VALUE)])
    told = json.loads(render("json", report(target), RenderOptions(show_secrets=True)))
    assert told["targets"][0]["findings"][0]["secret"]["value"] == VALUE
    _scan.validate(told)


@pytest.mark.parametrize("options", [RenderOptions(), _options()])
def test_the_schema_accepts_every_report(options: RenderOptions) -> None:
    _scan.validate(json.loads(render("json", full_report(), options)))
    for line in render("jsonl", full_report(), options).splitlines():
        _line.validate(json.loads(line))


def _objects(value: Any) -> list[dict[str, Any]]:
    """Every object in a report save free-form evidence."""
    if isinstance(value, list):
        return [found for item in value for found in _objects(item)]
    if not isinstance(value, dict):
        return []
    inner = [found for key, item in value.items() if key != "evidence" for found in _objects(item)]
    return [value, *inner]


def test_the_schema_refuses_what_is_not_in_the_contract() -> None:
    told = json.loads(render("json", full_report(), _options()))
    objects = _objects(told)
    assert len(objects) > 50
    kinds = {tuple(thing): thing for thing in objects}
    for thing in kinds.values():
        thing["surprise"] = 1
        assert not _scan.is_valid(told)
        del thing["surprise"]
    for key in list(told["targets"][0]["findings"][0]):
        kept = told["targets"][0]["findings"][0].pop(key)
        is_optional = key in {"secret", "evidence", "advice"}
        assert _scan.is_valid(told) is is_optional, key
        told["targets"][0]["findings"][0][key] = kept


def test_lines_can_be_read_alone_and_a_cut_file_shows() -> None:
    lines = [json.loads(line) for line in render("jsonl", full_report(), _options()).splitlines()]
    assert [line["type"] for line in lines].count("target") == 3
    assert lines[0]["type"] == "target"
    assert lines[-1]["type"] == "summary"
    assert all(line["type"] != "summary" for line in lines[:-1])
    finding = next(line for line in lines if line["type"] == "finding")
    assert finding["purl"] == "pkg:npm/%40acme/cli@2.1.88"
    assert finding["filename"] == "acme-cli-2.1.88.tgz"
    hidden = next(line for line in lines if line["type"] == "hidden")
    assert (hidden["by"], hidden["explanation"]) == ("ignore", "revoked in May")


def test_evidence_that_json_cannot_hold_becomes_what_it_can() -> None:
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    evidence = {
        "nan": float("nan"),
        "big": 2**80,
        "huge": 16**9000,
        "bytes": b"x",
        1: {2},
        "deep": deep,
        "t": (1,),
    }
    target = replace(clean_target(), findings=[replace(secret_finding(), evidence=evidence)])
    told = json.loads(render("json", report(target)))["targets"][0]["findings"][0]["evidence"]
    assert told["nan"] is None
    assert told["big"] == str(2**80)
    assert told["huge"] == hex(16**9000)
    for name in ("table", "html"):
        assert "0x1000" in render(name, report(target))
    assert told["t"] == [1]
    assert told["1"] == "{2}"
