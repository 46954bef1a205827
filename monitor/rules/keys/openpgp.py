"""Secret keys of OpenPGP: the first packet of a transferable secret key (RFC 9580; RFC 4880)."""

from __future__ import annotations

from monitor.rules.keys.shapes import Cursor, Key, MalformedError

_SECRET_KEY = 5
_IS_PACKET, _IS_NEW = 0x80, 0x40
_PARTIAL = 224
_MOST_BITS = 16_384
_UNPROTECTED = 0
_CRC_START, _CRC_POLYNOMIAL = 0xB704CE, 0x1864CFB

# How many multi-precision integers the public part of an algorithm has (RFC 9580, 5.5.5), and
# whether a curve's name precedes them, or how many plain bytes there are instead.
_INTEGERS = {1: ("rsa", 2), 2: ("rsa", 2), 3: ("rsa", 2), 16: ("elgamal", 3), 17: ("dsa", 4)}
_CURVES = {18: "ecdh", 19: "ecdsa", 22: "eddsa"}
_ECDH = 18
_PLAIN = {25: ("x25519", 32), 26: ("x448", 56), 27: ("ed25519", 32), 28: ("ed448", 57)}
_VERSIONS = {3, 4, 5, 6}
_OLDEST = 3
_COUNTED = 5  # from this version on, the size of the public part is told


def private_key(raw: bytes) -> Key | None:
    """The secret key that the bytes begin with; None if they do not."""
    try:
        return _read(_packet(Cursor(raw)))
    except MalformedError:
        return None


def crc24(raw: bytes) -> int:
    """The checksum at the end of armour (RFC 9580, 6.1.1)."""
    crc = _CRC_START
    for byte in raw:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= _CRC_POLYNOMIAL
    return crc & 0xFFFFFF


def _packet(cursor: Cursor) -> Cursor:
    """The body of a secret key's packet (RFC 9580, 4.2)."""
    head = cursor.number(1)
    if not head & _IS_PACKET:
        raise MalformedError("no packet")
    if head & _IS_NEW:
        kind, size = head & 0x3F, cursor.number(1)
        if size == 255:  # noqa: PLR2004 - four bytes follow
            size = cursor.number(4)
        elif size >= _PARTIAL:
            raise MalformedError("a key comes in one part")
        elif size >= 192:  # noqa: PLR2004 - two bytes in all
            size = ((size - 192) << 8) + cursor.number(1) + 192
    else:
        kind, width = head >> 2 & 0x0F, head & 3
        if width == 3:  # noqa: PLR2004 - of indeterminate length
            raise MalformedError("a key has a length")
        size = cursor.number(1 << width)
    if kind != _SECRET_KEY:
        raise MalformedError("the packet is no secret key")
    start = cursor.at
    cursor.take(size)
    return Cursor(cursor.raw, start, start + size)


def _read(body: Cursor) -> Key:
    version = body.number(1)
    if version not in _VERSIONS:
        raise MalformedError("no such version")
    body.take(4 + 2 * (version == _OLDEST))  # the time, and of old ones the days of validity
    algorithm = body.number(1)
    if version >= _COUNTED:
        body.take(4)
    key = _public(body, algorithm)
    protection = body.number(1)
    if not body.left:
        raise MalformedError("no secret part")
    return key._replace(is_encrypted=protection != _UNPROTECTED)


def _public(body: Cursor, algorithm: int) -> Key:
    if algorithm in _INTEGERS:
        name, count = _INTEGERS[algorithm]
        sizes = [_integer(body) for _ in range(count)]
        return Key(name, sizes[0])
    if algorithm in _CURVES:
        size = body.number(1)
        if not 0 < size < 255 or not body.take(size):  # noqa: PLR2004 - 0 and 255 are reserved
            raise MalformedError("no name of a curve")
        _integer(body)
        if algorithm == _ECDH:
            body.take(body.number(1))
        return Key(_CURVES[algorithm])
    if algorithm in _PLAIN:
        name, size = _PLAIN[algorithm]
        body.take(size)
        return Key(name, size * 8)
    raise MalformedError("no such algorithm")


def _integer(body: Cursor) -> int:
    """Skips a multi-precision integer; gives its size in bits (RFC 9580, 3.2)."""
    bits = body.number(2)
    raw = body.take((bits + 7) // 8)
    if not 0 < bits <= _MOST_BITS or int.from_bytes(raw[:2], "big").bit_length() > 16:  # noqa: PLR2004 - cannot be
        raise MalformedError("no size of a number")
    if raw[0].bit_length() != (bits - 1) % 8 + 1:
        raise MalformedError("the number is not of the size that is told")
    return bits
