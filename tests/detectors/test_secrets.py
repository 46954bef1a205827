from __future__ import annotations

import base64
import binascii
import json
import time

import pytest

from monitor.detectors import Context
from monitor.detectors.secrets import MAX_FINDINGS, inspect
from monitor.detectors.secrets.redaction import redacted
from monitor.model import Confidence, Severity
from monitor.rules.checksums import base62
from tests.detectors.samples import match, member, rule, token


def test_a_member_without_matches_has_no_findings() -> None:
    assert not inspect(member("a.js", "x"), [])


def test_line_and_column_count_from_one_in_bytes() -> None:
    secret = "acme_" + token()
    content = f"first\nsecond é {secret}\n".encode()
    (finding,) = inspect(member("a.js", content), [match(content, secret)])
    assert (finding.line, finding.column) == (2, 11)
    assert (finding.end_line, finding.end_column) == (2, 11 + len(secret))
    assert finding.byte_offset == content.index(secret.encode())
    assert finding.advice == "Revoke it."


def test_a_secret_over_several_lines_ends_on_its_last() -> None:
    secret = f"-----BEGIN\n{token(10)}\nEND"
    content = f"x = {secret};".encode()
    (finding,) = inspect(member("a.pem", content), [match(content, secret)])
    assert (finding.line, finding.column, finding.end_line, finding.end_column) == (1, 5, 3, 4)


def test_the_same_value_twice_is_one_finding_at_its_first_place() -> None:
    secret = "acme_" + token()
    content = f"{secret}\n{secret}\n".encode()
    matches = [match(content, secret, start=5), match(content, secret)]
    (finding,) = inspect(member("a.js", content), matches)
    assert finding.line == 1
    assert finding.evidence["occurrences"] == 2


def test_the_value_is_shown_only_on_demand() -> None:
    secret = "acme_" + token()
    content = secret.encode()
    (hidden,) = inspect(member("a", content), [match(content, secret)])
    (shown,) = inspect(member("a", content), [match(content, secret)], Context(has_secrets=True))
    assert secret not in repr(hidden)
    assert shown.secret is not None
    assert shown.secret.value == secret


def test_fingerprints_are_those_of_the_value_not_of_the_place() -> None:
    secret = "acme_" + token()
    near, far = secret.encode(), b"\n\n" + secret.encode()
    (one,) = inspect(member("v1/a.js", near), [match(near, secret)])
    (two,) = inspect(member("v2/b.js", far), [match(far, secret)])
    assert one.fingerprint == two.fingerprint
    assert one.secret is not None
    assert len(one.secret.fingerprint) == 32


def test_a_later_window_tells_offsets_but_no_lines() -> None:
    secret = "acme_" + token()
    content = b"\n" + secret.encode()
    (finding,) = inspect(member("big", content, offset=1000), [match(content, secret)])
    assert (finding.line, finding.byte_offset) == (0, 1001)


def test_a_flood_of_values_is_capped_and_said() -> None:
    secrets = [f"acme_{number:08d}" for number in range(MAX_FINDINGS + 3)]
    content = "\n".join(secrets).encode()
    found = inspect(member("a", content), [match(content, each) for each in secrets])
    assert len(found) == MAX_FINDINGS + 1
    assert found[-1].evidence["left_out"] == 3


def test_test_folders_are_noted_not_judged() -> None:
    content = b"acme_" + token().encode()
    (finding,) = inspect(
        member("acme.tgz!/package/test/fixtures/a", content), [match(content, content.decode())]
    )
    assert finding.evidence["fixture"] is True
    assert finding.severity is Severity.CRITICAL


@pytest.mark.parametrize("kind", ["marker", "carrier", "public-key"])
def test_the_kind_of_the_rule_chooses_the_detector(kind: str) -> None:
    content = b"acme_" + token().encode()
    (finding,) = inspect(member("a", content), [match(content, content.decode(), rule(kind=kind))])
    expected = {"marker": "markers", "carrier": "carriers", "public-key": "secrets"}
    assert finding.detector == expected[kind]
    assert finding.kind == kind


