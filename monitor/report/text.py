"""Untrusted text made safe to print, and numbers made fit to read."""

from __future__ import annotations

import re

from monitor.model.wording import count
from monitor.patterns import later

__all__ = ["clean", "count", "escape_json", "prose", "seconds", "size", "without_surrogates"]

_UNSAFE = (
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: terminal control
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # invisible fillers
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidirectional controls
    "\u3164\ufeff\uffa0\ufff0-\uffff"  # more fillers, byte order mark, annotations, non-characters
    "\ud800-\udfff"  # lone surrogates: file names that are not UTF-8
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff"  # tags, variation selectors, private planes
)
_unsafe = later(f"[{_UNSAFE}]")
_unsafe_in_json = later(f"(?!\n)[{_UNSAFE}]")
_blank = later(r"[ \t\r\n]+")
_unit_bytes = 1000


def clean(text: str) -> str:
    """The text on one line with every control, bidirectional or invisible character spelt out."""
    return _unsafe.sub(_spelt, text)


def prose(text: str) -> str:
    """As ``clean``, with line breaks and runs of blanks made one blank: for sentences."""
    return clean(_blank.sub(" ", text).strip())


def escape_json(encoded: str) -> str:
    """Encoded JSON with the same characters as JSON escapes: it reads back to the same values.

    A line break between tokens stays; inside strings JSON has escaped it already.
    """
    return _unsafe_in_json.sub(_json_escape, encoded)


def without_surrogates(text: str) -> str:
    r"""The text with lone surrogates spelt ``\xNN`` or ``\uNNNN``: they fit no encoding."""
    if text.isascii():
        return text
    return re.sub("[\ud800-\udfff]", _spelt, text)


def _spelt(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 - PEP 383: an undecodable byte of a file name
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:  # noqa: PLR2004 - fits two digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - fits four


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0xFFFF:  # noqa: PLR2004 - one UTF-16 unit
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def size(number: int) -> str:
    """Bytes for people, in powers of 1,000: ``23.1 MB``."""
    if number < _unit_bytes:
        return count(number, "byte")
    amount = float(number)
    for unit in ("kB", "MB", "GB", "TB"):
        amount /= _unit_bytes
        if amount < 999.95:  # noqa: PLR2004 - what still prints as three digits
            return f"{amount:.1f} {unit}"
    return f"{amount:,.0f} TB"


def seconds(number: float) -> str:
    """A span of time for people: ``0.42 s``, ``3 min 12 s``."""
    if number < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{number:.2f} s"
    return f"{int(number // 60):,} min {int(number % 60)} s"
