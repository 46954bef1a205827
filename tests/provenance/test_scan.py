"""``leakmon scan`` and ``leakmon perimeter explain`` of packages with attestations."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from monitor.cli import doctor, main
from monitor.report.schema import scan_schema
from tests.provenance.authority import Authority, claims, npm_answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.watch_servers.npm import NpmServer

CONFIG = """
[http]
allow_private = ["127.0.0.1"]
tries = 1
[registries.npm]
url = "{url}"
changes = "{url}-/feed/registry/"
token = "env:NPM_TOKEN_OF_THE_TEST"
[provenance]
ask = "{ask}"
trusted_root = "{root}"
[[organisations]]
name = "acme"
posture = "proprietary"
repositories = ["github:acme"]
github_owner_ids = [123]
"""


@pytest.fixture
def configured(
    tmp_path: Path, npm: NpmServer, root_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    monkeypatch.setenv("NPM_TOKEN_OF_THE_TEST", npm.registry.token)

    def written(ask: str = "hint") -> str:
        path = tmp_path / f"{ask}.toml"
        path.write_text(CONFIG.format(url=npm.url, root=root_file, ask=ask), encoding="utf-8")
        return str(path)

    return written


@pytest.fixture
def scan(
    configured: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, dict[str, Any]]]:
    """The exit status and the one target of a JSON report, which keeps its schema."""

    def run(*words: str, ask: str = "hint") -> tuple[int, dict[str, Any]]:
        config = configured(ask)
        status = main(["scan", *words, "--config", config, "--format", "json", "--quiet"])
        told = json.loads(capsys.readouterr().out)
        Draft202012Validator(scan_schema()).validate(told)
        (target,) = told["targets"]
        return status, target

    return run


def put(npm: NpmServer, name: str, version: str = "1.0.0") -> None:
    npm.put(name, version, license="UNLICENSED")


def attested(
    npm: NpmServer, authority: Authority, name: str, version: str = "1.0.0", **told: str
) -> None:
    """Publish it, signed by our build or by what ``told`` says."""
    put(npm, name, version)
    one = f"{name}@{version}"
    digest = {"sha512": npm.sha512[one]}
    bundle = authority.bundle(f"pkg:npm/{one}", digest, told=claims() | told)
    npm.attest(name, version, npm_answer(bundle), url="http://127.0.0.1:9/elsewhere")


def rules(target: dict[str, Any]) -> dict[str, str]:
    return {each["rule"]: each["severity"] for each in target["findings"]}


def test_the_report_says_who_built_it_and_judges_it_as_theirs(
    npm: NpmServer, authority: Authority, scan: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    attested(npm, authority, "scan-proven")
    _, target = scan("npm:scan-proven")
    assert target["provenance"]["state"] == "verified"
    told = target["provenance"]["builder"]
    assert (told["repository"], told["owner_id"], told["kind"]) == ("acme/cli", "123", "github")
    assert target["posture"]["value"] == "proprietary"
    assert any("acme" in evidence for evidence in target["posture"]["evidence"])
    assert not [rule for rule in rules(target) if rule.startswith("provenance")]
    put(npm, "scan-plain")
    assert "provenance" not in scan("npm:scan-plain")[1]


def test_the_table_says_who_built_it(
    npm: NpmServer,
    authority: Authority,
    configured: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    attested(npm, authority, "scan-table")
    main(["scan", "npm:scan-table", "--config", configured(), "--quiet"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "built verified: built by github acme/cli, owner id 123, .github/workflows/" in shown


def test_an_attestation_of_other_bytes_is_a_finding_and_no_proof(
    npm: NpmServer, authority: Authority, scan: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    put(npm, "scan-other")
    bundle = authority.bundle("pkg:npm/scan-other@1.0.0", {"sha512": "00" * 64})
    npm.attest("scan-other", "1.0.0", npm_answer(bundle))
    status, target = scan("npm:scan-other")
    assert status == 1
    assert rules(target)["provenance-invalid"] == "high"
    assert (target["provenance"]["state"], target["provenance"]["reason"]) == (
        "invalid",
        "subject-digest",
    )
    assert "builder" not in target["provenance"]


def test_an_unknown_signer_is_a_low_finding(
    npm: NpmServer, scan: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    attested(npm, Authority("elsewhere.example"), "scan-forged")
    _, target = scan("npm:scan-forged")
    assert rules(target)["provenance-unknown-signer"] == "low"
    assert target["provenance"]["reason"] == "unknown-authority"


def test_a_registry_that_does_not_answer_is_told_and_harms_nothing(
    npm: NpmServer, authority: Authority, scan: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    attested(npm, authority, "scan-down")
    npm.faults.switch_on("unavailable", r"attestations/scan-down", 100)
    _, target = scan("npm:scan-down")
    assert target["status"] == "complete"
    assert (target["provenance"]["state"], target["provenance"]["reason"]) == (
        "unverifiable",
        "not-answered",
    )
    assert not [rule for rule in rules(target) if rule.startswith("provenance")]


def test_without_the_extra_the_report_says_so_and_asks_nobody(
    npm: NpmServer,
    authority: Authority,
    scan: Callable[..., tuple[int, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitor.provenance.trust.find_spec", lambda _name: None)
    attested(npm, authority, "scan-bare")
    npm.asked.clear()
    _, target = scan("npm:scan-bare")
    assert target["provenance"]["reason"] == "not-installed"
    assert "leakmon[provenance]" in target["provenance"]["detail"]
    assert npm.asked == []


def test_off_asks_nobody(
    npm: NpmServer, authority: Authority, scan: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    attested(npm, authority, "scan-off")
    npm.asked.clear()
    assert "provenance" not in scan("npm:scan-off", ask="off")[1]
    assert npm.asked == []


def test_provenance_that_is_gone_is_drift(
    npm: NpmServer, authority: Authority, scan: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    attested(npm, authority, "scan-gone", "1.0.0")
    attested(npm, authority, "scan-gone", "1.0.1")
    put(npm, "scan-gone", "1.0.2")
    attested(npm, authority, "scan-gone", "1.0.3", **claims("evil/cli", "666"))
    _, gone = scan("npm:scan-gone@1.0.2", "--earlier", "2")
    assert rules(gone)["drift-provenance-gone"] == "medium"
    (told,) = (each for each in gone["findings"] if each["rule"] == "drift-provenance-gone")
    assert told["evidence"]["verified_before"] == 2
    assert told["evidence"]["builders"] == ["github:acme/cli"]
    _, kept = scan("npm:scan-gone@1.0.1", "--previous", "npm:scan-gone@1.0.0")
    assert not [rule for rule in rules(kept) if rule.startswith("drift")]
    _, other = scan("npm:scan-gone@1.0.3", "--previous", "npm:scan-gone@1.0.1")
    assert rules(other)["drift-builder"] == "medium"


def test_explain_shows_the_proof_or_why_nobody_asked(
    npm: NpmServer,
    authority: Authority,
    configured: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def explained(name: str) -> tuple[int, str]:
        status = main(["perimeter", "explain", f"npm:{name}", "--config", configured()])
        return status, capsys.readouterr().out

    attested(npm, authority, "explain-ours")
    expected = (
        "npm:explain-ours belongs to acme: provenance: github:acme (id 123), verified\n"
        "  ✗ acme: repositories github:acme\n"
        "  ✓ acme: provenance github owner 123\n"
    )
    assert explained("explain-ours") == (0, expected)
    attested(npm, authority, "explain-theirs", **claims("evil/cli", "666"))
    status, told = explained("explain-theirs")
    assert status == 1
    assert "✗ acme: provenance github owner 123, has github:evil (id 666), verified" in told
    put(npm, "explain-plain")
    status, told = explained("explain-plain")
    assert status == 1
    assert "✗ acme: provenance github owner 123, has none that is announced" in told
    npm.put("explain-elsewhere", "1.0.0", repository="github:evil/cli")
    npm.attest("explain-elsewhere", "1.0.0", npm_answer())
    status, told = explained("explain-elsewhere")
    assert "? acme: provenance github owner 123 (not looked at)" not in told
    assert "nothing that was asked for: its own words name no repository of ours" in told


def test_doctor_says_whether_builds_can_be_proven(
    configured: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(config: str) -> tuple[str, str]:
        (found,) = doctor._guarded(doctor._provenance, argparse.Namespace(config=config))
        return found.state, found.detail

    state, told = looked(configured())
    assert (state, "trusted_root.json" in told) == ("ok", True)
    assert looked(configured("off"))[0] == "ok"
    broken = tmp_path / "broken.toml"
    broken.write_text("[provenance]\ntrusted_root = 'nowhere.json'\n", encoding="utf-8")
    state, told = looked(str(broken))
    assert (state, "nowhere.json" in told) == ("failed", True)
    monkeypatch.setattr("monitor.provenance.trust.find_spec", lambda _name: None)
    assert looked(configured()) == (
        "warning",
        "attestations are not verified: the extra leakmon[provenance] is not installed",
    )