def test_counting_lines_stays_linear() -> None:
    secrets = [f"acme_{number:08d}" for number in range(500)]
    content = ("x" * 2000 + "\n").encode() * 2000 + "\n".join(secrets).encode()
    matches = [match(content, each, start=4_002_000) for each in secrets]
    started = time.process_time()
    found = inspect(member("a", content), matches)
    assert time.process_time() - started < 0.5
    assert found[-1].line == 2500


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"short", "********"),
        (b"ghp_" + b"a" * 32 + b"9f3c", "ghp_…9f3c"),
        (b"AKIA" + b"Q" * 12 + b"WXYZ", "…WXYZ"),
        (b"a" * 12 + b"wxyz", "…wxyz"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nabc", "(private key, 35 bytes)"),
    ],
)
def test_redaction(value: bytes, shown: str) -> None:
    assert redacted(value) == shown


def test_redaction_never_shows_more_than_a_quarter() -> None:
    for length in range(1, 80):
        value = ("sk-ant-" + token(80))[:length]
        shown = redacted(value.encode()).replace("…", "").replace("*", "")
        assert len(shown) <= length // 4, length


def _segment(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def test_a_web_token_tells_role_and_whether_it_expired() -> None:
    claims = {"role": "service_role", "exp": 1000, "email": "jane@acme.example"}
    jwt = f"{_segment({'alg': 'HS256'})}.{_segment(claims)}.{token(20)}"
    found = match(jwt.encode(), jwt, rule(checksum="jwt"))
    (finding,) = inspect(member("a", jwt), [found], Context(now=2000))
    assert finding.evidence["jwt_role"] == "service_role"
    assert finding.evidence["expired"] is True
    assert "jane" not in repr(finding)
    (timeless,) = inspect(member("a", jwt), [found])
    assert "expired" not in timeless.evidence


def test_a_checksum_settles_what_a_pattern_cannot() -> None:
    body = token(30)
    right = "acme_" + body + base62(binascii.crc32(body.encode()), 6).decode()
    wrong = right[:-1] + ("a" if right[-1] != "a" else "b")
    of = rule(checksum="github-crc32")
    (good,) = inspect(member("a", right), [match(right.encode(), right, of)])
    (bad,) = inspect(member("a", wrong), [match(wrong.encode(), wrong, of)])
    assert good.secret is not None
    assert bad.secret is not None
    assert (good.secret.checksum, good.severity) == ("valid", Severity.CRITICAL)
    assert (bad.secret.checksum, bad.severity) == ("invalid", Severity.LOW)
    assert bad.confidence is Confidence.LOW
    assert "checksum" in bad.evidence["doubt"]


def test_an_aws_key_tells_its_account() -> None:
    body = base64.b32encode(((1 << 47) | (123456789012 << 7)).to_bytes(6, "big") + bytes(4))
    key = "AKIA" + body.decode()[:16]
    of = rule(checksum="aws-account")
    (finding,) = inspect(member("a", key), [match(key.encode(), key, of)])
    assert finding.evidence["aws_account"] == "123456789012"


@pytest.mark.parametrize(
    ("path", "severity"),
    [
        ("docs/usage.rst", Severity.LOW),
        ("apis/iam.examples.json", Severity.LOW),
        ("lib/client.js", Severity.CRITICAL),
    ],
)
def test_a_general_pattern_counts_less_in_documentation(path: str, severity: Severity) -> None:
    secret = token(20)
    found = match(secret.encode(), secret, rule(generic=True))
    (finding,) = inspect(member(path, secret), [found])
    assert finding.severity is severity


def test_what_has_expired_counts_less() -> None:
    jwt = f"{_segment({'alg': 'HS256'})}.{_segment({'exp': 1000})}.{token(20)}"
    found = match(jwt.encode(), jwt, rule(checksum="jwt"))
    (expired,) = inspect(member("a", jwt), [found], Context(now=2000))
    (living,) = inspect(member("a", jwt), [found], Context(now=500))
    assert expired.severity is Severity.LOW
    assert living.severity is Severity.CRITICAL
