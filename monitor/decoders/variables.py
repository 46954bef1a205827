"""Strings put together from variables with literals nearby: templates, sums, formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.decoders.piece import Buffer, Piece
from monitor.patterns import later

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence

_REACH = 1024  # how far from a hit assignments and their uses are looked for
_MOST_NAMES = 64
_MOST_USES = 32
_MOST_PARTS = 24
_TOKEN = rb"[A-Za-z0-9_+/=.\-]"
_ASSIGNED = later(
    rb"(?<![\w$.])([A-Za-z_]\w{0,60})(?:[ \t]?:[ \t]?\w{1,20})?[ \t]{0,4}:?=[ \t]{0,4}"
    rb"(?:[\"'`](" + _TOKEN + rb"{1,200})[\"'`]|(" + _TOKEN + rb"{4,200})(?=[\r\n;]|\Z))"
)
_PART = later(
    rb"\$?\{[ \t]?(\w{1,61})[ \t]?\}|\$(\w{1,61})|[ \t]?\+[ \t]?([A-Za-z_]\w{0,60})\b(?![(.\[])"
    rb"|[ \t]?\+[ \t]?[\"'`](" + _TOKEN + rb"{1,200})[\"'`]"
)
_FIRST = later(
    rb"\$?\{[ \t]?(\w{1,61})[ \t]?\}|\$(\w{1,61})\b|(?<![\w$.\"'])([A-Za-z_]\w{0,60})(?=[ \t]?\+)"
)
_REST = later(_TOKEN + rb"{1,200}")
_FORMATTED = later(
    rb"[\"']((?:%s|\{\d?\}){2,8})[\"'][ \t]?(?:%|\.format)[ \t]?\(([^()\n]{3,600})\)"
)
_ARGUMENT = later(rb"[\"'](" + _TOKEN + rb"{1,200})[\"']|([A-Za-z_]\w{0,60})")


def composed(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """What the templates, sums and formats around a rule's literal amount to."""
    last = -1
    for end in ends:
        if end <= last:
            continue
        first, last = max(0, end - _REACH), min(len(text), end + _REACH)
        raw = bytes(text[first:last])
        known = {
            each[1]: each[2] or each[3]
            for each, _ in zip(_ASSIGNED.finditer(raw), range(_MOST_NAMES), strict=False)
        }
        made = [*_uses(raw, known), *_formats(raw, known)]
        if made:
            yield Piece("variables", (first, last), b"\n".join(made), step=0)


def _uses(raw: bytes, known: dict[bytes, bytes]) -> Iterator[bytes]:
    """The value of each expression that begins with a known variable."""
    at = uses = 0
    while uses < _MOST_USES and (found := _FIRST.search(raw, at)):
        at = found.end()
        value = known.get(found[1] or found[2] or found[3])
        if value is None:
            continue
        uses += 1
        is_template = found[3] is None
        parts, at = _parts(raw, at, known, is_template=is_template)
        if parts:
            yield value + b"".join(parts)


def _parts(
    raw: bytes, at: int, known: dict[bytes, bytes], *, is_template: bool
) -> tuple[list[bytes], int]:
    """What follows the first variable, and where it ends."""
    parts: list[bytes] = []
    while len(parts) < _MOST_PARTS:
        found = _PART.match(raw, at) or (_REST.match(raw, at) if is_template else None)
        if found is None:
            break
        value = _value(found, known)
        if value is None:
            break
        parts.append(value)
        at = found.end()
    return parts, at


def _value(found: re.Match[bytes], known: dict[bytes, bytes]) -> bytes | None:
    """What a part stands for; None for a variable that nothing is known of."""
    if not found.re.groups:  # the rest of a template
        return found.group()
    name = found[1] or found[2] or found[3]
    return found[4] if name is None else known.get(name)


def _formats(raw: bytes, known: dict[bytes, bytes]) -> Iterator[bytes]:
    """``"%s%s" % (a, b)`` and ``"{}{}".format(a, b)``."""
    for found in _FORMATTED.finditer(raw):
        values = [each[1] or known.get(each[2], b"") for each in _ARGUMENT.finditer(found[2])]
        if len(values) > 1 and all(values):
            yield b"".join(values)
