"""Readers of private keys: real keys of every format are keys, anything else is none."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rules.checksums import check
from monitor.rules.keys import Key, armour, codes, der, openpgp, openssh, putty
from tests.rules import key_samples

if TYPE_CHECKING:
    from collections.abc import Callable

READERS: dict[str, Callable[[bytes], Key | None]] = {
    "der": der.private_key,
    "openssh": openssh.private_key,
    "openpgp": openpgp.private_key,
    "putty": putty.private_key,
    "armour": lambda raw: armour.private_key("PRIVATE KEY", raw),
    "pgp-armour": lambda raw: armour.private_key("PGP PRIVATE KEY BLOCK", raw),
    "extended": codes.extended_key,
}
BINARY: dict[str, tuple[Callable[[bytes], Key | None], bytes]] = {
    **{name: (der.private_key, raw) for name, raw in key_samples.DER.items()},
    "openpgp": (openpgp.private_key, key_samples.openpgp()),
    "putty": (putty.private_key, key_samples.putty()),
}


def _key(text: bytes) -> Key | None:
    framed = armour.framed(text)
    assert framed is not None
    return armour.private_key(*framed)


@pytest.mark.parametrize("name", key_samples.PEM)
def test_a_key_is_read_however_its_lines_are_broken(name: str) -> None:
    text, algorithm, is_encrypted = key_samples.PEM[name]
    spellings = [text, text.replace(b"\n", b"\r\n"), b"  " + text.replace(b"\n", b"\n  ")]
    spellings += [text.replace(b"\n", b"\\n"), text.replace(b"\n", b"\\\\r\\\\n")]
    if name != "legacy":  # whose headers need their lines
        spellings.append(text.replace(b"\n", b" "))
    for spelled in spellings:
        key = _key(spelled)
        assert key is not None, spelled
        assert (key.algorithm, key.is_encrypted) == (algorithm, is_encrypted)


@pytest.mark.parametrize("name", key_samples.PEM)
def test_a_key_that_is_cut_off_is_none(name: str) -> None:
    text, _, _ = key_samples.PEM[name]
    lines = text.splitlines(keepends=True)
    if name == "legacy":
        lines[-2] = lines[-2][:5] + b"\n"
    else:
        del lines[-2]
    assert _key(b"".join(lines)) is None


def test_a_key_with_one_changed_digit_is_none() -> None:
    for name in ("pkcs1", "pkcs8-rsa", "dsa"):
        text, _, _ = key_samples.PEM[name]
        at = text.index(b"\n", 100) - 9
        changed = text[:at] + (b"A" if text[at : at + 1] != b"A" else b"B") + text[at + 1 :]
        assert (_key(changed) is None) or name == "dsa"


def test_keys_of_pgp_tell_whether_a_passphrase_protects_them() -> None:
    for version in (4, 5):
        clear = _key(key_samples.armoured(key_samples.openpgp(version=version)))
        assert clear == Key("eddsa")
    closed = _key(key_samples.armoured(key_samples.openpgp(is_encrypted=True)))
    assert closed == Key("eddsa", is_encrypted=True)
    text = key_samples.armoured(key_samples.openpgp())
    at = text.index(b"\n=") + 2
    assert _key(text[:at] + b"AAAA" + text[at + 4 :]) is None  # the checksum of the armour
    public = b"\x98" + key_samples.openpgp()[1:]
    assert openpgp.private_key(public) is None


@pytest.mark.parametrize("version", [2, 3])
def test_keys_of_putty(version: int) -> None:
    clear = key_samples.putty(version)
    assert putty.private_key(clear) == Key("ed25519")
    closed = putty.private_key(key_samples.putty(version, is_encrypted=True))
    assert closed == Key("ed25519", is_encrypted=True)
    assert putty.private_key(clear.replace(b"\n", b"\r\n")) == Key("ed25519")
    assert putty.private_key(clear.replace(b"Private-Lines: 1", b"Private-Lines: 9")) is None
    assert putty.private_key(clear.replace(b"File-%d: ssh-ed25519" % version, b"File-2: x")) is None
    assert putty.private_key(clear[:-20]) is None


def test_codes_with_a_checksum() -> None:
    for name, make in (("age", key_samples.age), ("bip32", key_samples.extended_key)):
        text = make()
        assert check(name, text).valid is True, text
        last = b"Q" if text[-1:] != b"Q" else b"P"
        assert check(name, text[:-1] + last).valid is False
    assert check("wireguard", key_samples.wireguard()).valid is True
    assert check("wireguard", base64.b64encode(b"\xff" * 32)).valid is None
    assert check("wireguard", base64.b64encode(bytes(31))).valid is False


@pytest.mark.parametrize(("size", "valid"), [(32, True), (48, True), (66, True), (128, True),
                                             (512, True), (40, False), (100, False)])  # fmt: skip
def test_the_number_of_a_json_web_key_has_a_size_that_keys_have(size: int, valid: bool) -> None:  # noqa: FBT001 - a table of cases
    assert check("jwk", base64.urlsafe_b64encode(b"\xfb" * size).rstrip(b"=")).valid is valid


@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
def test_no_beginning_and_no_continuation_of_a_key_is_one(name: str, data: st.DataObject) -> None:
    reader, raw = BINARY[name]
    assert reader(raw) is not None
    size = data.draw(st.integers(0, len(raw) - 40))
    if name != "openpgp" or size < 90:  # behind its packet others follow
        assert reader(raw[:size]) is None
    if name not in {"openpgp", "putty"}:
        assert reader(raw + data.draw(st.binary(min_size=1, max_size=5))) is None


@pytest.mark.parametrize("name", READERS)
@given(raw=st.binary(max_size=300))
def test_a_reader_answers_whatever_it_is_given(name: str, raw: bytes) -> None:
    reader = READERS[name]
    heads = (b"", b"openssh-key-v1\0", b"\x30\x82\x00\x40\x02\x01\x00", b"\x94\x40\x04",
             b"PuTTY-User-Key-File-2: ssh-rsa\nPublic-Lines: 1\n")  # fmt: skip
    for head in heads:
        assert reader(head + raw) is None or isinstance(reader(head + raw), Key)


@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
def test_a_damaged_key_never_raises(name: str, data: st.DataObject) -> None:
    reader, raw = BINARY[name]
    damaged = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    found = reader(bytes(damaged))
    assert found is None or isinstance(found, Key)


def test_a_huge_length_costs_nothing() -> None:
    assert der.private_key(b"\x30\x84\xff\xff\xff\xff" + bytes(100)) is None
    assert der.private_key(b"\x30" * 5_000_000) is None
    assert openssh.private_key(openssh.MAGIC + b"\xff\xff\xff\xff" + bytes(10)) is None
