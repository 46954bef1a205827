"""Private keys of every format, made on the spot: what readers of keys are held against."""

from __future__ import annotations

import base64
import hashlib
import random
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519

from monitor.rules.keys.openpgp import crc24

_CHANCE = random.Random(5)
_RAW = serialization.Encoding.Raw
_PEM = serialization.Encoding.PEM
_DER = serialization.Encoding.DER
_FORMATS = serialization.PrivateFormat
_CLEAR = serialization.NoEncryption()
_CLOSED = serialization.BestAvailableEncryption(b"passphrase")
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

RSA = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it protects nothing
EC = ec.derive_private_key(_CHANCE.getrandbits(250), ec.SECP256R1())
P521 = ec.derive_private_key(_CHANCE.getrandbits(500), ec.SECP521R1())
ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(_CHANCE.randbytes(32))
ED448 = ed448.Ed448PrivateKey.from_private_bytes(_CHANCE.randbytes(57))
X25519 = x25519.X25519PrivateKey.from_private_bytes(_CHANCE.randbytes(32))
DSA = dsa.generate_private_key(1024)  # noqa: S505 - as above


def _text(raw: bytes) -> bytes:
    return struct.pack(">I", len(raw)) + raw


def _closed_openssh() -> bytes:
    """As ssh-keygen writes it with a passphrase; ``cryptography`` needs bcrypt for that."""
    public = _text(b"ssh-ed25519") + _text(ED25519.public_key().public_bytes_raw())
    options = _text(_CHANCE.randbytes(16)) + struct.pack(">I", 16)
    raw = b"openssh-key-v1\0" + _text(b"aes256-ctr") + _text(b"bcrypt") + _text(options)
    raw += struct.pack(">I", 1) + _text(public) + _text(_CHANCE.randbytes(144))
    label = b"OPENSSH PRIVATE KEY-----\n"
    return b"-----BEGIN " + label + base64.encodebytes(raw) + b"-----END " + label


PEM: dict[str, tuple[bytes, str, bool]] = {
    "pkcs8-rsa": (RSA.private_bytes(_PEM, _FORMATS.PKCS8, _CLEAR), "rsa", False),
    "pkcs1": (RSA.private_bytes(_PEM, _FORMATS.TraditionalOpenSSL, _CLEAR), "rsa", False),
    "pkcs8-ec": (EC.private_bytes(_PEM, _FORMATS.PKCS8, _CLEAR), "ec", False),
    "sec1": (EC.private_bytes(_PEM, _FORMATS.TraditionalOpenSSL, _CLEAR), "ec", False),
    "sec1-p521": (P521.private_bytes(_PEM, _FORMATS.TraditionalOpenSSL, _CLEAR), "ec", False),
    "pkcs8-ed25519": (ED25519.private_bytes(_PEM, _FORMATS.PKCS8, _CLEAR), "ed25519", False),
    "pkcs8-ed448": (ED448.private_bytes(_PEM, _FORMATS.PKCS8, _CLEAR), "ed448", False),
    "pkcs8-x25519": (X25519.private_bytes(_PEM, _FORMATS.PKCS8, _CLEAR), "x25519", False),
    "pkcs8-dsa": (DSA.private_bytes(_PEM, _FORMATS.PKCS8, _CLEAR), "dsa", False),
    "dsa": (DSA.private_bytes(_PEM, _FORMATS.TraditionalOpenSSL, _CLEAR), "dsa", False),
    "encrypted-pkcs8": (EC.private_bytes(_PEM, _FORMATS.PKCS8, _CLOSED), "", True),
    "legacy": (RSA.private_bytes(_PEM, _FORMATS.TraditionalOpenSSL, _CLOSED), "rsa", True),
    "openssh": (ED25519.private_bytes(_PEM, _FORMATS.OpenSSH, _CLEAR), "ed25519", False),
    "openssh-rsa": (RSA.private_bytes(_PEM, _FORMATS.OpenSSH, _CLEAR), "rsa", False),
    "openssh-closed": (_closed_openssh(), "ed25519", True),
}
"""By format: the text, its algorithm, and whether a passphrase protects it."""

DER: dict[str, bytes] = {
    "pkcs8": RSA.private_bytes(_DER, _FORMATS.PKCS8, _CLEAR),
    "pkcs1": RSA.private_bytes(_DER, _FORMATS.TraditionalOpenSSL, _CLEAR),
    "sec1": EC.private_bytes(_DER, _FORMATS.TraditionalOpenSSL, _CLEAR),
    "dsa": DSA.private_bytes(_DER, _FORMATS.TraditionalOpenSSL, _CLEAR),
    "encrypted": EC.private_bytes(_DER, _FORMATS.PKCS8, _CLOSED),
}


