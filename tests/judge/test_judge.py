from __future__ import annotations

import pytest

from monitor.judge import judge
from monitor.model import (
    Artifact,
    Confidence,
    Finding,
    Inspection,
    Manifest,
    Organisation,
    PostureValue,
    Release,
    Secret,
    Severity,
    Skipped,
)
from tests.detectors.samples import records

PATH = "acme.tgz!/package/package.json"
ACME = Organisation(name="acme")
REPOSITORY = "https://bot:hunter@git.acme.example/cli?x=1"


def _manifest(licence: str = "MIT", repository: str = REPOSITORY, registry: str = "") -> Manifest:
    return Manifest(
        path=PATH,
        ecosystem="npm",
        name="@acme/cli",
        licence=licence,
        repository=repository,
        publish_registry=registry,
    )


def _finding(
    kind: str = "source",
    severity: Severity = Severity.CRITICAL,
    *,
    rule: str = "source-map-first-party-content",
    detector: str = "source-maps",
    path: str = "acme.tgz!/package/cli.js.map",
    message: str = "Something.",
    secret: Secret | None = None,
    **evidence: object,
) -> Finding:
    return Finding(
        rule=rule,
        detector=detector,
        kind=kind,
        severity=severity,
        confidence=Confidence.HIGH,
        message=message,
        path=path,
        fingerprint="f" * 32,
        secret=secret,
        evidence=dict(evidence),
    )


def _posture(manifest: Manifest | None, own: Organisation | None = None) -> PostureValue:
    inspection = Inspection(manifests=[manifest] if manifest else [])
    return judge(inspection, target="acme.tgz", organisation=own)[0].value


def _moved(finding: Finding, posture: PostureValue) -> Severity:
    own = Organisation(name="acme", posture=posture)
    return judge(Inspection(findings=[finding]), target="a.tgz", organisation=own)[2][0].severity


@pytest.mark.parametrize(
    ("manifest", "own", "expected"),
    [
        (_manifest(), None, PostureValue.OPEN),
        (_manifest(repository=""), None, PostureValue.UNKNOWN),
        (_manifest("UNLICENSED"), None, PostureValue.PROPRIETARY),
        (_manifest("SEE LICENSE IN x"), None, PostureValue.PROPRIETARY),
        (_manifest("SEE LICENSE IN x", ""), None, PostureValue.PROPRIETARY),
        (_manifest("SEE LICENSE IN x", "git+https://github.com/acme/cli.git"), None,
         PostureValue.SOURCE_AVAILABLE),
        (_manifest("see licence in x", "acme/cli"), None, PostureValue.SOURCE_AVAILABLE),
        (_manifest("SEE LICENSE IN x", "https://github.com.acme.example/x"), None,
         PostureValue.PROPRIETARY),
        (_manifest("UNLICENSED", "acme/cli"), None, PostureValue.PROPRIETARY),
        (_manifest("SEE LICENSE IN x", "acme/cli"), Organisation(name="a", licence="UNLICENSED"),
         PostureValue.PROPRIETARY),
        (_manifest(""), None, PostureValue.PROPRIETARY),
        (_manifest("BUSL-1.1"), None, PostureValue.SOURCE_AVAILABLE),
        (_manifest("Acme 1.0"), None, PostureValue.UNKNOWN),
        (None, None, PostureValue.UNKNOWN),
        (_manifest(registry="https://npm.acme.internal/"), None, PostureValue.INTERNAL_ONLY),
        (_manifest(registry="http://10.1.2.3:4873/"), None, PostureValue.INTERNAL_ONLY),
        (_manifest(registry="https://registry.example/"), None, PostureValue.OPEN),
        (_manifest(), ACME, PostureValue.OPEN),
        (_manifest(), Organisation(name="a", posture=PostureValue.PROPRIETARY),
         PostureValue.PROPRIETARY),
        (_manifest(), Organisation(name="a", licence="UNLICENSED"), PostureValue.PROPRIETARY),
        (_manifest(), Organisation(name="a", licence="BUSL-1.1"), PostureValue.SOURCE_AVAILABLE),
        (_manifest(), Organisation(name="a", internal_names=["@acme/c*"]),
         PostureValue.INTERNAL_ONLY),
        (_manifest(registry="https://npm.acme.example/"),
         Organisation(name="a", domains=["acme.example"]), PostureValue.INTERNAL_ONLY),
    ],
)  # fmt: skip
def test_posture(
    manifest: Manifest | None, own: Organisation | None, expected: PostureValue
) -> None:
    assert _posture(manifest, own) is expected


