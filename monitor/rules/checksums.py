"""What a secret tells of itself offline: a checksum, an account, a scope, an expiry.

``CHECKS`` is the table that ``metadata.checksum`` names. A check never raises on any bytes.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Checked(NamedTuple):
    """``valid`` is None where nothing can be said; ``evidence`` is fit for a report."""

    valid: bool | None
    evidence: dict[str, Any]

    @property
    def word(self) -> str | None:
        """``valid``, ``invalid`` or None, as ``monitor.model.Secret.checksum`` wants it."""
        return None if self.valid is None else "valid" if self.valid else "invalid"


UNKNOWN = Checked(None, {})
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


_AWS_KEY = re.compile(rb"A[A-Z0-9]{3}([A-Z2-7]{16})\Z")
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


def _luhn(secret: bytes) -> Checked:
    """The check digit of ISO/IEC 7812-1, annex B."""
    digits = [byte - 48 for byte in secret if 48 <= byte <= 57]  # noqa: PLR2004 - "0" to "9"
    if not digits:
        return UNKNOWN
    total = sum(
        digit if at % 2 == 0 else digit * 2 - 9 * (digit > 4)  # noqa: PLR2004 - 5 doubled has two digits
        for at, digit in enumerate(reversed(digits))
    )
    return Checked(total % 10 == 0, {})


_PEM = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?)-----(.*?)(?:-----END|\Z)", re.DOTALL
)
_HEADER_LINE = re.compile(rb"(?m)^[A-Za-z][A-Za-z-]*:.*$")
_OPENSSH = b"openssh-key-v1\0"
_DER_SEQUENCE = 0x30


def _private_key(secret: bytes) -> Checked:
    """Whether the bytes between the lines can be a key: DER of its own length, or OpenSSH's form.

    RFC 7468; OpenSSH's PROTOCOL.key; RFC 1421 headers tell an encrypted key.
    """
    found = _PEM.search(secret)
    if found is None:
        return UNKNOWN
    label, body = found[1].decode(), found[2]
    evidence: dict[str, Any] = {"key_type": label.lower()}
    encrypted = b"ENCRYPTED" in body or label.startswith("ENCRYPTED")
    plain = body.replace(b"\\r", b"").replace(b"\\n", b"\n").replace(b"\r", b"")
    raw = _decoded_body(_HEADER_LINE.sub(b"", plain))
    if raw is None:
        return Checked(valid=False, evidence=evidence)
    if label.startswith("OPENSSH"):
        valid = raw.startswith(_OPENSSH)
        encrypted = valid and not raw[len(_OPENSSH) + 4 :].startswith(b"none")
    elif encrypted and not label.startswith("ENCRYPTED"):
        valid = len(raw) % 8 == 0  # ciphertext: only its block size can be seen
    elif "BLOCK" in label:
        valid = bool(raw) and raw[0] >= 0x80  # noqa: PLR2004 - RFC 9580, 4.2: bit 7 of a packet's tag
    else:
        valid = _is_der(raw)
    return Checked(valid, evidence | {"encrypted": bool(encrypted)})


def _decoded_body(body: bytes) -> bytes | None:
    import base64

    text = b"".join(line.strip() for line in body.split(b"\n") if not line.startswith(b"="))
    try:
        text = text.rstrip(b"=")
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None


def _is_der(raw: bytes) -> bool:
    """A SEQUENCE whose length is that of the bytes (X.690, 8.1.3)."""
    if len(raw) < 4 or raw[0] != _DER_SEQUENCE:  # noqa: PLR2004 - shorter than any key's frame
        return False
    if raw[1] < 0x80:  # noqa: PLR2004 - the short form
        return len(raw) == 2 + raw[1]
    size = raw[1] & 0x7F
    return 1 <= size <= 4 and len(raw) == 2 + size + int.from_bytes(raw[2 : 2 + size], "big")  # noqa: PLR2004 - no key needs more


CHECKS: dict[str, Callable[[bytes], Checked]] = {
    "github-crc32": _prefixed_crc32,
    "npm-crc32": _prefixed_crc32,
    "aws-account": _aws_account,
    "pypi-macaroon": _pypi_macaroon,
    "jwt": _jwt,
    "luhn": _luhn,
    "private-key": _private_key,
}
