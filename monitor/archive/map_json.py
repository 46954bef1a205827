"""Source maps as JSON: the few fields that matter, read without building the rest.

A sound map goes through msgspec, whose ``Raw`` fields are slices of the input, so that a 60 MB map
costs little beyond its text. What msgspec refuses is salvaged by ``map_layers``.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Raw, Struct, field

from monitor.archive.map_layers import (
    ERRORS,
    MAX_LAYERS,
    MAX_SOURCES,
    Layer,
    Parsed,
    salvage,
    salvage_array,
    text,
)
from monitor.patterns import later

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.archive.entries import Buffer
    from monitor.archive.map_layers import Item

_MAX_COMMAS = 1_000_000
_MAX_SECTION_DEPTH = 8
_COMMAS_CHUNK = 1 << 20
_HARMLESS_TAIL = 64
_MAX_AT_ONCE = 2 << 20  # an array up to this size is decoded as a whole

# The prefix against script inclusion is a line of its own (ECMA-426, 11.1.2); a byte order mark
# stands before or after it.
_LEAD = later(
    rb"\s{0,256}(?:\xef\xbb\xbf)?\s{0,256}"
    rb"(?:\)\]\}[^\n{]{0,64}\n?|while\(1\);|for\(;;\);)?\s{0,256}(?:\xef\xbb\xbf)?\s{0,256}(?=\{)"
)
_KEY_OF_CONTENTS = later(rb'"sourcesContent"\s{0,64}:\s{0,64}\[')
_KEYS = later(rb'"(?:mappings"\s{0,64}:\s{0,64}"|(?:sourcesContent|sections)"\s{0,64}:\s{0,64}\[)')
_HEAD = later(
    rb'\{(?=.{0,4000}?"version"\s{0,64}:\s{0,64}"?3(?![\w.]))'
    rb'(?=.{0,4000}?"sources"\s{0,64}:\s{0,64}\[\s{0,64}(?:"|null|\]|\Z))',
    re.DOTALL,
)
_CUT_HEAD = later(
    rb'\{(?=.{0,400}?"version"\s{0,64}:\s{0,64}"?3(?![\w.])).{0,4000}?"mappings"\s{0,64}:',
    re.DOTALL,
)
_TRAILING = later(r"trailing characters \(byte (\d+)\)")


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
_text_list = msgspec.json.Decoder(Annotated[list[str | None], Meta(max_length=MAX_SOURCES)])
_raw_list = msgspec.json.Decoder(list[Raw])
_section = msgspec.json.Decoder(_Section)


def looks_like_map(data: Buffer) -> bool:
    """Whether bytes could be a source map: a JSON object with the keys of one. Cheap if not."""
    if not len(data) or data[0] not in b"{)\xef\xfe\xff \t\r\nwf":
        return False
    data = as_utf8(data)
    lead = _LEAD.match(data)
    if lead is None:
        return False
    start = lead.end()
    return bool(_KEYS.search(data, start) or _HEAD.match(data, start))


def as_utf8(data: Buffer) -> Buffer:
    """The bytes themselves, or UTF-8 when a byte order mark says that they are UTF-16."""
    if bytes(data[:2]) in (b"\xff\xfe", b"\xfe\xff"):
        return bytes(data).decode("utf-16", "replace").encode("utf-8", "replace")
    return data


def parse(data: Buffer, *, is_likely: bool = False) -> Parsed | None:
    """The map in ``data``; None if it is none by structure. Never raises for what is in it."""
    if not is_likely and not looks_like_map(data):
        return None
    raw, data = data, as_utf8(data)
    lead = _LEAD.match(data)
    view = memoryview(data)[lead.end() if lead else 0 :]
    problem: str | None = None
    document: _Document | None
    try:
        document = _document.decode(view)
    except ERRORS as error:
        document, problem = _without_tail(view, str(error))
    if document is not None:
        found = Parsed([], [], problem or None)
        if _collect(document, found, 0):
            if raw is data and found.problem is None:
                found.contents_span = _span(data, len(data) - len(view), document.contents)
            return found
        if found.problem is None:
            return None
    return _salvaged(view, problem or "malformed")


def _salvaged(view: memoryview, problem: str) -> Parsed | None:
    """What can be told of broken JSON; None where it need not be a map.

    Cut short before its telling keys, a map is told by its first ones; a configuration with a
    comment in it has them too, and is not cut short.
    """
    is_cut = problem == "truncated"
    if not is_cut and not _KEYS.search(view):
        return None
    found = salvage(view, problem)
    if found is None and is_cut and _CUT_HEAD.match(view):
        return Parsed([], [], problem)
    return found


def _span(data: Buffer, start: int, contents: Raw) -> tuple[int, int] | None:
    """Where the map's contents stand. Quotes inside strings are escaped: the key is no text."""
    key = _KEY_OF_CONTENTS.search(data, start)
    if key is None:
        return None
    first = key.end() - 1
    here, there = memoryview(data)[first:], memoryview(contents)
    steps = range(0, len(there), _COMMAS_CHUNK)
    is_same = all(
        bytes(here[at : min(at + _COMMAS_CHUNK, len(there))])
        == bytes(there[at : at + _COMMAS_CHUNK])
        for at in steps
    )
    return (first, first + len(there)) if is_same and len(there) > 1 else None


