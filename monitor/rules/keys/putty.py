"""PuTTY's private keys, versions 2 and 3 (PuTTY's manual, appendix C: PPK file format)."""

from __future__ import annotations

import re

from monitor.rules.keys.shapes import Cursor, Key, MalformedError, base64_bytes

_FIRST = re.compile(rb"PuTTY-User-Key-File-[23]: ([\w\-@.]{4,40})\Z")
_MAC = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")  # of SHA-1 in version 2, of SHA-256 in 3
_BLOCK = 16  # of AES, the only cipher there is
_MOST_LINES = 400


def private_key(text: bytes) -> Key | None:
    """The key that a file is; None if its lines and sizes are not those of one."""
    try:
        return _read(text)
    except MalformedError:
        return None


def _read(text: bytes) -> Key:
    lines = [line.strip() for line in re.split(rb"\r?\n|\\r\\n|\\n", text.strip())]
    first = _FIRST.match(lines[0])
    if first is None:
        raise MalformedError("no first line of a key")
    fields, blobs = _fields(lines[1:])
    algorithm, public, secret = first[1], blobs.get(b"Public"), blobs.get(b"Private")
    if public is None or secret is None or Cursor(public).text() != algorithm:
        raise MalformedError("the public part is of another algorithm")
    is_encrypted = fields.get(b"Encryption", b"none") != b"none"
    if is_encrypted and len(secret) % _BLOCK:
        raise MalformedError("no ciphertext of this cipher")
    if not is_encrypted:
        Cursor(secret).text()  # each algorithm's secret part begins with a counted number
    if not _MAC.match(fields.get(b"Private-MAC", b"")):
        raise MalformedError("no code of authenticity")
    name = algorithm.decode("ascii").removeprefix("ssh-")
    return Key(name, is_encrypted=is_encrypted)


def _fields(lines: list[bytes]) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """The named values of a file, and the bytes of its two parts."""
    fields: dict[bytes, bytes] = {}
    blobs: dict[bytes, bytes] = {}
    at = 0
    while at < min(len(lines), _MOST_LINES):
        name, separator, value = lines[at].partition(b": ")
        at += 1
        if name.endswith(b"-Lines") and value.isdigit() and len(value) < 4:  # noqa: PLR2004 - digits of a count
            count = int(value)
            raw = base64_bytes(b"".join(lines[at : at + count]))
            if raw is None or len(lines) < at + count:
                raise MalformedError("fewer lines than are told, or of something else")
            blobs[name.removesuffix(b"-Lines")] = raw
            at += count
        elif separator:
            fields.setdefault(name, value)
    return fields, blobs
