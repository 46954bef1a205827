"""Files whose name says that they are a private key: what their bytes say."""

from __future__ import annotations

import re
from typing import NamedTuple

from monitor.rules.keys import Key

_MAX_READ = 1 << 20
_MAX_FRAMES = 20
_MAX_FRAME = 64 << 10
_FRAMES = rb"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
_DER, _PACKET, _PUTTY = 0x30, 0x80, b"PuTTY-User-Key-File-"
_AGENT = rb"(?:Key: )?\((?:\d\d:)?(protected-|shadowed-)?private-key"  # GnuPG's private-keys-v1.d


class KeyFile(NamedTuple):
    """``key`` is None where the frame of a key holds none: made up, or cut off."""

    key: Key | None


def read(content: bytes | memoryview) -> KeyFile | None:
    """The private key that a file holds, the least protected of several; None if it is no key."""
    raw = bytes(content[:_MAX_READ])
    keys = _in_frames(raw) if b"PRIVATE KEY" in raw else _whole(raw)
    if not keys:
        return None
    found = [key for key in keys if key is not None]
    return KeyFile(min(found, key=lambda key: key.is_encrypted, default=None))


def _in_frames(raw: bytes) -> list[Key | None]:
    from monitor.rules.keys import armour

    keys: list[Key | None] = []
    for found in re.finditer(_FRAMES, raw):
        framed = armour.framed(raw[found.start() : found.start() + _MAX_FRAME])
        if framed is None or len(keys) >= _MAX_FRAMES:
            break
        keys.append(armour.private_key(*framed))
    return keys


def _whole(raw: bytes) -> list[Key | None]:
    """The key that the file is as a whole: PuTTY's, GnuPG's, or one in binary."""
    from monitor.rules.keys import der, openpgp, putty

    if raw.startswith(_PUTTY):
        return [putty.private_key(raw)]
    if agent := re.match(_AGENT, raw):
        return [Key("", is_encrypted=agent[1] is not None)]
    first = raw[0] if raw else 0
    key = der.private_key(raw) if first == _DER else None
    if first & _PACKET:
        key = openpgp.private_key(raw)
    return [] if key is None else [key]
