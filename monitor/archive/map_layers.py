"""What is kept of a source map, and how to get it out of broken JSON.

The salvaging scan only looks for the strings of ``sources`` and ``sourcesContent``, wherever they
stand; it is bounded in the number of items and knows no depth.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from monitor.patterns import later

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SOURCES = 200_000
MAX_LAYERS = 20_000
ERRORS = (msgspec.MsgspecError, RecursionError, UnicodeError)
"""All that msgspec raises for a stranger's bytes."""

_SALVAGED_KEY = later(rb'"(sources|sourcesContent|sourceRoot)"\s{0,64}:\s{0,64}(?=["\[])')
_STRING = later(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)("?)', re.DOTALL)
_BETWEEN = later(rb"[\s,]*")
_OTHER_VALUE = later(rb'[^,\]"]+')
_SIMPLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}
_ESCAPE = later(
    rb"\\(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
_text_decoder = msgspec.json.Decoder(str)


Item = bytes | Raw | str | None
"""JSON text (a string with its quotes, ``null``, or anything else), or what a string says."""


class Layer(Struct):
    """One flat map."""

    sources: Sequence[Item]
    contents: Sequence[Item]
    root: str = ""
    file: str = ""
    has_ignore_list: bool = False


class Parsed(Struct):
    """A source map: its flat layers, the addresses of outlying sections, and what went wrong.

    ``contents_span`` is where the array of contents stands in the bytes; None if that is not sure.
    """

    layers: list[Layer]
    section_urls: list[str]
    problem: str | None = None
    contents_span: tuple[int, int] | None = None


def text(item: Item) -> bytes | None:
    """The UTF-8 of one JSON item; None for ``null``. What is no string is given as it stands."""
    if item is None or isinstance(item, str):
        return item if item is None else item.encode()
    raw = bytes(item)
    if raw[:1] != b'"':
        return None if raw == b"null" else raw
    try:
        return _text_decoder.decode(raw).encode()
    except ERRORS:
        closed = len(raw) > 1 and raw.endswith(b'"')
        return _ESCAPE.sub(_unescaped, raw[1 : -1 if closed else None])


def salvage(view: memoryview, problem: str | None) -> Parsed | None:
    """The map as far as it can be told from broken JSON."""
    found = Parsed([], [], problem)
    layer = Layer([], [])
    seen: set[bytes] = set()
    end = 0
    for key in _SALVAGED_KEY.finditer(view):
        if key.start() < end:
            continue  # inside an array that was read already
        name = key.group(1)
        if name in seen and len(found.layers) >= MAX_LAYERS:
            found.problem = "over-members"
            break
        if name in seen:
            found.layers.append(layer)
            layer, seen = Layer([], []), set()
        seen.add(name)
        end = _salvage_value(view, key.end(), name, layer, found)
    if seen:
        found.layers.append(layer)
    return found if any(layer.sources or layer.contents for layer in found.layers) else None


def _salvage_value(view: memoryview, at: int, name: bytes, layer: Layer, found: Parsed) -> int:
    """Reads one value into the layer; where the scan goes on."""
    if name == b"sourceRoot":
        value = _STRING.match(view, at)
        layer.root = (text(value.group()) or b"").decode("utf-8", "replace") if value else ""
        return at
    items = list(salvage_array(view, at, found))
    if name == b"sources":
        layer.sources = items
    else:
        layer.contents = items
    return at + 1 + sum(map(len, items))


def salvage_array(view: memoryview, at: int, found: Parsed) -> Iterator[bytes]:
    """The items of the array that opens at ``at``, up to its end or the end of the bytes."""
    at += 1
    for _ in range(MAX_SOURCES):
        gap = _BETWEEN.match(view, at)
        at = gap.end() if gap else at
        if at >= len(view):
            found.problem = "truncated"
            return
        if view[at] == 0x5D:  # noqa: PLR2004 - "]"
            return
        item = _STRING.match(view, at) or _OTHER_VALUE.match(view, at)
        if item is None:
            return
        yield item.group().strip()
        at = item.end()
    found.problem = "over-members"


def _unescaped(found: re.Match[bytes]) -> bytes:
    """What a JSON escape stands for; a lone surrogate becomes U+FFFD."""
    escape = found.group(1)
    if escape[:1] != b"u" or len(escape) == 1:
        return _SIMPLE.get(escape, escape)
    units = b"".join(int(part, 16).to_bytes(2, "big") for part in escape[1:].split(b"\\u"))
    return units.decode("utf-16-be", "replace").encode("utf-8", "replace")
