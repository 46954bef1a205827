"""What a secret tells of itself offline: a checksum, an account, a scope, an expiry.

``CHECKS`` is the table that ``metadata.checksum`` names. A check never raises on any bytes.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING

from monitor.patterns import later
from monitor.rules import key_checks
from monitor.rules.checked import UNKNOWN, Checked

if TYPE_CHECKING:
    from collections.abc import Callable


_BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM_LENGTH = 6


def check(name: str, secret: bytes) -> Checked:
    """The answer of the check with this name; ``UNKNOWN`` for a name that there is not."""
    found = CHECKS.get(name)
    return UNKNOWN if found is None else found(secret)


def base62(number: int, length: int) -> bytes:
    """A number in base 62 (digits, capitals, small letters), padded with zeros."""
    out = bytearray()
    while number:
        number, rest = divmod(number, 62)
        out.append(_BASE62[rest])
    return bytes(reversed(out)).rjust(length, b"0")


def _prefixed_crc32(secret: bytes) -> Checked:
    """GitHub and npm: the last 6 of 36 characters are the CRC-32 of the first 30, in base 62.

    https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
    """
    body = secret.rpartition(b"_")[2]
    if len(body) <= _CHECKSUM_LENGTH:
        return UNKNOWN
    value, digits = body[:-_CHECKSUM_LENGTH], body[-_CHECKSUM_LENGTH:]
    return Checked(base62(binascii.crc32(value), _CHECKSUM_LENGTH) == digits, {})


_AWS_KEY = later(rb"A[A-Z0-9]{3}([A-Z2-7]{16})\Z")
_ACCOUNT_MASK = 0x7FFFFFFFFF80


def _aws_account(secret: bytes) -> Checked:
    """An access key id of today's form holds its account's number in 40 bits.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html says that the
    account belongs to the id; keys from before 2019 (fifth character below "Q") hold none.
    """
    found = _AWS_KEY.match(secret)
    if found is None or found[1][:1] < b"Q":
        return UNKNOWN
    import base64

    number = int.from_bytes(base64.b32decode(found[1])[:6], "big")
    account = (number & _ACCOUNT_MASK) >> 7
    if account >= 10**12:
        return Checked(valid=False, evidence={})
    return Checked(None, {"aws_account": f"{account:012d}"})


def _decoded(text: bytes) -> bytes | None:
    import base64

    try:
        return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None


def _pypi_macaroon(secret: bytes) -> Checked:
    """A PyPI token is a version 2 macaroon; its caveats say what it is good for.

    The format is libmacaroons' version 2: 0x02, then fields of (type, varint length,
    bytes): 1 location, 2 identifier, 4 verifier, 6 signature; a 0 ends a section.
    """
    raw = _decoded(secret.removeprefix(b"pypi-"))
    if raw is None or raw[:1] != b"\x02":
        return Checked(valid=False, evidence={})
    fields = _macaroon_fields(raw)
    if fields is None:
        return Checked(valid=False, evidence={})
    scope = _pypi_scope([value for kind, value in fields if kind == _IDENTIFIER][1:])
    return Checked(valid=True, evidence={"pypi_scope": scope})


_IDENTIFIER = 2
_SIGNATURE = 6


def _macaroon_fields(raw: bytes) -> list[tuple[int, bytes]] | None:
    """The fields up to the signature; None if the bytes end before it."""
    fields: list[tuple[int, bytes]] = []
    at = 1
    while at < len(raw):
        kind = raw[at]
        at += 1
        if kind == 0:
            continue
        length = shift = 0
        while at < len(raw) and shift < 28:  # noqa: PLR2004 - more is no length that fits here
            length |= (raw[at] & 0x7F) << shift
            at += 1
            shift += 7
            if raw[at - 1] < 0x80:  # noqa: PLR2004 - the last byte of a varint
                break
        if at + length > len(raw):
            return None
        fields.append((kind, raw[at : at + length]))
        at += length
        if kind == _SIGNATURE:
            return fields
    return None


def _pypi_scope(caveats: list[bytes]) -> str:
    """The caveats in words: old ones are JSON objects, newer ones lists led by a number."""
    import msgspec

    said = []
    for caveat in caveats:
        try:
            value = msgspec.json.decode(caveat)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        match value:
            case {"permissions": "user"} | [3, *_]:
                said.append("user")
            case {"permissions": {"projects": [*names]}} | [1, [*names]]:
                said.append("projects " + " ".join(str(name)[:100] for name in names[:20]))
            case [2, [*ids]]:
                said.append(f"{len(ids)} project ids")
            case {"exp": expires} | [0, expires, *_]:
                said.append(f"expires {expires}")
    return ", ".join(said) or "unrestricted"


def _jwt(secret: bytes) -> Checked:
    """The claims that say what a JSON Web Token is good for (RFC 7519), its signature unchecked."""
    import msgspec

    parts = secret.split(b".")
    documents = []
    for part in parts[:2]:
        raw = _decoded(part)
        try:
            document = msgspec.json.decode(raw) if raw is not None else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            document = None
        if not isinstance(document, dict):
            return Checked(valid=False, evidence={})
        documents.append(document)
    header, claims = documents if len(documents) == 2 else ({}, {})  # noqa: PLR2004 - header, claims
    if "alg" not in header:
        return Checked(valid=False, evidence={})
    names = ("iss", "aud", "role", "exp", "iat", "ref")
    told = {
        f"jwt_{name}": claims[name] for name in names if isinstance(claims.get(name), str | int)
    }
    return Checked(valid=True, evidence={"jwt_alg": str(header["alg"])[:32]} | told)


def _grafana_crc32(secret: bytes) -> Checked:
    """``glsa_``: the last 8 digits are the CRC-32 of what stands before them, lowest byte first.

    Grafana's satokengen: https://github.com/grafana/grafana/tree/main/pkg/components/satokengen
    """
    value, separator, digits = secret.rpartition(b"_")
    if not separator:
        return UNKNOWN
    return Checked(binascii.crc32(value).to_bytes(4, "little").hex().encode() == digits, {})


_ROUTABLE = later(rb"(?:[a-z]+-)+([\w-]+)\.[0-9a-z]{2}\.([0-9a-z]{2})([0-9a-z]{7})\Z", re.ASCII)


def _gitlab_crc32(secret: bytes) -> Checked:
    """A routable token tells its payload's length and ends in the CRC-32 of the rest, in base 36.

    Tokens of the older form have no checksum. GitLab's Authn::TokenField::Generator::RoutableToken.
    """
    found = _ROUTABLE.match(secret)
    if found is None:
        return UNKNOWN
    payload, length, digits = found.groups()
    is_whole = int(length, 36) == len(payload)
    return Checked(is_whole and int(digits, 36) == binascii.crc32(secret[:-7]), {})


__all__ = ["CHECKS", "UNKNOWN", "Checked", "check"]

CHECKS: dict[str, Callable[[bytes], Checked]] = {
    "github-crc32": _prefixed_crc32,
    "npm-crc32": _prefixed_crc32,
    "aws-account": _aws_account,
    "pypi-macaroon": _pypi_macaroon,
    "jwt": _jwt,
    "gitlab-crc32": _gitlab_crc32,
    "grafana-crc32": _grafana_crc32,
    "private-key": key_checks.private_key,
    "pgp-private-key": key_checks.pgp_private_key,
    "encrypted-private-key": key_checks.encrypted_private_key,
    "legacy-private-key": key_checks.legacy_private_key,
    "putty-private-key": key_checks.putty_private_key,
    "jwk": key_checks.jwk,
    "age": key_checks.age,
    "wireguard": key_checks.wireguard,
    "bip32": key_checks.bip32,
}
