from __future__ import annotations

import base64
import binascii
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rules.checksums import CHECKS, UNKNOWN, base62, check


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


@pytest.mark.parametrize(
    ("number", "valid"), [(b"4111 1111 1111 1111", True), (b"4111111111111112", False)]
)
def test_luhn(number: bytes, valid: bool) -> None:  # noqa: FBT001 - a table of cases
    assert check("luhn", number).valid is valid


def pem(label: str, raw: bytes, header: str = "") -> bytes:
    body = base64.encodebytes(raw).decode()
    return f"-----BEGIN {label}-----\n{header}{body}-----END {label}-----\n".encode()


DER = b"\x30\x82\x01\x00" + bytes(256)


@pytest.mark.parametrize(
    ("text", "valid", "encrypted"),
    [
        (pem("RSA PRIVATE KEY", DER), True, False),
        (pem("PRIVATE KEY", b"\x30\x03\x02\x01\x00"), True, False),
        (pem("PRIVATE KEY", DER[:-1]), False, False),
        (pem("EC PRIVATE KEY", b"hello world"), False, False),
        (pem("ENCRYPTED PRIVATE KEY", DER), True, True),
        (
            pem(
                "RSA PRIVATE KEY", bytes(64), "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"
            ),
            True,
            True,
        ),
        (pem("OPENSSH PRIVATE KEY", b"openssh-key-v1\0\0\0\0\x04none" + bytes(9)), True, False),
        (pem("OPENSSH PRIVATE KEY", b"openssh-key-v1\0\0\0\0\x0aaes256-ctr"), True, True),
        (pem("PGP PRIVATE KEY BLOCK", b"\x95\x01\x02", "Version: 1\n\n"), True, False),
    ],
)
def test_a_private_key_is_looked_into(text: bytes, valid: bool, encrypted: bool) -> None:  # noqa: FBT001 - a table of cases
    found = check("private-key", text)
    assert found.valid is valid
    assert found.evidence["encrypted"] is encrypted


def test_a_key_that_is_none() -> None:
    assert check("private-key", b"-----BEGIN PRIVATE KEY-----\n...\n-----END").valid is False
    assert check("private-key", b"no key") == UNKNOWN
    assert check("no such check", b"") == UNKNOWN


@pytest.mark.parametrize("name", CHECKS)
@given(value=st.binary(max_size=200))
def test_a_check_answers_whatever_it_is_given(name: str, value: bytes) -> None:
    for text in (value, b"pypi-" + base64.b64encode(b"\x02" + value), b"AKIA" + value):
        assert check(name, text).word in {"valid", "invalid", None}