def openpgp(
    *, is_encrypted: bool = False, version: int = 4, key: ed25519.Ed25519PrivateKey = ED25519
) -> bytes:
    """A secret key's packet (EdDSA) and a user id, as GnuPG writes them."""
    public = b"\x40" + key.public_key().public_bytes(_RAW, serialization.PublicFormat.Raw)
    secret = _integer(key.private_bytes(_RAW, _FORMATS.Raw, _CLEAR))
    body = bytes((version,)) + struct.pack(">I", 1763900000) + b"\x16"
    parameters = b"\x09" + bytes.fromhex("2b06010401da470f01") + _integer(public)
    body += (struct.pack(">I", len(parameters)) if version > 4 else b"") + parameters
    if is_encrypted:
        body += b"\xfe\x07\x03\x08" + _CHANCE.randbytes(8) + b"\xff" + _CHANCE.randbytes(60)
    else:
        body += b"\0" + secret + struct.pack(">H", sum(secret) & 0xFFFF)
    user = b"Release <release@acme.example>"
    return bytes((0x94, len(body))) + body + bytes((0xB4, len(user))) + user


def _integer(raw: bytes) -> bytes:
    number = int.from_bytes(raw, "big")
    return struct.pack(">H", number.bit_length()) + number.to_bytes((number.bit_length() + 7) // 8)


def armoured(raw: bytes) -> bytes:
    """A secret key between the lines of OpenPGP's armour, with its checksum."""
    body = base64.encodebytes(raw)
    crc = base64.b64encode(crc24(raw).to_bytes(3))
    label = b"PGP PRIVATE KEY BLOCK-----\n"
    return b"-----BEGIN " + label + b"\n" + body + b"=" + crc + b"\n-----END " + label


def putty(
    version: int = 3, *, is_encrypted: bool = False, key: ed25519.Ed25519PrivateKey = ED25519
) -> bytes:
    """A .ppk file with an Ed25519 key."""
    public = _text(b"ssh-ed25519") + _text(
        key.public_key().public_bytes(_RAW, serialization.PublicFormat.Raw)
    )
    secret = _text(key.private_bytes(_RAW, _FORMATS.Raw, _CLEAR))
    if is_encrypted:
        secret = _CHANCE.randbytes(48)
    derivation = "Key-Derivation: Argon2id\nArgon2-Memory: 8192\nArgon2-Passes: 13\n"
    return (
        f"PuTTY-User-Key-File-{version}: ssh-ed25519\n"
        f"Encryption: {'aes256-cbc' if is_encrypted else 'none'}\nComment: deploy\n"
        f"{_lines('Public', public)}{derivation if is_encrypted and version == 3 else ''}"
        f"{_lines('Private', secret)}"
        f"Private-MAC: {_CHANCE.randbytes(20 if version == 2 else 32).hex()}\n"
    ).encode()


def _lines(name: str, raw: bytes) -> str:
    lines = base64.encodebytes(raw).decode()
    return f"{name}-Lines: {lines.count(chr(10))}\n{lines}"


def age() -> bytes:
    """An age identity: 32 bytes in Bech32 (BIP 173)."""
    prefix, number = "age-secret-key-", int.from_bytes(_CHANCE.randbytes(32)) << 4
    values = [number >> 5 * at & 31 for at in range(51, -1, -1)]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    total = _polymod([*expanded, *values, *[0] * 6]) ^ 1
    values += [total >> 5 * (5 - at) & 31 for at in range(6)]
    return (prefix + "1" + "".join(_BECH32[value] for value in values)).upper().encode()


def _polymod(values: list[int]) -> int:
    generators = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
    total = 1
    for value in values:
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ value
        for at, generator in enumerate(generators):
            total ^= generator if top >> at & 1 else 0
    return total


def extended_key() -> bytes:
    """An xprv of BIP 32 in Base58Check."""
    raw = bytes.fromhex("0488ade4") + _CHANCE.randbytes(41) + b"\0" + _CHANCE.randbytes(32)
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, digits = int.from_bytes(raw), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    return digits.encode()


def wireguard() -> bytes:
    """What ``wg genkey`` prints: 32 bytes, clamped."""
    raw = bytearray(_CHANCE.randbytes(32))
    raw[0] &= 248
    raw[31] = raw[31] & 127 | 64
    return base64.b64encode(bytes(raw))
