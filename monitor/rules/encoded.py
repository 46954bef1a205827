"""Probes for the rules' own literals in other spellings: a decoder is called where one stands.

Derived from the compiled rules, so that a new rule is found in base64 too without a word. Nearly
all are plain literals: their number costs, and a run of the alphabet behind them when compiling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import Confidence
from monitor.rules.literals import required

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.rules.model import Rule

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LEAST = 3  # bytes of a literal
_LEAST_MARKED = 4
_WORDS = (b"password", b"PASSWORD", b"secret", b"SECRET", b"_token", b"_TOKEN", b"-----BEGIN")
"""What settings with secrets in them say, whatever the rules' own literals are."""

_LEAST_ENCODED = 4
_JOINT = (
    r"[A-Za-z0-9_+/=.\-]*(?:[\"'`][ \t\r\n\\]*(?:(?:#|//)[^\n]{0,60}\n[ \t]*)?[\"'`]"
    r"|=?\r?\n[ \t]*|\\\r?\n[ \t]*"
    r"|[\"'`];?\s*[A-Za-z_$][A-Za-z0-9_$.]*\s*[+.]=\s*[\"'`])[A-Za-z0-9_+/=.\-]{4}"
)
"""A literal, something of a token behind it, and a cut that a program or a reader closes."""

_SHORT = r"[A-Za-z0-9_+/=.\-]{0,24}[\"'`\n;]"
"""A literal that begins a value too short for a token: another part stands elsewhere."""


def expressions(rules: Iterable[Rule]) -> Iterator[tuple[str, str]]:
    """Pairs of a probe's name and an expression for it, each once.

    Every literal counts: thousands of them together slow the whole scan, each alone does not.
    """
    ready = [rule for rule in rules if not rule.metadata.generic]
    sure = [rule for rule in ready if rule.metadata.confidence is Confidence.HIGH]
    literals = [each for each in required(ready, _LEAST) if not each.isalpha()]
    seen = {("base64", _escaped(one)) for each in (*literals, *_WORDS) for one in _in_base64(each)}
    for literal in required(sure, _LEAST_MARKED):
        if _is_marked(literal):
            seen.update(_of_marked(literal))
    yield from sorted(seen)


def _is_marked(literal: bytes) -> bool:
    """Like a token's prefix: no word that people write, no mark that begins an ordinary text."""
    return not literal.isalnum() and literal[:1].isalnum()


def _of_marked(literal: bytes) -> Iterator[tuple[str, str]]:
    for inner in _in_base(literal, _BASE64, 6, 1):
        for spelled in _in_base(inner, _BASE64, 6, 1):
            yield "base64", _escaped(spelled)
    for spelled in _in_base(literal, _BASE32, 5, 1):
        yield "base32", _escaped(spelled)
    yield "hex", f"(?i){literal.hex()}"
    yield "utf16", r"\x00".join(_escaped(bytes((byte,))) for byte in literal)
    yield "split", _escaped(literal) + _JOINT
    yield "assigned", r"= ?[\"'`]?" + _escaped(literal) + _SHORT
    yield "assigned", r"\([\"']" + _escaped(literal) + _SHORT
    if b"_" in literal or b"-" in literal:
        yield "reversed", _escaped(literal[::-1])


def _in_base64(literal: bytes) -> set[bytes]:
    return _in_base(literal, _BASE64, 6, 3)


def _in_base(literal: bytes, alphabet: bytes, width: int, phases: int) -> set[bytes]:
    """The characters that a literal decides, for each place in a group where it may begin."""
    number, size = int.from_bytes(literal, "big"), 8 * len(literal)
    found = set()
    for phase in range(phases):
        known = size - (-8 * phase) % width  # without the bits of a character begun before
        found.add(_characters(number & ((1 << known) - 1), known, alphabet, width))
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
