"""Keys that are one short text: age's Bech32, extended keys in Base58Check, WireGuard's base64."""

from __future__ import annotations

import hashlib

from monitor.rules.keys.shapes import Key, base64_bytes

_BECH32 = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_CHECKSUM = 6  # characters of Bech32's
_X25519 = 32
_EXTENDED = 78  # bytes of a serialised extended key (BIP 32)
_LONGEST = 200


def is_bech32(text: bytes) -> bool:
    """Whether the checksum of a text fits (BIP 173, the variant that age uses)."""
    lower = text.lower()
    prefix, separator, coded = lower.rpartition(b"1")
    if len(text) > _LONGEST or not separator or text not in (lower, text.upper()):
        return False
    values = [_BECH32.find(coded[at : at + 1]) for at in range(len(coded))]
    if len(values) < _CHECKSUM or -1 in values:
        return False
    checked = [byte >> 5 for byte in prefix] + [0] + [byte & 31 for byte in prefix] + values
    sum_ = 1
    for value in checked:
        top = sum_ >> 25
        sum_ = (sum_ & 0x1FFFFFF) << 5 ^ value
        for at, generator in enumerate(_GENERATORS):
            sum_ ^= generator if top >> at & 1 else 0
    return sum_ == 1


def extended_key(text: bytes) -> Key | None:
    """An extended private key of BIP 32; None if its checksum does not fit."""
    number = 0
    for byte in text[:_LONGEST]:
        digit = _BASE58.find(bytes((byte,)))
        if digit < 0:
            return None
        number = number * 58 + digit
    raw = number.to_bytes(_LONGEST, "big").lstrip(b"\0")
    body, told = raw[:-4], raw[-4:]
    twice = hashlib.sha256(hashlib.sha256(body).digest()).digest()
    return Key("bip32") if len(body) == _EXTENDED and twice[:4] == told else None


def wireguard(text: bytes) -> bool | None:
    """Whether 32 bytes are clamped as ``wg genkey`` gives them; None if they only are as many."""
    raw = base64_bytes(text)
    if raw is None or len(raw) != _X25519:
        return False
    is_clamped = not raw[0] & 7 and raw[31] & 0xC0 == 0x40  # noqa: PLR2004 - RFC 7748, 5
    return True if is_clamped else None


def jwk_bits(text: bytes) -> int | None:
    """The size of a JSON Web Key's private number: of a curve's, or at least RSA's of 1024 bits.

    RFC 7518, 6.2.2 and 6.3.2; RFC 8037, 2: those of curves have the curve's whole length.
    """
    raw = base64_bytes(text)
    if raw is None:
        return None
    size = len(raw)
    return size * 8 if size in (32, 48, 56, 57, 66) or 120 <= size <= 2048 else None  # noqa: PLR2004 - bytes
