"""Private keys in their usual coats, made on the spot with ``cryptography``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

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


def _encrypted() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    closed = serialization.BestAvailableEncryption(b"passphrase")
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, closed).decode()


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
    "encrypted": _encrypted, "jwk": _jwk, "pgp": _pgp, "putty": _putty,
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
