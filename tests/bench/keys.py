"""Private keys in their usual coats, made on the spot with ``cryptography``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

if TYPE_CHECKING:
    import random

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_PEM = serialization.Encoding.PEM
_FORMATS = {
    "rsa": serialization.PrivateFormat.TraditionalOpenSSL,
    "ec": serialization.PrivateFormat.TraditionalOpenSSL,
    "pkcs8": serialization.PrivateFormat.PKCS8,
    "openssh": serialization.PrivateFormat.OpenSSH,
}


def private_key(kind: str, chance: random.Random) -> str:
    """A key in PEM, with its last line's end; RSA keys cannot be made from a seed and differ."""
    key: PrivateKeyTypes
    if kind in {"rsa", "pkcs8"}:
        key = rsa.generate_private_key(65537, 2048)
    elif kind == "ec":
        key = ec.derive_private_key(chance.getrandbits(250) + 2, ec.SECP256R1())
    else:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
    return key.private_bytes(_PEM, _FORMATS[kind], serialization.NoEncryption()).decode()
