"""Attestations through sigstore's real verification, each broken in one place."""

from __future__ import annotations

import base64
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypi_attestations import AttestationType

from monitor import provenance
from monitor.model import Artifact
from monitor.provenance import TrustRoot
from monitor.provenance.certificates import text_of
from tests.provenance.authority import (
    GITLAB,
    Authority,
    Json,
    b64,
    claims,
    npm_answer,
    pypi_answer,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitor.model.provenance import Provenance

PURL = "pkg:npm/%40acme/cli@1.0.0"
NPM = Artifact(
    ecosystem="npm", name="@acme/cli", version="1.0.0", filename="cli-1.0.0.tgz", purl=PURL
)
FILE = "acme_cli-1.0-py3-none-any.whl"
PYPI = Artifact(
    ecosystem="pypi", name="acme-cli", version="1.0", filename=FILE, purl="pkg:pypi/acme-cli@1.0"
)
SHA512, SHA256 = "ab" * 64, "cd" * 32
PUBLISH = AttestationType.PYPI_PUBLISH_V1.value


def of_npm(answer: Json, root: TrustRoot) -> Provenance:
    return provenance.verify(json.dumps(answer).encode(), NPM, {"sha512": SHA512}, root)


def of_pypi(answer: Json, root: TrustRoot) -> Provenance:
    return provenance.verify(json.dumps(answer).encode(), PYPI, {"sha256": SHA256}, root)


def test_a_build_on_github_is_who_its_certificate_says(
    authority: Authority, root: TrustRoot
) -> None:
    found = of_npm(npm_answer(authority.bundle(PURL, {"sha512": SHA512})), root)
    assert (found.state, found.reason) == ("verified", "")
    assert found.builder is not None
    told = found.builder
    assert (told.kind, told.repository, told.owner) == ("github", "acme/cli", "acme")
    assert (told.repository_id, told.owner_id) == ("987", "123")
    assert (told.workflow, told.ref) == (".github/workflows/release.yml", "refs/tags/v1.0.0")
    assert told.commit.endswith("abcd")


def test_a_build_on_gitlab_has_a_namespace(authority: Authority, root: TrustRoot) -> None:
    told = claims("acme/team/cli", "55", GITLAB)
    bundle = authority.bundle(FILE, {"sha256": SHA256}, predicate=PUBLISH, told=told)
    found = of_pypi(pypi_answer(bundle, repository="acme/team/cli", kind="GitLab"), root)
    assert found.builder is not None, found
    assert (found.builder.kind, found.builder.owner) == ("gitlab", "acme/team")
    assert (found.builder.owner_id, found.builder.workflow) == ("55", ".gitlab-ci.yml")


def test_two_statements_of_one_build_are_one(authority: Authority, root: TrustRoot) -> None:
    kinds = (PUBLISH, AttestationType.SLSA_PROVENANCE_V1.value)
    both = [authority.bundle(FILE, {"sha256": SHA256}, predicate=kind) for kind in kinds]
    assert of_pypi(pypi_answer(*both), root).is_verified


def test_another_spelling_of_the_same_file_is_the_same(
    authority: Authority, root: TrustRoot
) -> None:
    bundle = authority.bundle(
        "Acme.Cli-1.0-py3-none-any.whl", {"sha256": SHA256}, predicate=PUBLISH
    )
    assert of_pypi(pypi_answer(bundle), root).is_verified


STRANGERS = [
    ("another issuer", claims(issuer="https://accounts.example")),
    ("an issuer that only begins alike", claims(issuer="https://gitlab.com.evil.example")),
    ("GitLab's token for an address of GitHub's", claims() | {"8": GITLAB}),
    ("an address at another host", claims() | {"12": "https://github.com.evil.example/acme/cli"}),
    ("an address without TLS", claims() | {"12": "http://github.com/acme/cli"}),
    ("no repository", {"8": claims()["8"]}),
]


def test_who_is_not_vouched_for_by_a_forge_has_no_repository(
    authority: Authority, root: TrustRoot
) -> None:
    assert STRANGERS
    for name, told in STRANGERS:
        found = of_npm(npm_answer(authority.bundle(PURL, {"sha512": SHA512}, told=told)), root)
        assert found.builder is not None, (name, found)
        assert (found.builder.kind, found.builder.repository) == ("other", ""), name


def tampered(bundle: Json, *path: str | int, to: Callable[[Any], Any]) -> Json:
    """The bundle with one value changed."""
    whole = copy.deepcopy(bundle)
    place: Any = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to(place[path[-1]])
    return whole


def flipped(text: str) -> str:
    """The base64 of the same bytes with the last one changed."""
    raw = bytearray(base64.b64decode(text))
    raw[-1] ^= 1
    return b64(bytes(raw))


ENTRY = ("verificationMaterial", "tlogEntries", 0)
PROOF = (*ENTRY, "inclusionProof")
BROKEN: dict[str, tuple[tuple[str | int, ...], Callable[[Any], Any], str, str]] = {
    "the payload": (
        ("dsseEnvelope", "payload"),
        lambda _: b64(json.dumps({"subject": "another"}).encode()), "invalid", "signature",
    ),
    "the payload's type": (
        ("dsseEnvelope", "payloadType"), lambda _: "text/plain", "invalid", "signature",
    ),
    "the signature": (
        ("dsseEnvelope", "signatures", 0, "sig"), flipped, "invalid", "signature",
    ),
    "a second signature": (
        ("dsseEnvelope", "signatures"), lambda one: one * 2, "invalid", "signature",
    ),
    "the certificate's signature": (
        ("verificationMaterial", "certificate", "rawBytes"), flipped, "invalid", "certificate",
    ),
    "no certificate": (
        ("verificationMaterial", "certificate", "rawBytes"), lambda _: "", "invalid", "malformed",
    ),
    "the proof's sibling": (
        (*PROOF, "hashes", 0), flipped, "invalid", "log-entry",
    ),
    "the proof's root": ((*PROOF, "rootHash"), flipped, "invalid", "log-entry"),
    "the checkpoint": (
        (*PROOF, "checkpoint", "envelope"),
        lambda text: text.replace("log.example - 1", "log.example - 2"), "invalid", "log-entry",
    ),
    "the log's promise": (
        (*ENTRY, "inclusionPromise", "signedEntryTimestamp"), flipped, "invalid", "log-entry",
    ),
    "the log's time": (
        (*ENTRY, "integratedTime"), lambda at: str(int(at) + 1), "invalid", "log-entry",
    ),
    "a log of another name": (
        (*ENTRY, "logId", "keyId"), flipped, "unverifiable", "unknown-log",
    ),
    "a time before all times": (
        (*ENTRY, "integratedTime"), lambda _: str(-(10**17)), "invalid", "malformed",
    ),
    "no entry": (("verificationMaterial", "tlogEntries"), lambda _: [], "invalid", "malformed"),
    "another version": (("mediaType",), lambda _: "text/html", "invalid", "malformed"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["dsse", "intoto"])
@pytest.mark.parametrize("name", list(BROKEN))
def test_what_was_changed_is_refused_for_its_own_reason(
    authority: Authority, root: TrustRoot, name: str, kind: str
) -> None:
    good = authority.bundle(PURL, {"sha512": SHA512}, kind=kind)
    assert of_npm(npm_answer(good), root).is_verified
    path, to, state, reason = BROKEN[name]
    found = of_npm(npm_answer(tampered(good, *path, to=to)), root)
    assert (found.state, found.reason, found.builder) == (state, reason, None), found.detail
    assert found.detail.isprintable()
    assert len(found.detail) <= 300


@pytest.mark.parametrize("kind", ["dsse", "intoto"])
def test_the_entry_of_another_artifact_does_not_vouch_for_this_one(
    authority: Authority, root: TrustRoot, kind: str
) -> None:
    names = (PURL, "pkg:npm/x@1")
    good, other = (authority.bundle(name, {"sha512": SHA512}, kind=kind) for name in names)
    mixed = copy.deepcopy(good)
    mixed["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]
    found = of_npm(npm_answer(mixed), root)
    assert (found.state, found.reason) == ("invalid", "log-entry")


@pytest.mark.parametrize(
    "path",
    [
        ("envelope", "payloadType"),
        ("envelope", "signatures", 0, "sig"),
        ("envelope", "signatures", 0, "publicKey"),
        ("envelope", "signatures"),
        ("payloadHash", "value"),
        ("payloadHash", "algorithm"),
        ("envelope",),
    ],
)
def test_every_part_of_an_intoto_entry_is_held_against_the_bundle(
    authority: Authority, root: TrustRoot, path: tuple[str | int, ...]
) -> None:
    """The log signed another body: its proofs hold, and it speaks of something else."""
    good, other = (authority.bundle(PURL, {"sha512": SHA512}, kind="intoto") for _ in range(2))
    bodies = [json.loads(base64.b64decode(each["verificationMaterial"]["tlogEntries"][0]
              ["canonicalizedBody"])) for each in (good, other)]  # fmt: skip
    theirs: Any = bodies[1]["spec"]["content"]
    for step in path:
        theirs = theirs[step]
    if path[-1] in {"payloadType", "algorithm", "value"}:
        theirs = f"{theirs}x"
    body = tampered(bodies[0], "spec", "content", *path, to=lambda _: theirs)
    good["verificationMaterial"]["tlogEntries"] = [authority.entry(body, 1)]
    found = of_npm(npm_answer(good), root)
    assert (found.state, found.reason) == ("invalid", "log-entry"), found.detail


FORMS = [
    ("application/vnd.dev.sigstore.bundle+json;version=0.1", "0.0.1", "old-form"),
    ("application/vnd.dev.sigstore.bundle.v0.9+json", "0.0.1", "new-form"),
    ("application/vnd.dev.sigstore.bundle.v0.3+json", "0.0.9", "new-form"),
]


def test_a_form_that_nobody_reads_is_no_alarm(authority: Authority, root: TrustRoot) -> None:
    assert FORMS
    for form, version, reason in FORMS:
        good = authority.bundle(PURL, {"sha512": SHA512})
        good["mediaType"] = form
        entry = good["verificationMaterial"]["tlogEntries"][0]
        entry["kindVersion"]["version"] = version
        found = of_npm(npm_answer(good), root)
        assert (found.state, found.reason) == ("unverifiable", reason), form


def test_a_certificate_no_log_knows_is_refused(authority: Authority, root: TrustRoot) -> None:
    rogue = Authority()
    rogue.certificate, rogue._key, rogue.log = (  # it stole the authority's key
        authority.certificate, authority._key, authority.log
    )  # fmt: skip
    rogue.certificate_log.id = authority.certificate_log.id
    found = of_npm(npm_answer(rogue.bundle(PURL, {"sha512": SHA512})), root)
    assert (found.state, found.reason) == ("invalid", "certificate-log")


def test_what_was_signed_after_the_certificate_had_ended_is_refused(
    authority: Authority, root: TrustRoot
) -> None:
    late = authority.bundle(PURL, {"sha512": SHA512}, minutes=11)
    found = of_npm(npm_answer(late), root)
    assert (found.state, found.reason) == ("invalid", "certificate")


def test_an_authority_of_the_same_name_is_refused_and_a_strange_one_not_known(
    authority: Authority, root: TrustRoot
) -> None:
    found = []
    for name in ("fulcio.example", "elsewhere.example"):
        rogue = Authority(name)
        rogue.log, rogue.certificate_log = authority.log, authority.certificate_log
        found.append(of_npm(npm_answer(rogue.bundle(PURL, {"sha512": SHA512})), root))
    assert [(each.state, each.reason) for each in found] == [
        ("invalid", "certificate"),
        ("unverifiable", "unknown-authority"),
    ]


SUBJECTS = [
    ("pkg:npm/%40acme/cli@1.0.1", {"sha512": SHA512}, "subject-name"),
    ("pkg:npm/%40evil/cli@1.0.0", {"sha512": SHA512}, "subject-name"),
    ("", {"sha512": SHA512}, "subject-name"),
    (PURL, {"sha512": "00" * 64}, "subject-digest"),
    (PURL, {"sha256": SHA512}, "subject-digest"),
    (PURL, {}, "subject-digest"),
]


def test_a_good_signature_for_something_else_is_refused(
    authority: Authority, root: TrustRoot
) -> None:
    assert SUBJECTS
    for name, digest, reason in SUBJECTS:
        found = of_npm(npm_answer(authority.bundle(name, digest)), root)
        assert (found.state, found.reason) == ("invalid", reason), (name, digest)
    wrong = authority.bundle("acme_cli-1.1-py3-none-any.whl", {"sha256": SHA256}, predicate=PUBLISH)
    assert of_pypi(pypi_answer(wrong), root).reason == "subject-name"
    wrong = authority.bundle("acme_cli-1.0.tar.gz", {"sha256": SHA256}, predicate=PUBLISH)
    assert of_pypi(pypi_answer(wrong), root).reason == "subject-name"


SUBJECT = {"name": PURL, "digest": {"sha512": SHA512}}
STATEMENTS: list[tuple[object, str]] = [
    ([], "statement"),
    ({"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "x"},
     "statement"),
    ({"_type": "https://in-toto.io/Statement/v1", "subject": [SUBJECT, SUBJECT],
      "predicateType": "https://slsa.dev/provenance/v1"}, "statement"),
    ({"_type": "https://elsewhere.example/", "subject": [SUBJECT],
      "predicateType": "https://slsa.dev/provenance/v1"}, "statement"),
    ({"_type": "https://in-toto.io/Statement/v1", "subject": [SUBJECT],
      "predicateType": "https://example.com/tested"}, "predicate"),
]  # fmt: skip


def test_a_good_signature_under_something_else_is_refused(
    authority: Authority, root: TrustRoot
) -> None:
    assert STATEMENTS
    for statement, reason in STATEMENTS:
        found = of_npm(npm_answer(authority.bundle(PURL, {}, statement=statement)), root)
        assert (found.state, found.reason) == ("invalid", reason), statement


def test_pypi_announces_whom_the_signature_names(authority: Authority, root: TrustRoot) -> None:
    bundle = authority.bundle(FILE, {"sha256": SHA256}, predicate=PUBLISH)
    found = of_pypi(pypi_answer(bundle, repository="evil/cli"), root)
    assert (found.state, found.reason) == ("invalid", "publisher-mismatch")
    told = claims("evil/cli", "666")
    other = authority.bundle(FILE, {"sha256": SHA256}, predicate=PUBLISH, told=told)
    found = of_npm(
        npm_answer(
            *(authority.bundle(PURL, {"sha512": SHA512}, told=each) for each in (told, claims()))
        ),
        root,
    )
    assert (found.state, found.reason) == ("invalid", "builders-differ")
    assert of_pypi(pypi_answer(other), root).reason == "publisher-mismatch"


def test_one_bad_statement_beside_a_good_one_spoils_both(
    authority: Authority, root: TrustRoot
) -> None:
    good = authority.bundle(PURL, {"sha512": SHA512})
    bad = tampered(good, "dsseEnvelope", "signatures", 0, "sig", to=flipped)
    assert of_npm(npm_answer(good, bad), root).reason == "signature"


ANSWERS = [
    (b"", "unverifiable", "bad-answer"),
    (b"<html>", "unverifiable", "bad-answer"),
    (b"[]", "unverifiable", "bad-answer"),
    (b'{"attestations": 1}', "unverifiable", "bad-answer"),
    (b'{"attestations": ' + b"[" * 100_000, "unverifiable", "bad-answer"),
    (b'{"attestations": []}', "absent", "no-build"),
    (json.dumps(npm_answer()).encode(), "absent", "no-build"),
    (json.dumps(npm_answer(*[{}] * 9)).encode(), "unverifiable", "too-many"),
    (json.dumps({"attestations": [{"predicateType": "https://slsa.dev/provenance/v1"}]}).encode(),
     "invalid", "malformed"),
    (b" " * (provenance.MAX_BYTES + 1), "unverifiable", "too-large"),
]  # fmt: skip


def test_an_answer_that_is_none_is_no_proof_and_no_alarm(root: TrustRoot) -> None:
    assert ANSWERS
    for body, state, reason in ANSWERS:
        found = provenance.verify(body, NPM, {"sha512": SHA512}, root)
        assert (found.state, found.reason) == (state, reason), body[:60]
    found = provenance.verify(b"{}", NPM, {"sha1": "00"}, root)
    assert (found.state, found.reason) == ("unverifiable", "no-digest")


def test_the_root_that_sigstore_ships_can_be_used_and_knows_us_not(authority: Authority) -> None:
    found = of_npm(npm_answer(authority.bundle(PURL, {"sha512": SHA512})), TrustRoot())
    assert (found.state, found.reason) == ("unverifiable", "unknown-authority")


def test_a_root_that_cannot_be_used_is_told(authority: Authority, tmp_path: Path) -> None:
    answer = npm_answer(authority.bundle(PURL, {"sha512": SHA512}))
    broken = tmp_path / "broken.json"
    broken.write_text("{}", encoding="utf-8")
    for path in (broken, tmp_path / "nowhere.json"):
        found = of_npm(answer, TrustRoot(str(path)))
        assert (found.state, found.reason) == ("unverifiable", "trusted-root")
        assert str(path) in found.detail


def test_without_the_extra_it_is_told(root: TrustRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.provenance.trust.find_spec", lambda _name: None)
    found = of_npm({"attestations": []}, root)
    assert found.reason == "not-installed"
    assert found.detail == "not verified: the extra leakmon[provenance] is not installed"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)
PLACES: list[tuple[str | int, ...]] = [
    ("dsseEnvelope",), ("verificationMaterial",), ENTRY, PROOF,
    ("verificationMaterial", "certificate"), ("dsseEnvelope", "signatures"),
    ("dsseEnvelope", "payload"), (*ENTRY, "integratedTime"), (*ENTRY, "canonicalizedBody"),
    (*PROOF, "treeSize"), (*PROOF, "checkpoint", "envelope"), (*PROOF, "hashes"),
    (*ENTRY, "kindVersion"),
]  # fmt: skip
HOSTILE = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@HOSTILE
@given(place=st.sampled_from(PLACES), value=JSON)
def test_hostile_json_in_a_bundle_never_raises_and_is_never_believed(
    authority: Authority, root: TrustRoot, place: tuple[str | int, ...], value: object
) -> None:
    good = authority.bundle(PURL, {"sha512": SHA512})
    found = of_npm(npm_answer(tampered(good, *place, to=lambda _: value)), root)
    assert found.state in {"invalid", "unverifiable"}
    pypi = authority.bundle(FILE, {"sha256": SHA256}, predicate=PUBLISH)
    answer = pypi_answer(pypi)
    answer["attestation_bundles"][0]["attestations"][0]["verification_material"] = value
    assert of_pypi(answer, root).state in {"invalid", "unverifiable"}


@HOSTILE
@given(value=JSON)
def test_hostile_answers_never_raise(root: TrustRoot, value: object) -> None:
    for answer in (value, {"attestations": value}, {"attestation_bundles": value},
                   {"attestations": [value]}, {"attestation_bundles": [value]}):  # fmt: skip
        body = json.dumps(answer).encode()
        for artifact in (NPM, PYPI):
            digests = {"sha512": SHA512, "sha256": SHA256}
            assert not provenance.verify(body, artifact, digests, root).is_verified


@given(st.binary(max_size=200), st.text(max_size=200))
def test_a_claim_is_a_printable_string_or_nothing(der: bytes, text: str) -> None:
    found = text_of(der)
    assert found is None or found.isprintable()
    raw = text.encode()
    size = bytes([len(raw)]) if len(raw) < 0x80 else b"\x82" + len(raw).to_bytes(2, "big")
    is_taken = text.isprintable() and len(raw) <= 500
    assert text_of(b"\x0c" + size + raw) == (text if is_taken else None)
