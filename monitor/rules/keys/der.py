"""Private keys in DER: PKCS#1, SEC 1, DSA, PKCS#8 and encrypted PKCS#8.

RFC 8017, A.1.2; RFC 5915, 3; RFC 5958, 2 and 3; OpenSSL's DSA form. Lengths are read as X.690
(8.1.3) has them and must fill the bytes exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.rules.keys.shapes import Cursor, Key, MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 32 << 10
"""No key is larger: one of 16,384 bits of RSA takes 9,300 bytes."""

_INTEGER, _BITS, _OCTETS, _OID, _SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x30
_TAGGED_0, _TAGGED_1 = 0xA0, 0xA1
_LONG_FORM = 0x80
_LEAST_RSA, _MOST_RSA = 512, 16_384
_FACTORS = 9  # numbers behind the version of PKCS#1, without those of further primes: 8
_DSA_NUMBERS = 6
_LARGEST_CURVE = 66  # bytes of a private number on P-521

_RSA = bytes.fromhex("2a864886f70d010101")
_RSA_PSS = bytes.fromhex("2a864886f70d01010a")
_EC = bytes.fromhex("2a8648ce3d0201")
_DSA = bytes.fromhex("2a8648ce380401")
_DH = bytes.fromhex("2a864886f70d010301")
_EDWARDS = {
    bytes.fromhex("2b656e"): ("x25519", 32),
    bytes.fromhex("2b656f"): ("x448", 56),
    bytes.fromhex("2b6570"): ("ed25519", 32),
    bytes.fromhex("2b6571"): ("ed448", 57),
}
_CIPHERS = (bytes.fromhex("2a864886f70d0105"), bytes.fromhex("2a864886f70d010c01"))
"""The beginnings of PKCS#5's and PKCS#12's object identifiers for encryption by a passphrase."""


def private_key(raw: bytes) -> Key | None:
    """The key that all the bytes are; None if they are none in the clear or encrypted."""
    if len(raw) > MAX_BYTES:
        return None
    for reader in _READERS:
        try:
            outer = Cursor(raw)
            key = reader(_element(outer, _SEQUENCE))
        except MalformedError:
            continue
        if not outer.left:
            return key
    return None


def _element(cursor: Cursor, tag: int) -> Cursor:
    """The content of the next element, which must have this tag."""
    found, content = _any_element(cursor)
    if found != tag:
        raise MalformedError(f"a tag {found:#x} where {tag:#x} is due")
    return content


def _any_element(cursor: Cursor) -> tuple[int, Cursor]:
    tag, size = cursor.number(1), cursor.number(1)
    if size >= _LONG_FORM:
        if not 1 <= size - _LONG_FORM <= 4:  # noqa: PLR2004 - bytes of a length; 0 is no DER
            raise MalformedError("a length of no key")
        size = cursor.number(size - _LONG_FORM)
    start = cursor.at
    cursor.take(size)
    return tag, Cursor(cursor.raw, start, start + size)


def _integer(cursor: Cursor) -> int:
    content = _element(cursor, _INTEGER)
    raw = content.take(content.left)
    if not raw:
        raise MalformedError("a number without digits")
    return int.from_bytes(raw, "big", signed=True)


def _pkcs1(body: Cursor) -> Key:
    if _integer(body) not in {0, 1}:
        raise MalformedError("no such version")
    numbers = [_integer(body) for _ in range(_FACTORS - 1)]
    modulus, public, private, first, second = numbers[:5]
    bits = modulus.bit_length()
    if not _LEAST_RSA <= bits <= _MOST_RSA or min(numbers) <= 0:
        raise MalformedError("no modulus of a key")
    if public < 3 or private >= modulus:  # noqa: PLR2004 - the smallest exponent that is used
        raise MalformedError("no exponents of a key")
    if not body.left and first * second != modulus:
        raise MalformedError("the modulus is not the product of the primes")
    return Key("rsa", bits)


def _sec1(body: Cursor) -> Key:
    if _integer(body) != 1:
        raise MalformedError("no such version")
    number = _element(body, _OCTETS)
    size = number.left
    if not 14 <= size <= _LARGEST_CURVE or not any(number.take(size)):  # noqa: PLR2004 - of 112 bits
        raise MalformedError("no number of a curve")
    while body.left:
        tag, _ = _any_element(body)
        if tag not in {_TAGGED_0, _TAGGED_1}:
            raise MalformedError("what does not belong there")
    return Key("ec", 521 if size == _LARGEST_CURVE else size * 8)


def _dsa(body: Cursor) -> Key:
    numbers = [_integer(body) for _ in range(_DSA_NUMBERS)]
    version, prime, order, generator, public, private = numbers
    if version or not 0 < private < order < prime or not 0 < generator < prime or public <= 0:
        raise MalformedError("no numbers of a DSA key")
    if body.left or prime.bit_length() < _LEAST_RSA:
        raise MalformedError("no prime of a DSA key")
    return Key("dsa", prime.bit_length())


def _pkcs8(body: Cursor) -> Key:
    if _integer(body) not in {0, 1}:
        raise MalformedError("no such version")
    algorithm = _element(body, _SEQUENCE)
    name = _element(algorithm, _OID)
    identifier = name.take(name.left)
    content = _element(body, _OCTETS)
    while body.left:
        tag, _ = _any_element(body)
        if tag not in {_TAGGED_0, _TAGGED_1, _TAGGED_1 & ~0x20}:
            raise MalformedError("what does not belong there")
    return _of_algorithm(identifier, content)


def _of_algorithm(identifier: bytes, content: Cursor) -> Key:
    """The key inside PKCS#8; of an algorithm that is not known here, that there are bytes."""
    if identifier in {_RSA, _RSA_PSS}:
        return _pkcs1(_element(content, _SEQUENCE))
    if identifier == _EC:
        return _sec1(_element(content, _SEQUENCE))
    if identifier in {_DSA, _DH}:
        if _integer(content) <= 0:
            raise MalformedError("no private number")
        return Key("dsa" if identifier == _DSA else "dh")
    if identifier in _EDWARDS:
        name, size = _EDWARDS[identifier]
        if _element(content, _OCTETS).left != size:
            raise MalformedError("no number of this curve")
        return Key(name, size * 8)
    if content.left < 16:  # noqa: PLR2004 - bytes below any key's
        raise MalformedError("too few bytes")
    return Key("")


def _encrypted_pkcs8(body: Cursor) -> Key:
    algorithm = _element(body, _SEQUENCE)
    name = _element(algorithm, _OID)
    if not name.take(name.left).startswith(_CIPHERS):
        raise MalformedError("no encryption by a passphrase")
    if _element(body, _OCTETS).left < 16 or body.left:  # noqa: PLR2004 - bytes below any key's
        raise MalformedError("no ciphertext of a key")
    return Key("", is_encrypted=True)


_READERS: tuple[Callable[[Cursor], Key], ...] = (_pkcs8, _pkcs1, _sec1, _encrypted_pkcs8, _dsa)
