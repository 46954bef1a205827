"""Source maps as JSON: the few fields that matter, read without building the rest.

A sound map goes through msgspec, whose ``Raw`` fields are slices of the input, so that a 60 MB map
costs little beyond its text. A broken one is salvaged by a scan that only looks for the strings of
``sources`` and ``sourcesContent``. Both are bounded in depth and in the number of items.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.archive.entries import Buffer

MAX_SOURCES = 1_000_000
_MAX_SECTION_DEPTH = 8
_MAX_SECTIONS = 100_000
_COMMAS_CHUNK = 1 << 20
_HARMLESS_TAIL = 64

# The prefix against script inclusion is a line of its own (ECMA-426, 11.1.2); a byte order mark
# stands before or after it.
_LEAD = re.compile(
    rb"\s{0,256}(?:\xef\xbb\xbf)?\s{0,256}"
    rb"(?:\)\]\}[^\n{]{0,64}\n?|while\(1\);|for\(;;\);)?\s{0,256}(?:\xef\xbb\xbf)?\s{0,256}(?=\{)"
)
_KEYS = tuple(
    re.compile(key)
    for key in (
        rb'"mappings"\s{0,64}:\s{0,64}"',
        rb'"sourcesContent"\s{0,64}:\s{0,64}\[',
        rb'"sections"\s{0,64}:\s{0,64}\[',
    )
)
_HEAD = re.compile(
    rb'\{(?=.{0,4000}?"version"\s{0,64}:\s{0,64}"?3)(?=.{0,4000}?"sources"\s{0,64}:\s{0,64}\[)',
    re.DOTALL,
)
_TRAILING = re.compile(r"trailing characters \(byte (\d+)\)")
_SALVAGED_KEY = re.compile(rb'"(sources|sourcesContent|sourceRoot)"\s{0,64}:\s{0,64}(?=["\[])')
_STRING = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)("?)', re.DOTALL)
_ESCAPE = re.compile(
    rb"\\(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
_BETWEEN = re.compile(rb"[\s,]*")
_OTHER_VALUE = re.compile(rb'[^,\]"]+')
_SIMPLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}


class Layer(Struct):
    """One flat map. Items are JSON text: a string with its quotes, ``null``, or anything else."""

    sources: list[bytes | Raw]
    contents: list[bytes | Raw]
    root: str = ""
    file: str = ""
    has_ignore_list: bool = False


class Parsed(Struct):
    """A source map: its flat layers, the addresses of outlying sections, and what went wrong."""

    layers: list[Layer]
    section_urls: list[str]
    problem: str | None = None


class _Document(Struct):
    version: Raw = Raw()
    file: Raw = Raw()
    source_root: Raw = field(default=Raw(), name="sourceRoot")
    sources: Raw = Raw()
    contents: Raw = field(default=Raw(), name="sourcesContent")
    mappings: Raw = Raw()
    sections: Raw = Raw()
    ignored: Raw = field(default=Raw(), name="ignoreList")
    ignored_once: Raw = field(default=Raw(), name="x_google_ignoreList")


class _Section(Struct):
    map: Raw = Raw()
    url: Raw = Raw()


_document = msgspec.json.Decoder(_Document)
_raw_list = msgspec.json.Decoder(list[Raw])
_section = msgspec.json.Decoder(_Section)
_string = msgspec.json.Decoder(str)
_ERRORS = (msgspec.MsgspecError, RecursionError, UnicodeError)


def looks_like_map(data: Buffer) -> bool:
    """Whether bytes could be a source map: a JSON object with the keys of one. Cheap if not."""
    if not len(data) or data[0] not in b"{)\xef\xfe\xff \t\r\nwf":
        return False
    data = as_utf8(data)
    lead = _LEAD.match(data)
    if lead is None:
        return False
    start = lead.end()
    return any(key.search(data, start) for key in _KEYS) or bool(_HEAD.match(data, start))


def as_utf8(data: Buffer) -> Buffer:
    """The bytes themselves, or UTF-8 when a byte order mark says that they are UTF-16."""
    if bytes(data[:2]) in (b"\xff\xfe", b"\xfe\xff"):
        return bytes(data).decode("utf-16", "replace").encode("utf-8", "replace")
    return data


def parse(data: Buffer) -> Parsed | None:
    """The map in ``data``; None if it is none by structure. Never raises for what is in it."""
    if not looks_like_map(data):
        return None
    data = as_utf8(data)
    lead = _LEAD.match(data)
    view = memoryview(data)[lead.end() if lead else 0 :]
    problem: str | None = None
    document: _Document | None
    try:
        document = _document.decode(view)
    except _ERRORS as error:
        document, problem = _without_tail(view, str(error))
    if document is not None:
        found = Parsed([], [], problem or None)
        if _collect(document, found, 0):
            return found
        if found.problem is None:
            return None
    return _salvage(view, problem or "malformed")


def text(item: bytes | Raw) -> bytes | None:
    """The UTF-8 of one JSON item; None for ``null``. What is no string is given as it stands."""
    raw = bytes(item)
    if raw[:1] != b'"':
        return None if raw == b"null" else raw
    try:
        return _string.decode(raw).encode()
    except _ERRORS:
        closed = len(raw) > 1 and raw.endswith(b'"')
        return _ESCAPE.sub(_unescaped, raw[1 : -1 if closed else None])


def _without_tail(view: memoryview, message: str) -> tuple[_Document | None, str]:
    """A second try without the bytes behind the JSON value, if that is what was wrong."""
    trailing = _TRAILING.search(message)
    if trailing is None:
        return None, "truncated" if "truncated" in message else "malformed"
    for end in (int(trailing.group(1)) - 1, int(trailing.group(1))):
        try:
            document = _document.decode(view[:end])
        except _ERRORS:
            continue
        return document, "trailing-bytes" if len(view) - end > _HARMLESS_TAIL else ""
    return None, "malformed"


def _collect(document: _Document, found: Parsed, depth: int) -> bool:
    """Adds the layers of one map and its sections; False if it is no map."""
    is_map = False
    if _opens(document.sections, b"["):
        is_map = _collect_sections(document.sections, found, depth)
    has_names = _opens(document.sources, b"[") or len(document.version) > 0
    has_contents = _opens(document.contents, b"[")
    if has_contents or (has_names and _opens(document.mappings, b'"')):
        is_map = is_map or has_names or _opens(document.mappings, b'"')
        found.layers.append(
            Layer(
                _items(document.sources, found),
                _items(document.contents, found),
                _words(document.source_root),
                _words(document.file),
                len(document.ignored) > len("[]") or len(document.ignored_once) > len("[]"),
            )
        )
    return is_map


def _collect_sections(raw: Raw, found: Parsed, depth: int) -> bool:
    if depth >= _MAX_SECTION_DEPTH:
        deeper = _salvage(
            memoryview(raw), "over-depth"
        )  # sees no nesting, so it cannot be too deep
        found.problem = "over-depth"
        found.layers += deeper.layers if deeper else []
        return True
    is_map = False
    for item in _items(raw, found)[:_MAX_SECTIONS]:
        try:
            section = _section.decode(item)
            inner = _document.decode(section.map) if _opens(section.map, b"{") else None
        except _ERRORS:
            continue
        if inner is not None:
            is_map = _collect(inner, found, depth + 1) or is_map
        elif _opens(section.url, b'"'):
            is_map = True
            found.section_urls.append(_words(section.url))
    return is_map


def _opens(raw: Raw, mark: bytes) -> bool:
    return bytes(memoryview(raw)[:1]) == mark


def _words(raw: Raw) -> str:
    """A short string field; empty when it is absent or no string."""
    value = text(bytes(memoryview(raw)[:65_536])) if _opens(raw, b'"') else b""
    return (value or b"").decode("utf-8", "replace")


def _items(raw: Raw, found: Parsed) -> list[bytes | Raw]:
    """The items of a JSON array as JSON text."""
    if not _opens(raw, b"["):
        return []
    view = memoryview(raw)
    commas = 0
    if len(view) > 2 * MAX_SOURCES:
        steps = range(0, len(view), _COMMAS_CHUNK)
        commas = sum(bytes(view[at : at + _COMMAS_CHUNK]).count(b",") for at in steps)
    if commas <= MAX_SOURCES:  # else the list of slices alone could take gigabytes
        try:
            return list(_raw_list.decode(raw))
        except _ERRORS:
            found.problem = found.problem or "malformed"
    return list(_salvage_array(view, 0, found))


def _salvage(view: memoryview, problem: str) -> Parsed | None:
    """The map as far as it can be told from broken JSON."""
    found = Parsed([], [], problem)
    layer = Layer([], [])
    seen: set[bytes] = set()
    end = 0
    for key in _SALVAGED_KEY.finditer(view):
        if key.start() < end:
            continue  # inside an array that was read already
        name = key.group(1)
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
    items = list(_salvage_array(view, at, found))
    if name == b"sources":
        layer.sources = items
    else:
        layer.contents = items
    return at + 1 + sum(map(len, items))


def _salvage_array(view: memoryview, at: int, found: Parsed) -> Iterator[bytes]:
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