def _without_tail(view: memoryview, message: str) -> tuple[_Document | None, str]:
    """A second try without the bytes behind the JSON value, if that is what was wrong."""
    trailing = _TRAILING.search(message)
    if trailing is None:
        return None, "truncated" if "truncated" in message else "malformed"
    for end in (int(trailing.group(1)) - 1, int(trailing.group(1))):
        try:
            document = _document.decode(view[:end])
        except ERRORS:
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
                _texts(document.sources, found),
                _texts(document.contents, found),
                _words(document.source_root),
                _words(document.file),
                len(document.ignored) > len("[]") or len(document.ignored_once) > len("[]"),
            )
        )
    return is_map


def _collect_sections(raw: Raw, found: Parsed, depth: int) -> bool:
    if depth >= _MAX_SECTION_DEPTH or _has_many_commas(memoryview(raw)):
        # the salvaging scan sees no nesting and builds no list of sections
        problem = "over-depth" if depth >= _MAX_SECTION_DEPTH else None
        deeper = salvage(memoryview(raw), problem)
        found.problem = found.problem or (deeper.problem if deeper else problem)
        found.layers += deeper.layers if deeper else []
        return deeper is not None or problem is not None
    is_map = False
    for item in _items(raw, found):
        if len(found.layers) >= MAX_LAYERS:
            found.problem = "over-members"
            break
        try:
            section = _section.decode(item)
            inner = _document.decode(section.map) if _opens(section.map, b"{") else None
        except ERRORS:
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


def _texts(raw: Raw, found: Parsed) -> Sequence[Item]:
    """The items of an array of strings; all at once where that is no matter of memory."""
    if _opens(raw, b"[") and len(raw) < _MAX_AT_ONCE:
        with suppress(*ERRORS):
            texts: list[str | None] = _text_list.decode(raw)
            return texts
    return _items(raw, found)


def _items(raw: Raw, found: Parsed) -> list[bytes | Raw]:
    """The items of a JSON array as JSON text."""
    if not _opens(raw, b"["):
        return []
    view = memoryview(raw)
    if not _has_many_commas(view):
        try:
            items = _raw_list.decode(raw)
        except ERRORS:
            found.problem = found.problem or "malformed"
        else:
            if len(items) > MAX_SOURCES:
                found.problem = "over-members"
            return list(items[:MAX_SOURCES])
    return list(salvage_array(view, 0, found))


def _has_many_commas(view: memoryview) -> bool:
    """Whether an array may have so many items that the slices of them alone take gigabytes."""
    if len(view) < 2 * _MAX_COMMAS:
        return False
    steps = range(0, len(view), _COMMAS_CHUNK)
    return sum(bytes(view[at : at + _COMMAS_CHUNK]).count(b",") for at in steps) > _MAX_COMMAS
