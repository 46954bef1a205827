"""Offline checks of private keys, as ``metadata.checksum`` names them: the readers' answers.

The readers are imported when the first key is met: nearly no scan meets one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitor.rules.checked import UNKNOWN, Checked

if TYPE_CHECKING:
    from monitor.rules.keys import Key


def _key(found: Key | None, evidence: dict[str, Any] | None = None) -> Checked:
    """What the bytes of a private key tell; that they are none, if so."""
    told = dict(evidence or {})
    if found is None:
        return Checked(valid=False, evidence=told)
    if found.algorithm:
        told["key_algorithm"] = found.algorithm
    if found.bits:
        told["key_bits"] = found.bits
    return Checked(valid=True, evidence=told | {"encrypted": found.is_encrypted})


def private_key(secret: bytes) -> Checked:
    """A key between lines of dashes: DER, OpenSSH's form or OpenPGP's."""
    from monitor.rules.keys import armour

    framed = armour.framed(secret)
    if framed is None:
        return UNKNOWN
    label, body = framed
    return _key(armour.private_key(label, body), {"key_type": label.lower()})


def pgp_private_key(secret: bytes) -> Checked:
    """The body of a block of OpenPGP, without its frame."""
    from monitor.rules.keys import armour

    return _key(armour.private_key("PGP PRIVATE KEY BLOCK", secret))


def encrypted_private_key(secret: bytes) -> Checked:
    """The body of an encrypted key in PKCS#8, without its frame."""
    from monitor.rules.keys import armour

    return _key(armour.private_key("ENCRYPTED PRIVATE KEY", secret))


def legacy_private_key(secret: bytes) -> Checked:
    """The body of a key encrypted as RFC 1421 has it, without its frame and headers."""
    from monitor.rules.keys import armour

    return _key(armour.private_key("", b"Proc-Type: 4,ENCRYPTED\n" + secret))


def putty_private_key(secret: bytes) -> Checked:
    """A whole .ppk file, from its first line to its last."""
    from monitor.rules.keys import putty

    return _key(putty.private_key(secret))


def jwk(secret: bytes) -> Checked:
    """The private number of a JSON Web Key: whether it has a size that keys have."""
    from monitor.rules.keys import codes

    bits = codes.jwk_bits(secret)
    return Checked(valid=False, evidence={}) if bits is None else Checked(valid=True, evidence={})


def age(secret: bytes) -> Checked:
    """An age identity is Bech32 (https://github.com/C2SP/C2SP/blob/main/age.md)."""
    from monitor.rules.keys import codes

    return Checked(codes.is_bech32(secret), {})


def wireguard(secret: bytes) -> Checked:
    """32 bytes; that they are clamped says that ``wg genkey`` made them."""
    from monitor.rules.keys import codes

    return Checked(codes.wireguard(secret), {})


def bip32(secret: bytes) -> Checked:
    """An extended key ends in four bytes of a double SHA-256 (BIP 32, Base58Check)."""
    from monitor.rules.keys import codes

    return Checked(codes.extended_key(secret) is not None, {})