def test_an_open_posture_from_evidence_is_called_a_claim() -> None:
    posture, _, _ = judge(Inspection(manifests=[_manifest()]), target="a.tgz")
    assert any("claimed" in each for each in posture.evidence)
    assert "repository https://git.acme.example/cli" in posture.evidence


def test_terms_of_its_own_beside_a_public_repository_are_said() -> None:
    manifest = _manifest("SEE LICENSE IN LICENSE.md", "github:acme/cli")
    posture, _, _ = judge(Inspection(manifests=[manifest]), target="a.tgz")
    assert "licence SEE LICENSE IN LICENSE.md" in posture.evidence
    assert "repository github:acme/cli" in posture.evidence
    assert any("terms of its own" in each and "not checked" in each for each in posture.evidence)


@pytest.mark.parametrize(
    ("posture", "expected"),
    [
        (PostureValue.PROPRIETARY, Severity.CRITICAL),
        (PostureValue.INTERNAL_ONLY, Severity.CRITICAL),
        (PostureValue.UNKNOWN, Severity.HIGH),
        (PostureValue.SOURCE_AVAILABLE, Severity.MEDIUM),
        (PostureValue.OPEN, Severity.INFO),
    ],
)
def test_posture_moves_source_and_never_secrets(posture: PostureValue, expected: Severity) -> None:
    assert _moved(_finding(), posture) is expected
    for kind in ("secret", "private-key", "credential-file", "signed-url", "hazard"):
        assert _moved(_finding(kind), posture) is Severity.CRITICAL


def test_the_first_severity_stays_in_the_evidence() -> None:
    own = Organisation(name="acme", posture=PostureValue.OPEN)
    _, _, found = judge(Inspection(findings=[_finding()]), target="a", organisation=own)
    assert found[0].evidence["base_severity"] == "critical"


@pytest.mark.parametrize("posture", PostureValue)
def test_what_was_not_inspected_never_falls_below_medium(posture: PostureValue) -> None:
    assert _moved(_finding("not-inspected", Severity.LOW), posture) is Severity.MEDIUM


@pytest.mark.parametrize("posture", PostureValue)
def test_public_by_design_is_info(posture: PostureValue) -> None:
    assert _moved(_finding("public-key", Severity.HIGH), posture) is Severity.INFO


def test_a_private_key_among_fixtures() -> None:
    finding = _finding("private-key", fixture=True)
    assert _moved(finding, PostureValue.OPEN) is Severity.LOW
    assert _moved(finding, PostureValue.PROPRIETARY) is Severity.HIGH
    assert _moved(_finding("private-key"), PostureValue.OPEN) is Severity.CRITICAL


def _ownership(own: Organisation, manifest: Manifest, target: str = "acme.tgz") -> list[Finding]:
    return judge(Inspection(manifests=[manifest]), target=target, organisation=own)[2]


def test_a_licence_that_is_not_the_owner_s_is_high() -> None:
    (finding,) = _ownership(Organisation(name="acme", licence="BUSL-1.1"), _manifest("MIT"))
    assert (finding.rule, finding.severity) == ("licence-mismatch", Severity.HIGH)
    (implied,) = _ownership(
        Organisation(name="acme", posture=PostureValue.PROPRIETARY), _manifest("MIT")
    )
    assert implied.rule == "licence-mismatch"
    assert _ownership(Organisation(name="acme", licence="MIT"), _manifest("MIT")) == []


def test_an_internal_package_on_a_registry_is_critical() -> None:
    own = Organisation(name="acme", internal_names=["@acme/cli"])
    (finding,) = _ownership(own, _manifest(""), target="npm:@acme/cli")
    assert (finding.rule, finding.severity) == ("internal-package-published", Severity.CRITICAL)


def test_an_internal_package_that_nothing_guards_is_high() -> None:
    own = Organisation(name="acme", internal_names=["@acme/cli"], internal_hosts=["npm.acme.*"])
    (finding,) = _ownership(own, _manifest(""))
    assert (finding.rule, finding.severity) == ("internal-package-unguarded", Severity.HIGH)
    assert _ownership(own, _manifest("", registry="https://npm.acme.example/")) == []


