"""SARIF against its own schema and what its readers need."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from msgspec.structs import replace

from monitor.model import Status
from monitor.report import RenderOptions, render
from monitor.report.sarif import message, uri
from monitor.suppress import Hidden
from tests.report.samples import (
    clean_target,
    failed_target,
    full_report,
    leaking_target,
    report,
    secret_finding,
)

_schema = Path(__file__).with_name("sarif-2.1.0-rtm.5.json")


@pytest.fixture(scope="module")
def schema() -> Draft4Validator:
    return Draft4Validator(json.loads(_schema.read_text()))


def _run(text: str) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(text)["runs"][0]
    return run


def test_it_is_valid_sarif(schema: Draft4Validator) -> None:
    hidden = ((Hidden(secret_finding(), "inline", "not a secret"),),)
    options = RenderOptions(
        hidden=hidden, notes=("said",), generated_at=datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    )
    schema.validate(json.loads(render("sarif", full_report(), options)))
    schema.validate(json.loads(render("sarif", report())))


def test_results_point_to_their_rules_and_places() -> None:
    run = _run(render("sarif", report(leaking_target())))
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    first = run["results"][0]
    assert first["level"] == "error"
    place = first["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == (
        "acme-cli-2.1.88.tgz!/package/dist/vendor/chunk-0000.js.map!/src/client.ts"
    )
    assert place["physicalLocation"]["region"] == {
        "startLine": 12,
        "startColumn": 27,
        "endLine": 12,
        "endColumn": 67,
    }
    assert place["logicalLocations"][0]["name"] == "src/client.ts"
    assert "snippet" not in json.dumps(run)
    binary = next(result for result in run["results"] if "libacme-3." in json.dumps(result))
    assert binary["locations"][0]["physicalLocation"]["region"] == {"byteOffset": 3_007}


def test_one_secret_keeps_one_fingerprint() -> None:
    run = _run(render("sarif", report(leaking_target())))
    tokens = [r for r in run["results"] if r["ruleId"] == "github-personal-access-token"]
    assert len(tokens) == 15
    assert len({json.dumps(r["partialFingerprints"], sort_keys=True) for r in tokens}) == 1


def test_a_rule_tells_what_to_do_and_how_bad_it_is() -> None:
    rules = {
        rule["id"]: rule
        for rule in _run(render("sarif", report(leaking_target())))["tool"]["driver"]["rules"]
    }
    token = rules["github-personal-access-token"]
    assert token["properties"]["security-severity"] == "9.5"
    assert token["help"]["text"].startswith("Revoke the token now")
    assert token["helpUri"].startswith("https://docs.github.example/")
    assert rules["home-path"]["shortDescription"]["text"] == "home path"
    assert rules["home-path"]["properties"]["security-severity"] == "2.5"


def test_what_was_not_inspected_is_notified() -> None:
    run = _run(render("sarif", report(leaking_target(), failed_target())))
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    told = [(n["descriptor"]["id"], n["level"]) for n in invocation["toolExecutionNotifications"]]
    assert told == [
        ("encrypted", "warning"),
        ("encrypted", "warning"),
        ("truncated", "warning"),
        ("digest-mismatch", "error"),
    ]
    bare = replace(clean_target(), status=Status.FAILED)
    failed = _run(render("sarif", report(bare)))["invocations"][0]
    assert len(failed["toolExecutionNotifications"]) == 1


def test_a_suppressed_finding_says_so() -> None:
    hidden = ((Hidden(secret_finding(), "ignore", "revoked in May"),),)
    run = _run(render("sarif", report(clean_target()), RenderOptions(hidden=hidden)))
    assert run["results"][0]["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "revoked in May"}
    ]


def test_uris_cannot_leave_the_artifact() -> None:
    assert uri("a.tgz!/b c/ü#?.js") == "a.tgz!/b%20c/%C3%BC%23%3F.js"
    assert uri("../../etc/./x") == "%2E%2E/%2E%2E/etc/%2E/x"
    assert uri("//host/share") == "/%2Fhost/share"
    assert uri("C:\\x") == "C%3A%5Cx"
    assert uri("\udcff") == "%ED%B3%BF"


def test_messages_hold_no_links() -> None:
    assert message("see [x](https://y.example) {0}") == "see \\[x\\](https://y.example) {{0}}"
    assert message("plain [1] text {name}") == "plain [1] text {name}"
