"""OpenSSH's own format of private keys: ``openssh-key-v1`` (OpenSSH, PROTOCOL.key)."""

from __future__ import annotations

from monitor.rules.keys.shapes import Cursor, Key, MalformedError

MAGIC = b"openssh-key-v1\0"
_BLOCK = 8
_CHECK = 8  # two equal numbers of four bytes begin what is not encrypted


def private_key(raw: bytes) -> Key | None:
    """The key that the bytes are; None if they are none."""
    if not raw.startswith(MAGIC):
        return None
    try:
        return _read(Cursor(raw, len(MAGIC)))
    except MalformedError:
        return None


def _read(body: Cursor) -> Key:
    cipher, derivation = body.text(), body.text()
    body.text()  # the options of the derivation
    if body.number(4) != 1:
        raise MalformedError("ssh-keygen writes one key a file")
    algorithm = Cursor(body.text()).text()
    secret = body.text()
    is_encrypted = cipher != b"none"
    if len(secret) % _BLOCK or len(secret) < 2 * _BLOCK or is_encrypted is (derivation == b"none"):
        raise MalformedError("no secret part of a key")
    if not is_encrypted:
        inner = Cursor(secret)
        if inner.number(4) != inner.number(4) or inner.text() != algorithm:
            raise MalformedError("the secret part is not of the public one")
    return Key(_named(algorithm), is_encrypted=is_encrypted)


def _named(algorithm: bytes) -> str:
    """``ed25519`` of ``ssh-ed25519``; nothing of what is no name."""
    name = algorithm.decode("ascii", "replace").partition("@")[0].removeprefix("ssh-")
    return name[:40] if name.isprintable() and name.isascii() else ""