def test_a_package_on_the_registry_it_is_meant_for_is_at_home() -> None:
    artifact = Artifact(
        ecosystem="npm",
        name="@acme/cli",
        version="1",
        filename="cli.tgz",
        purl="pkg:npm/%40acme/cli@1",
        url="https://npm.acme.internal/cli.tgz",
    )
    release = Release(ecosystem="npm", name="@acme/cli", version="1", artifacts=[artifact])
    inspection = Inspection(manifests=[_manifest("", registry="https://npm.acme.internal/")])
    posture, _, found = judge(inspection, target=artifact.purl, release=release)
    assert posture.value is PostureValue.PROPRIETARY
    assert found == []
    elsewhere = Inspection(manifests=[_manifest("", registry="https://npm.acme.corp/")])
    posture, _, found = judge(elsewhere, target=artifact.purl, release=release)
    assert posture.value is PostureValue.INTERNAL_ONLY
    assert found[0].severity is Severity.CRITICAL


OWN = Organisation(name="acme", posture=PostureValue.PROPRIETARY)


def _summary(*findings: Finding, skipped: int = 0) -> str:
    inspection = Inspection(
        members=records("acme.tgz!/a", "acme.tgz!/b"),
        inspected_bytes=2_500,
        findings=list(findings),
        skipped=[Skipped(str(number), "truncated") for number in range(skipped)],
    )
    return judge(inspection, target="acme.tgz", organisation=OWN)[1].summary


def test_the_verdict_of_a_clean_target_tells_what_was_looked_at() -> None:
    assert _summary() == "Nothing found in 2 members (2.5 kB)."
    assert _summary(skipped=1).endswith("Not fully inspected: 1 member (truncated).")


def test_the_verdict_of_a_map_is_the_number_of_files() -> None:
    one = _finding(first_party_files=1897)
    assert _summary(one) == "1,897 first-party source files in `package/cli.js.map`."
    more = _finding(first_party_files=3, path="acme.tgz!/package/b.js.map")
    told = "1,900 first-party source files in `package/cli.js.map` and 1 more place."
    assert _summary(one, more) == told


def test_the_verdict_of_an_inline_map_names_the_file_that_holds_it() -> None:
    finding = _finding(
        rule="source-map-inline",
        path="acme.tgz!/package/cli.mjs!/(inline map at byte 9)",
        first_party_files=2,
    )
    told = "2 first-party source files in inline source map of `package/cli.mjs`."
    assert _summary(finding) == told


def test_the_verdict_of_a_secret_shows_what_it_is_and_where() -> None:
    secret = _finding(
        "secret",
        rule="acme-token",
        detector="secrets",
        path="acme.tgz!/package/.env",
        message="An Acme token. Whoever holds it acts as its user.",
        secret=Secret(redacted="…9f3c", fingerprint="0" * 32),
    )
    carrier = _finding("credential-file", rule="carrier-env-file", detector="carriers")
    expected = "An Acme token (…9f3c) in `package/.env`, and 1 more critical finding."
    assert _summary(carrier, secret) == expected


def test_partial_inspection_is_said_beside_what_was_found() -> None:
    told = _summary(_finding(first_party_files=2), skipped=2)
    assert told.endswith("Not fully inspected: 2 members (truncated).")


def test_findings_come_worst_first_and_the_posture_is_a_reason() -> None:
    low = _finding("debris", Severity.LOW, rule="carrier-debris", detector="carriers")
    inspection = Inspection(findings=[low, _finding(first_party_files=2)])
    _, verdict, found = judge(inspection, target="acme.tgz", organisation=OWN)
    assert [each.severity for each in found] == [Severity.CRITICAL, Severity.LOW]
    assert verdict.severity is Severity.CRITICAL
    assert verdict.reasons[-1] == "posture proprietary: configured for acme; no manifest was found"
    assert len(verdict.reasons) == 3


def test_a_front_end_s_manifest_does_not_speak_for_a_python_package() -> None:
    """An sdist carries the ``package.json`` of its front end, private and without a licence."""
    front = Manifest(
        path="a.tar.gz!/a-1/package.json", ecosystem="npm", name="top", is_private=True
    )
    own = Manifest(
        path="a.tar.gz!/a-1/PKG-INFO", ecosystem="pypi", name="a", licence="MIT",
        repository=REPOSITORY,
    )  # fmt: skip
    for manifests in ([front, own], [own, front]):
        posture, _, _ = judge(Inspection(manifests=manifests), target="pypi:a==1")
        assert posture.value is PostureValue.OPEN
    inner = Manifest(path="a.tgz!/package/x.whl!/x.dist-info/METADATA", ecosystem="pypi", name="x")
    assert Inspection(manifests=[inner, _manifest()]).main_manifest == _manifest()
