"""Probes for the rules' own literals in other spellings: a decoder is called where one of them stands.

Derived from the compiled rules, so that a new rule is found in base64 too without a word. All are
plain literals, most with a short run of the same alphabet behind them: hundreds cost next to nothing.
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
_BASE64_RUN = "[A-Za-z0-9+/_-]{8}"
_LEAST = 3  # bytes of a literal; letters alone say nothing below four
_LEAST_WORD = 4
_LEAST_ENCODED = 4
_FULL_WIDTH = 0xFEE0
_JOINT = (
    r"[A-Za-z0-9_+/=.\-]*(?:[\"'`][ \t\r\n\\]*[fFrRbBuU]?[\"'`]|=\r?\n|\\\r?\n[ \t]*"
    r"|(?:\\n|\r?\n)[ \t>|*#]*)[A-Za-z0-9_+/=.\-]{4}"
)


def expressions(rules: Iterable[Rule]) -> Iterator[tuple[str, str]]:
    """Pairs of a probe's name and an expression for it, each once."""
    literals = [
        each
        for each in required(rules, _LEAST)
        if len(each) >= _LEAST_WORD or not each.isalpha()
    ]
    strong = [each for each in literals if _is_strong(each)]
    seen: set[tuple[str, str]] = set()
    for pair in (*_of_all(literals), *_of_strong(strong)):
        if pair not in seen:
            seen.add(pair)
            yield pair


def _is_strong(literal: bytes) -> bool:
    """Not a word that people write: with a digit, a mark or both cases in it."""
    return not literal.isalpha() or literal not in (literal.lower(), literal.upper())


def _of_all(literals: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    for literal in literals:
        for spelled in _in_base64(literal, 3):
            yield "base64", _escaped(spelled) + _BASE64_RUN
        if len(literal) < _LEAST_WORD:
            continue
        yield "hex", f"(?i){literal.hex()}[0-9a-f]{{8}}"
        yield "utf16", r"\x00".join(_escaped(bytes((byte,))) for byte in literal)


def _of_strong(literals: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    for literal in literals:
        mirrored = literal[::-1]
        wide = literal.replace(b"", b"\0")[1:-1]
        for inner in (*_in_base64(literal, 3), literal.hex().encode(), wide, mirrored):
            for spelled in _in_base64(inner, _LEAST_ENCODED):
                yield "base64", _escaped(spelled) + _BASE64_RUN
        yield "split", _escaped(literal) + _JOINT
        if len(literal) < _LEAST_WORD:
            continue
        for spelled in _in_base32(literal):
            yield "base32", _escaped(spelled) + "[A-Z2-7]{8}"
        yield "codes", ",".join(map(str, literal))
        yield "codes", ", ".join(map(str, literal))
        yield "codes", "(?i)" + ",".join(f"0x{byte:02x}" for byte in literal)
        yield "codes", "(?i)" + ", ".join(f"0x{byte:02x}" for byte in literal)
        yield "reversed", _escaped(mirrored)
        yield "rot13", _escaped(codecs.encode(literal.decode("latin-1"), "rot13").encode("latin-1"))
        wide_text = "".join(chr(byte + _FULL_WIDTH) for byte in literal)
        yield "full-width", _escaped(wide_text.encode())


def _in_base64(literal: bytes, least: int) -> set[bytes]:
    return _in_base(literal, _BASE64, 6, 3, least)


def _in_base32(literal: bytes) -> set[bytes]:
    return _in_base(literal, _BASE32, 5, 5, _LEAST_ENCODED)


def _in_base(literal: bytes, alphabet: bytes, width: int, phases: int, least: int) -> set[bytes]:
    """The characters that a literal decides wholly, for each place in a group where it may begin."""
    number, size = int.from_bytes(literal, "big"), 8 * len(literal)
    found = set()
    for phase in range(phases):
        lead = -8 * phase % width  # bits that complete a character begun before the literal
        count = (size - lead) // width
        rest = size - lead - count * width
        kept = number >> rest
        spelled = bytes(
            alphabet[kept >> width * (count - 1 - at) & ((1 << width) - 1)] for at in range(count)
        )
        if len(spelled) >= least:
            found.add(spelled)
    return found


def _escaped(literal: bytes) -> str:
    return "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"\\x{byte:02x}"
        for byte in literal
    )
