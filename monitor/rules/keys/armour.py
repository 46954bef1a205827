"""Keys between lines of dashes (RFC 7468, RFC 9580 section 6.2), however a program writes them."""

from __future__ import annotations

import re

from monitor.rules.keys import der, openpgp, openssh
from monitor.rules.keys.shapes import Key, base64_bytes

_FRAME = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?)-----(.*?)(?:-----END|\Z)", re.DOTALL
)
_HEADER = re.compile(
    rb"(?m)^[ \t]*(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID):.*$"
)
_BREAK = re.compile(rb"\\{1,4}[rnt]|[\s\"'`,]+")
_CRC = re.compile(rb"=([A-Za-z0-9+/]{4})\Z")
_BLOCK = 8  # bytes of the smallest cipher's
_LEGACY = b"4,ENCRYPTED"
_SIGSTORE = ("ENCRYPTED SIGSTORE", "ENCRYPTED COSIGN")


def framed(text: bytes) -> tuple[str, bytes] | None:
    """The label and what stands between the lines of the first private key in a text."""
    found = _FRAME.search(text)
    return (found[1].decode(), found[2]) if found else None


def private_key(label: str, body: bytes) -> Key | None:
    """The key with this label; None if what stands between the lines is none.

    Line breaks may be of any kind, spaces, or escapes that nobody has undone.
    """
    unbroken = re.sub(rb"\\{1,4}n", b"\n", re.sub(rb"\\{1,4}r", b"", body))
    text = _BREAK.sub(b"", _HEADER.sub(b"", unbroken))
    if "PGP" in label:
        return _openpgp(text)
    raw = base64_bytes(text)
    if not raw:
        return None
    if label.startswith(_SIGSTORE):
        return Key("", is_encrypted=True)  # JSON around a box that scrypt closes
    if label.startswith("OPENSSH"):
        return openssh.private_key(raw)
    if _LEGACY in body:  # ciphertext: only its block size can be seen
        name = label.partition(" ")[0].lower()
        return Key(name, is_encrypted=True) if len(raw) % _BLOCK == 0 else None
    return der.private_key(raw)


def _openpgp(text: bytes) -> Key | None:
    """Armour of OpenPGP, with or without the checksum at its end."""
    told = _CRC.search(text)
    raw = base64_bytes(text[: told.start()] if told else text)
    if raw is None and told is None:  # cut off somewhere: the first packet may still be whole
        raw = base64_bytes(text[: len(text) // 4 * 4])
    if raw is None:
        return None
    if told is not None:
        crc = base64_bytes(told[1])
        if crc is None or int.from_bytes(crc, "big") != openpgp.crc24(raw):
            return None
    return openpgp.private_key(raw)
