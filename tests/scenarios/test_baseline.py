"""Scenario 41: what was allowed by its exact content stays quiet, and changed content alerts."""

from __future__ import annotations

import random
from datetime import date
from typing import TYPE_CHECKING

import pytest

from monitor.model import ScanReport, Severity, Status, TargetReport
from monitor.report import RenderOptions, render
from monitor.suppress import Suppressions, apply
from monitor.suppress.files import parse_baseline, parse_ignores
from tests.scenarios.builders import dumped, npm, own_sources, random_text, source_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.model import Finding
    from tests.scenarios.conftest import Outcome

    Scan = Callable[..., Outcome]

TODAY = date(2026, 11, 28)


def keystore(seed: int) -> bytes:
    return b"\x30\x82\x09\x00\x02\x01\x03" + random.Random(seed).randbytes(2300)


CARRIERS: dict[str, tuple[str, bytes, bytes]] = {
    "keystore": ("conf/a.p12", keystore(1), keystore(2)),
    "java keystore": (
        "a.jks",
        b"\xfe\xed\xfe\xed" + keystore(1),
        b"\xfe\xed\xfe\xed" + keystore(2),
    ),
    "environment": (
        ".env",
        f"DB_PASSWORD={random_text(24)}\n".encode(),
        f"DB_PASSWORD={random_text(24, 2)}\n".encode(),
    ),
    "npm": (
        ".npmrc",
        f"//npm.acme.example/:_authToken={random_text(36)}\n".encode(),
        f"//npm.acme.example/:_authToken={random_text(36, 2)}\n".encode(),
    ),
    "agent": (
        ".claude/settings.local.json",
        b'{"env": {"ACME_TOKEN": "' + random_text(40).encode() + b'"}}',
        b'{"env": {"ACME_TOKEN": "' + random_text(40, 2).encode() + b'"}}',
    ),
}


def fresh(known: list[Finding], now: list[Finding], name: str = "json") -> list[Finding]:
    """What of ``now`` a baseline made of ``known`` leaves, and the report written over it too."""
    target = TargetReport(target="acme.tgz", status=Status.COMPLETE, findings=known)
    first = ScanReport(targets=[target], rules_digest="0" * 64, version="1")
    baseline = parse_baseline(render(name, first, RenderOptions()), "known.json")
    kept, hidden = apply(known, Suppressions(baselines=(baseline,)), TODAY)
    assert kept == []
    quiet = ScanReport(
        targets=[TargetReport(target="acme.tgz", status=Status.COMPLETE)],
        rules_digest="0" * 64,
        version="1",
    )
    again = render(name, quiet, RenderOptions(hidden=(tuple(hidden),)))
    both = [baseline, parse_baseline(again, "again.json")]
    left = [apply(now, Suppressions(baselines=(each,)), TODAY)[0] for each in both]
    assert [each.fingerprint for each in left[0]] == [each.fingerprint for each in left[1]]
    return left[0]


@pytest.mark.parametrize("name", ["json", "jsonl"])
@pytest.mark.parametrize("case", CARRIERS)
def test_41_changed_content_alerts(scan: Scan, case: str, name: str) -> None:
    path, before, after = CARRIERS[case]
    known = scan(npm({path: before})).findings
    assert fresh(known, scan(npm({path: before, "index.js": b"2"})).findings, name) == []
    now = scan(npm({path: after})).findings
    assert {each.fingerprint for each in now} >= {
        each.fingerprint for each in known if each.detector == "carriers"
    }, "the fingerprint itself outlives a changed content"
    left = fresh(known, now, name)
    (carrier,) = (each for each in left if each.detector == "carriers")
    assert carrier.severity is Severity.CRITICAL
    assert "its content has changed" in carrier.evidence["beyond_baseline"]


@pytest.mark.parametrize("case", CARRIERS)
def test_41_an_ignore_can_hold_for_one_content(scan: Scan, case: str) -> None:
    path, before, after = CARRIERS[case]
    (known,) = scan(npm({path: before})).by("carriers")
    text = f'[[ignore]]\nfingerprint = "{known.fingerprint}"\nreason = "a test"\n'
    loose = Suppressions(ignores=parse_ignores(text, "i"))
    exact = Suppressions(
        ignores=parse_ignores(f'{text}content = "{known.evidence["content"]}"\n', "i")
    )
    (now,) = scan(npm({path: after})).by("carriers")
    assert apply([known], exact, TODAY)[0] == []
    assert apply([now], exact, TODAY)[0] == [now]
    assert apply([now], loose, TODAY)[0] == []


def test_41_a_map_that_grew_alerts(scan: Scan) -> None:
    def of(count: int) -> list[Finding]:
        return scan(npm({"cli.js.map": dumped(source_map(own_sources(count)))})).findings

    assert fresh(of(3), of(4)) == []
    (grown,) = fresh(of(3), of(300))
    assert grown.severity is Severity.CRITICAL
    assert grown.fingerprint == of(3)[0].fingerprint
    assert "3 were known" in grown.evidence["beyond_baseline"]
    assert fresh(of(300), of(330)) == []


def test_41_another_dump_alerts(scan: Scan) -> None:
    known = scan(npm({"test/small.sql": b"create table a;"})).findings
    more = npm({"test/small.sql": b"create table a;", "customers.sql": b"create table b;"})
    (left,) = fresh(known, scan(more).findings)
    assert "customers.sql was not known" in left.evidence["beyond_baseline"]
