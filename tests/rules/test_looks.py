"""What looks generated, like a password or a login: random values do, names and words do not."""

from __future__ import annotations

import base64
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rules.looks import LOOKS, is_generated, is_login, is_password, surprise

_ALPHABETS = {
    "letters and digits": string.ascii_letters + string.digits,
    "small letters and digits": string.ascii_lowercase + string.digits,
    "capitals and digits": string.ascii_uppercase + string.digits,
    "letters": string.ascii_letters,
    "base64": string.ascii_letters + string.digits + "+/",
    "URL-safe base64": string.ascii_letters + string.digits + "-_",
}
_NAMES = (
    "refreshAccessTokenV2Failed", "auth.errors.passwordTooShort8", "thisIsTheNameOfAToken2",
    "settings/oauth2/ClientSecretField", "node-modules-cache-v12", "injectNpm2FaToken",
    "acme-registry-credentials-v2", "LoginForm_password__label2", "SecretsManagerV1Beta2",
    "https.api.acme.example.com", "emrstudio-prod.eu-south-1.amazonaws.com",
    "us-east-1-prod-cluster",
    "com.acme.security.AuthTokenProvider3", "Base64UrlEncodedString", "sha256WithRSAEncryption",
    "AWS_SECRET_ACCESS_KEY_2", "password-field-2", "xn--vestvgy-ixa6o.example",
)  # fmt: skip
_PASSWORDS = ("S3cr3t!x9Q", "Tr0ub4dor&3x!", "hT7*kq2Lp", "p@ssw0rd!Secure99", "9fK2mQx7Lw")
_NO_PASSWORDS = (
    "passwordField2", "cfg.password1", "field_v2", "left-pad@1", "user@mail.acme.io1",
    "#4caf50aabbcc", "$password1", "newpass1", "password",
)  # fmt: skip


@pytest.mark.parametrize("name", _ALPHABETS)
@pytest.mark.parametrize("length", [16, 20, 32, 40])
def test_random_values_look_generated(name: str, length: int) -> None:
    chance = random.Random(length)
    values = ["".join(chance.choices(_ALPHABETS[name], k=length)) for _ in range(500)]
    assert sum(is_generated(value.encode()) for value in values) >= 480


@pytest.mark.parametrize("name", _NAMES)
def test_names_do_not(name: str) -> None:
    assert not is_generated(name.encode())
    assert not is_password(name.encode())


def test_digests_and_random_uuids_look_generated() -> None:
    assert is_generated(b"9f86d081884c7d659a2feaa0c55ad015")
    assert is_generated(b"0b2a7c5e-8d1f-4e3a-9c6b-7f1d2e3a4b5c")
    assert not is_generated(b"6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # of RFC 4122, not random
    assert not is_generated(b"1" * 32)


@pytest.mark.parametrize("value", _PASSWORDS)
def test_passwords_look_like_some(value: str) -> None:
    assert is_password(value.encode())


@pytest.mark.parametrize("value", _NO_PASSWORDS)
def test_other_values_do_not_look_like_passwords(value: str) -> None:
    assert not is_password(value.encode())


def test_logins() -> None:
    assert is_login(base64.b64encode(b"svc-ci:8MpV84wCvBs"))
    assert is_login(base64.b64encode(b"sk_live_abcdefgh:"))
    assert not is_login(base64.b64encode(b"user:password"))
    assert not is_login(base64.b64encode(b"\xff\xfe:\x00\x01\x02"))
    assert not is_login(b"authentication")
    assert LOOKS["coded-password"](base64.b64encode(b"k3JdfR8xQ1zPw7Lm2VbN"))
    assert not LOOKS["coded-password"](base64.b64encode(b"password"))


def test_words_surprise_less_than_chance() -> None:
    words = ("authentication", "userRepository", "connectionString", "internationalization")
    assert max(surprise(word.encode()) for word in words) < 4
    assert surprise(b"k3JdfR8xQ1zPw7Lm2VbN") > 4.5
    assert surprise(b"ab") == 0


@pytest.mark.parametrize("name", LOOKS)
@given(value=st.binary(min_size=1, max_size=100))
def test_any_bytes_get_an_answer(name: str, value: bytes) -> None:
    assert LOOKS[name](value) in {True, False}
