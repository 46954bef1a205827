from __future__ import annotations

import base64
import binascii
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rules.checksums import CHECKS, UNKNOWN, base62, check
from tests.rules import key_samples


def github(body: str) -> bytes:
    return b"ghp_" + body.encode() + base62(binascii.crc32(body.encode()), 6)


def test_a_github_token_ends_in_its_checksum() -> None:
    token = github("k3JdfR8xQ1zPw7Lm2VbN9cT5yH0gS4")
    assert check("github-crc32", token).word == "valid"
    assert check("npm-crc32", token.replace(b"ghp_", b"npm_")).word == "valid"
    assert check("github-crc32", token[:-1] + b"_").word is None
    assert check("github-crc32", token[:-1] + bytes([token[-1] ^ 1])).word == "invalid"
    # GitHub's own documented example does not fit.
    assert (
        check("github-crc32", b"ghp_" + b"16C7e42F292c6912E7710c838347Ae178B4a").word == "invalid"
    )


@pytest.mark.parametrize(("number", "text"), [(0, b"000000"), (61, b"00000z"), (62**5, b"100000")])
def test_base62_uses_digits_capitals_small_letters(number: int, text: bytes) -> None:
    assert base62(number, 6) == text


def test_an_aws_key_id_names_its_account() -> None:
    account = 581_039_954_779
    body = base64.b32encode((0x8000_0000_0000 | account << 7).to_bytes(6, "big") + bytes(4))
    assert check("aws-account", b"AKIA" + body).evidence == {"aws_account": "581039954779"}
    assert check("aws-account", b"ASIA" + body).evidence == {"aws_account": "581039954779"}
    assert check("aws-account", b"AKIA" + b"I" + body[1:]) == UNKNOWN
    assert check("aws-account", b"AKIA123") == UNKNOWN


def macaroon(*caveats: bytes) -> bytes:
    def field(kind: int, value: bytes) -> bytes:
        size = len(value)
        return (
            bytes([kind])
            + (bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7]))
            + value
        )

    sections = b"".join(field(2, caveat) + b"\0" for caveat in caveats)
    head = field(1, b"acme.example") + field(2, b"id" * 80) + b"\0"
    raw = b"\x02" + head + sections + b"\0" + field(6, bytes(32))
    return b"pypi-" + base64.urlsafe_b64encode(raw).rstrip(b"=")


@pytest.mark.parametrize(
    ("caveats", "scope"),
    [
        ([], "unrestricted"),
        ([b'{"version": 1, "permissions": "user"}'], "user"),
        ([b'{"version": 1, "permissions": {"projects": ["acme", "b"]}}'], "projects acme b"),
        ([b'[1,["acme"]]', b"[0,200,100]"], "projects acme, expires 200"),
        ([b'[2,["1-2","3-4"]]'], "2 project ids"),
        ([b'[3,"7"]', b"noise"], "user"),
    ],
)
def test_a_pypi_token_tells_its_scope(caveats: list[bytes], scope: str) -> None:
    found = check("pypi-macaroon", macaroon(*caveats))
    assert (found.valid, found.evidence) == (True, {"pypi_scope": scope})


def test_a_cut_macaroon_is_none() -> None:
    token = macaroon(b"[3]")
    assert check("pypi-macaroon", token[:-8]).valid is False
    assert check("pypi-macaroon", b"pypi-AAAA").valid is False


def jwt(header: object, claims: object) -> bytes:
    parts = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (header, claims)
    ]
    return b".".join([*parts, b"c2ln"])


def test_a_jwt_tells_role_and_expiry() -> None:
    found = check("jwt", jwt({"alg": "HS256"}, {"role": "service_role", "exp": 9, "x": [1]}))
    assert found.valid is True
    assert found.evidence == {"jwt_alg": "HS256", "jwt_role": "service_role", "jwt_exp": 9}
    assert check("jwt", jwt({"typ": "x"}, {})).valid is False
    assert check("jwt", jwt({"alg": "x"}, [])).valid is False
    assert check("jwt", b"ey.ey").valid is False


def test_tokens_of_grafana_and_gitlab_end_in_their_checksums() -> None:
    token = b"glsa_" + b"k3JdfR8xQ1zPw7Lm2VbN9cT5yH0gS4uA"
    whole = token + b"_" + binascii.crc32(token).to_bytes(4, "little").hex().encode()
    assert check("grafana-crc32", whole).valid is True
    assert check("grafana-crc32", whole[:-1] + b"x").valid is False
    assert check("grafana-crc32", b"glsa").valid is None
    payload = b"dGhlcmUgaXMgbm90aGluZyBpbiBoZXJlbzox"
    token = b"glpat-" + payload + b".01." + b"10"  # 36 in base 36
    crc, digits = binascii.crc32(token), b""
    while crc:
        crc, rest = divmod(crc, 36)
        digits = b"0123456789abcdefghijklmnopqrstuvwxyz"[rest : rest + 1] + digits
    assert check("gitlab-crc32", token + digits.rjust(7, b"0")).valid is True
    assert check("gitlab-crc32", token + b"0000000").valid is False
    assert check("gitlab-crc32", b"glpat-TA4lkpbs-c2MGjPxyhFo").valid is None


@pytest.mark.parametrize("name", key_samples.PEM)
def test_a_private_key_is_looked_into(name: str) -> None:
    text, _, is_encrypted = key_samples.PEM[name]
    found = check("private-key", text)
    assert found.valid is True
    assert found.evidence["encrypted"] is is_encrypted
    assert found.evidence["key_type"].endswith("private key")


def test_a_key_that_is_none() -> None:
    assert check("private-key", b"-----BEGIN PRIVATE KEY-----\n...\n-----END").valid is False
    assert check("private-key", b"no key") == UNKNOWN
    assert check("no such check", b"") == UNKNOWN


@pytest.mark.parametrize("name", CHECKS)
@given(value=st.binary(max_size=200))
def test_a_check_answers_whatever_it_is_given(name: str, value: bytes) -> None:
    for text in (value, b"pypi-" + base64.b64encode(b"\x02" + value), b"AKIA" + value):
        assert check(name, text).word in {"valid", "invalid", None}
