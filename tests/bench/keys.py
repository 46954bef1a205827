"""Private keys in their usual coats, made on the spot with ``cryptography``."""

from __future__ import annotations

import base64
import functools
import json
import os
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from tests.bench.shapes import unpadded
from tests.rules import key_samples

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_PEM = serialization.Encoding.PEM
_FORMATS = {
    "rsa": serialization.PrivateFormat.TraditionalOpenSSL,
    "ec": serialization.PrivateFormat.TraditionalOpenSSL,
    "pkcs8": serialization.PrivateFormat.PKCS8,
    "openssh": serialization.PrivateFormat.OpenSSH,
}


_CLOSED = serialization.BestAvailableEncryption(b"passphrase")


def _encrypted() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, _CLOSED).decode()


def _legacy() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(_PEM, serialization.PrivateFormat.TraditionalOpenSSL, _CLOSED).decode()


@functools.cache
def _dsa_parameters() -> dsa.DSAParameters:
    return dsa.generate_parameters(1024)


def _dsa() -> str:
    key = _dsa_parameters().generate_private_key()
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(_PEM, form, serialization.NoEncryption()).decode()


def _cosign() -> str:
    """As ``cosign generate-key-pair`` writes it: scrypt and a secret box, as JSON, in PEM."""
    salt, nonce, closed = (base64.b64encode(os.urandom(size)).decode() for size in (32, 24, 137))
    content = {
        "kdf": {"name": "scrypt", "params": {"N": 65536, "r": 8, "p": 1}, "salt": salt},
        "cipher": {"name": "nacl/secretbox", "nonce": nonce},
        "ciphertext": closed,
    }
    body = base64.b64encode(json.dumps(content, separators=(",", ":")).encode()).decode()
    lines = "".join(f"{body[at : at + 64]}\n" for at in range(0, len(body), 64))
    label = "ENCRYPTED SIGSTORE PRIVATE KEY-----\n"
    return f"-----BEGIN {label}{lines}-----END {label}"


def _jwk() -> str:
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    public = numbers.public_numbers
    parts = {"x": public.x, "y": public.y, "d": numbers.private_value}
    coded = {name: unpadded(number.to_bytes(32, "big")) for name, number in parts.items()}
    return json.dumps({"kty": "EC", "crv": "P-256", **coded})


def _pgp() -> str:
    key = ed25519.Ed25519PrivateKey.generate()
    return key_samples.armoured(key_samples.openpgp(key=key)).decode()


def _putty() -> str:
    return key_samples.putty(key=ed25519.Ed25519PrivateKey.generate()).decode()


_MADE: dict[str, Callable[[], str]] = {
    "encrypted": _encrypted, "legacy": _legacy, "dsa": _dsa, "cosign": _cosign,
    "jwk": _jwk, "pgp": _pgp, "putty": _putty, "bip32": lambda: key_samples.extended_key().decode(),
}  # fmt: skip


def private_key(kind: str, chance: random.Random) -> str:
    """A key in PEM, with its last line's end; RSA keys cannot be made from a seed and differ."""
    if kind in _MADE:
        return _MADE[kind]()
    key: PrivateKeyTypes
    if kind in {"rsa", "pkcs8"}:
        key = rsa.generate_private_key(65537, 2048)
    elif kind == "ec":
        key = ec.derive_private_key(chance.getrandbits(250) + 2, ec.SECP256R1())
    else:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
    return key.private_bytes(_PEM, _FORMATS[kind], serialization.NoEncryption()).decode()
