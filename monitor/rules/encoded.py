"""Probes for the rules' own literals in other spellings: a decoder is called where one stands.

Derived from the compiled rules, so that a new rule is found in base64 too without a word. Nearly
all are plain literals: their number costs, and a run of the alphabet behind them when compiling.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from monitor.rules.literals import required

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.rules.model import Rule

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LEAST = 3  # bytes of a literal; letters alone say nothing below four
_LEAST_WORD = 6
_LEAST_MARKED = 4
_LEAST_ENCODED = 4
_FULL_WIDTH = 0xFEE0
_JOINT = (
    r"[A-Za-z0-9_+/=.\-]*(?:[\"'`][ \t\r\n\\]*[\"'`]|=?\r?\n[ \t]*|\\\r?\n[ \t]*"
    r"|[\"'`];?\s*[A-Za-z_$][A-Za-z0-9_$.]*\s*[+.]=\s*[\"'`])[A-Za-z0-9_+/=.\-]{4}"
)
"""A literal, something of a token behind it, and a cut that a program or a reader closes."""


def expressions(rules: Iterable[Rule]) -> Iterator[tuple[str, str]]:
    """Pairs of a probe's name and an expression for it, each once."""
    literals = [each for each in required(rules, _LEAST) if len(each) >= _least(each)]
    seen: set[tuple[str, str]] = set()
    for literal in literals:
        for spelled in _in_base64(literal):
            seen.add(("base64", _escaped(spelled)))
        if _is_marked(literal) and len(literal) >= _LEAST_MARKED:
            seen.update(_of_marked(literal))
    yield from sorted(seen)


def _least(literal: bytes) -> int:
    return _LEAST_WORD if literal.isalpha() else _LEAST


def _is_marked(literal: bytes) -> bool:
    """Like a token's prefix: no word that people write, no mark that begins an ordinary text."""
    return not literal.isalnum() and literal[:1].isalnum()


def _of_marked(literal: bytes) -> Iterator[tuple[str, str]]:
    mirrored = literal[::-1]
    for inner in _in_base64(literal):
        for spelled in _in_base64(inner):
            yield "base64", _escaped(spelled)
    yield "base32", _escaped(min(_in_base(literal, _BASE32, 5, 1)))
    yield "hex", f"(?i){literal.hex()}"
    yield "utf16", r"\x00".join(_escaped(bytes((byte,))) for byte in literal)
    for between in (",", ", "):
        yield "codes", between.join(map(str, literal))
    yield "split", _escaped(literal) + _JOINT
    yield "percent", "%[2-7][0-9a-fA-F]" + _escaped(literal)
    yield "quoted-printable", "=[2-7][0-9A-F]" + _escaped(literal)
    yield "reversed", _escaped(mirrored)
    yield "rot13", _escaped(codecs.encode(literal.decode("latin-1"), "rot13").encode("latin-1"))
    wide_text = "".join(chr(byte + _FULL_WIDTH) for byte in literal)
    yield "full-width", _escaped(wide_text.encode())


def _in_base64(literal: bytes) -> set[bytes]:
    return _in_base(literal, _BASE64, 6, 3)


def _in_base(literal: bytes, alphabet: bytes, width: int, phases: int) -> set[bytes]:
    """The characters that a literal decides, for each place in a group where it may begin.

    Where those that it decides wholly are too few, the one before is multiplied out.
    """
    number, size = int.from_bytes(literal, "big"), 8 * len(literal)
    found = set()
    for phase in range(phases):
        lead = -8 * phase % width  # bits that complete a character begun before the literal
        if (size - lead) // width < _LEAST_ENCODED:
            unknown = width - lead
            for before in range(1 << unknown):
                longer = before << size | number
                found.add(_characters(longer, size + unknown, alphabet, width))
        else:
            kept = number & ((1 << (size - lead)) - 1)
            found.add(_characters(kept, size - lead, alphabet, width))
    return {each for each in found if len(each) >= _LEAST_ENCODED}


def _characters(number: int, size: int, alphabet: bytes, width: int) -> bytes:
    """The whole characters at the beginning of ``size`` bits."""
    count = size // width
    number >>= size - count * width
    mask = (1 << width) - 1
    return bytes(alphabet[number >> width * at & mask] for at in range(count - 1, -1, -1))


def _escaped(literal: bytes) -> str:
    return "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"\\x{byte:02x}"
        for byte in literal
    )
