"""Source maps (ECMA-426): what they say, and the sources that they carry.

Maps are told by structure, never by name. ``read`` opens one; ``references`` finds the comments
that point to one or hold one. Recovered sources are members like any other: scan them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.archive import map_json, map_layers, map_names
from monitor.archive.map_json import looks_like_map
from monitor.archive.map_references import (
    Reference,
    all_references,
    data_uri,
    references,
    wasm_references,
)
from monitor.archive.names import printable
from monitor.model import SourceMapRecord

if TYPE_CHECKING:
    from monitor.archive.entries import Buffer

__all__ = [
    "Reference",
    "SourceMap",
    "all_references",
    "data_uri",
    "looks_like_map",
    "read",
    "references",
    "wasm_references",
]

_MAX_REMOTE = 200
_MAX_ADDRESS = 2_048
_MAX_INLINE_SECTIONS = 1_000
_MAX_INLINE_DEPTH = 4


class SourceMap:
    """A map that was read: ``record`` for the report, ``contents`` for the scan.

    ``contents`` holds ``(display path, UTF-8 bytes)`` for every source that is not empty, those
    beyond the end of ``sources`` included. Names in it are unique. ``contents_span`` is where all
    of them stand in the map's bytes, None if that is not sure.
    """

    __slots__ = ("contents", "contents_span", "record")

    def __init__(
        self,
        record: SourceMapRecord,
        contents: list[tuple[str, bytes]],
        contents_span: tuple[int, int] | None,
    ) -> None:
        self.record = record
        self.contents = contents
        self.contents_span = contents_span


def read(path: str, data: Buffer, *, origin: str, is_likely: bool = False) -> SourceMap | None:
    """The source map in ``data``; None if it is none by structure.

    ``is_likely``: ``looks_like_map`` has said so already.

    ``origin`` is ``file``, ``inline`` or ``embedded``. Nothing that is in ``data`` raises; what was
    wrong with it stands in ``record.problem`` (``truncated``, ``malformed``, ``trailing-bytes``,
    ``over-depth``, ``over-members``).
    """
    parsed = map_json.parse(data, is_likely=is_likely)
    if parsed is None:
        return None
    gathered = _Gathered()
    gathered.take(parsed, 0)
    return SourceMap(
        SourceMapRecord(
            path=path,
            origin=origin,
            sources=gathered.sources,
            source_root=gathered.root,
            file=gathered.file,
            remote=list(gathered.remote.values()),
            has_ignore_list=gathered.has_ignore_list,
            problem=gathered.problem,
        ),
        gathered.contents,
        parsed.contents_span if gathered.problem is None else None,
    )


class _Gathered:
    """The layers of one map brought together."""

    def __init__(self) -> None:
        self.sources: list[tuple[str, int, int, bool, bool]] = []
        self.contents: list[tuple[str, bytes]] = []
        self.remote: dict[str, str] = {}
        self.root = ""
        self.file = ""
        self.has_ignore_list = False
        self.problem: str | None = None
        self._places: dict[str, list[int]] = {}
        self._number = 0

    def take(self, parsed: map_layers.Parsed, depth: int) -> None:
        """Adds every layer, and the sections that are data URIs."""
        self.problem = self.problem or parsed.problem
        for layer in parsed.layers:
            self._layer(layer)
        for url in parsed.section_urls[:_MAX_INLINE_SECTIONS]:
            self._section(url, depth)

    def _section(self, url: str, depth: int) -> None:
        inline = data_uri(url.encode("utf-8", "replace")) if depth < _MAX_INLINE_DEPTH else None
        nested = map_json.parse(inline) if inline else None
        if nested is not None:
            self.take(nested, depth + 1)
        else:
            self._address(url)

    def _layer(self, layer: map_layers.Layer) -> None:
        self.root = self.root or printable(layer.root[:_MAX_ADDRESS])
        self.file = self.file or printable(layer.file[:_MAX_ADDRESS])
        self.has_ignore_list |= layer.has_ignore_list
        self._address(layer.root)
        names, contents = layer.sources, layer.contents
        for place in range(max(len(names), len(contents))):
            raw = map_layers.text(names[place]) if place < len(names) else None
            content = map_layers.text(contents[place]) if place < len(contents) else None
            self._source((raw or b"").decode("utf-8", "replace"), content, layer.root)

    def _source(self, name: str, content: bytes | None, root: str) -> None:
        self._number += 1
        self._address(name)
        whole = map_names.joined(root, name) if name else ""
        shown = map_names.display(whole, self._number)
        if content:
            unique = self._unique(shown, content)
            if unique is None:
                return
            shown = unique
            self.contents.append((shown, content))
        text = content or b""
        lines = text.count(b"\n") + (not text.endswith(b"\n") if text else 0)
        has_content = bool(text) and not text.isspace()
        is_first_party = map_names.is_first_party(whole)
        self.sources.append((shown, len(text), lines, is_first_party, has_content))

    def _unique(self, shown: str, content: bytes) -> str | None:
        """A name that no other content has; None if the same name has this content already."""
        places = self._places.setdefault(shown, [])
        if any(self.contents[place][1] == content for place in places[-8:]):
            return None
        places.append(len(self.contents))
        return shown if len(places) == 1 else f"{shown}#{len(places)}"

    def _address(self, name: str) -> None:
        """Notes an address: one for each host, and every one that has a query (a signature)."""
        if not map_names.is_remote(name) or len(self.remote) >= _MAX_REMOTE:
            return
        key = name if "?" in name else "/".join(name.replace("\\", "/").split("/", 3)[:3])
        self.remote.setdefault(key, printable(name[:_MAX_ADDRESS]))
