"""What a token tells of itself offline: whose it is, what it opens, until when.

No signature is checked; these facts help a responder to revoke the right thing first.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

_AWS_KEY_LENGTH = 20
_MAX_TOKEN = 16_384
_MAX_SHOWN = 200
_JWT_CLAIMS = ("iss", "aud", "role", "scope", "scp", "azp", "typ")
_SUPPORTED_MACAROON = 2
_IDENTIFIER = 2
_PYPI_CAVEATS = {0: "expiry", 1: "projects", 2: "project_ids", 3: "user"}


def facts(value: bytes, now: int) -> dict[str, Any]:
    """Evidence decoded from the token itself; empty where its format is not known.

    ``now`` is Unix time in seconds, 0 leaves expiry unjudged.
    """
    if len(value) > _MAX_TOKEN:
        return {}
    if value[:4] in {b"AKIA", b"ASIA"} and len(value) == _AWS_KEY_LENGTH:
        return _aws_account(value)
    if value.startswith(b"pypi-"):
        return _pypi_scope(value, now)
    if value.startswith(b"eyJ") and value.count(b".") in {2, 4}:
        return _jwt(value, now)
    return {}


def _unbase64(text: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""


def _json(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _expiry(expires: Any, now: int) -> dict[str, Any]:
    if not isinstance(expires, (int, float)) or isinstance(expires, bool):
        return {}
    found: dict[str, Any] = {"expires": int(expires)}
    if now:
        found["expired"] = expires < now
    return found


def _aws_account(value: bytes) -> dict[str, Any]:
    """The account number sits in bits 7 to 47 of the key id's base32 part."""
    try:
        decoded = base64.b32decode(value[4:])
    except (binascii.Error, ValueError):
        return {}
    number = (int.from_bytes(decoded[:6], "big") & 0x7FFFFFFFFF80) >> 7
    kind = "temporary" if value.startswith(b"ASIA") else "long-lived"
    return {"aws_account": f"{number:012d}", "aws_key": kind}


def _jwt(value: bytes, now: int) -> dict[str, Any]:
    """Claims of a JSON Web Token (RFC 7519) that tell what it opens; never personal ones."""
    payload = _json(_unbase64(value.split(b".")[1]))
    if not isinstance(payload, dict):
        return {}
    claims = {key: payload[key] for key in _JWT_CLAIMS if isinstance(payload.get(key), str)}
    shown = {key: text[:_MAX_SHOWN] for key, text in claims.items()}
    return ({"jwt": shown} if shown else {}) | _expiry(payload.get("exp"), now)


def _pypi_scope(value: bytes, now: int) -> dict[str, Any]:
    """The caveats of an upload token, which is a version 2 macaroon."""
    found: dict[str, Any] = {}
    for caveat in _caveats(_unbase64(value.removeprefix(b"pypi-"))):
        if isinstance(caveat, dict):
            permissions = caveat.get("permissions")
            if isinstance(permissions, dict) and isinstance(permissions.get("projects"), list):
                found["projects"] = [str(each)[:_MAX_SHOWN] for each in permissions["projects"]]
        elif isinstance(caveat, list) and len(caveat) > 1 and isinstance(caveat[0], int):
            found |= _caveat(caveat, now)
    if "projects" in found or "project_ids" in found:
        return {"pypi_scope": "projects"} | found
    is_readable = value.startswith(b"pypi-AgEI")
    return ({"pypi_scope": "user (every project)"} | found) if is_readable else {}


def _caveat(caveat: list[Any], now: int) -> dict[str, Any]:
    kind = _PYPI_CAVEATS.get(caveat[0])
    if kind == "expiry":
        return _expiry(caveat[1], now)
    if kind in {"projects", "project_ids"} and isinstance(caveat[1], list):
        return {kind: [str(each)[:_MAX_SHOWN] for each in caveat[1]]}
    return {}


def _caveats(macaroon: bytes) -> Iterator[Any]:
    """The JSON of each caveat; the macaroon's own location and identifier are passed over."""
    if macaroon[:1] != bytes([_SUPPORTED_MACAROON]):
        return
    identifiers = 0
    position = 1
    while position < len(macaroon):
        kind = macaroon[position]
        if kind == 0:  # the end of a section
            position += 1
            continue
        size, position = _varint(macaroon, position + 1)
        content = macaroon[position : position + size]
        position += size
        if kind == _IDENTIFIER:
            identifiers += 1
            if identifiers > 1:
                yield _json(content)


def _varint(content: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(content) and shift < 32:  # noqa: PLR2004 - no field is above 4 GiB
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            break
        shift += 7
    return value, position
