"""Runs the decoders over one member, level under level, and the rules over what they give."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from monitor.archive import formats, source_maps
from monitor.decoders.mirrored import is_wide, wide
from monitor.decoders.piece import Piece
from monitor.decoders.table import DECODERS
from monitor.model import Confidence
from monitor.rules.model import Match
from monitor.rules.settle import without_twins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monitor.decoders.piece import Buffer, Span
    from monitor.rules.matcher import Matcher

MAX_DEPTH = 5
"""How many codings may lie around each other."""

SPARE_BYTES = 1 << 20
BYTES_PER_BYTE = 4
"""A member of n bytes may be decoded to as many times n bytes and the spare ones, on all levels."""

_MAX_PIECE, _LEAST_PIECE = 32 << 20, 8
_COMMENT = 128
_MAX_TURNED = 64 << 10
_TURNING = frozenset({"reversed", "turned"})
_SWEPT = ("base64-word", "hex-word")
_BETWEEN = b"\n\n"
_INFLATED = (
    (b"\x1f\x8b\x08", "gzip", 31),
    *((magic, "zlib", 15) for magic in (b"x\x9c", b"x\xda", b"x\x01", b"x\x5e")),
)
"""Magic bytes, the name of the coding, zlib's window bits."""


class Container(NamedTuple):
    """Decoded bytes that are an archive, the codings around them, and where they stand."""

    content: bytes
    chain: tuple[str, ...]
    offset: int


class Unfolded(NamedTuple):
    """What was found behind codings: matches in the member's own offsets, archives to be opened.

    ``capped`` says why not everything was decoded: empty, or ``over-decoded``.
    """

    matches: list[Match]
    containers: list[Container]
    capped: str


class _Part(NamedTuple):
    """A piece of a level, and what was undone for it on this level."""

    piece: Piece
    chain: tuple[str, ...]
    is_noisy: bool


class _Origin(NamedTuple):
    """Where decoded bytes stand in the member, and what was undone on all levels."""

    span: Span
    chain: tuple[str, ...]
    is_noisy: bool


class _Level:
    """The pieces that were decoded out of one text, joined so that one scan serves them all."""

    def __init__(self, outer: _Level | None, parts: list[_Part]) -> None:
        self.outer = outer
        self.parts = parts
        self.text = _BETWEEN.join(part.piece.text for part in parts)
        self.starts: list[int] = []
        at = 0
        for part in parts:
            self.starts.append(at)
            at += len(part.piece.text) + len(_BETWEEN)

    def locate(self, offset: int) -> int:
        return max(0, bisect_right(self.starts, offset) - 1)

    def unturned(self, hits: Mapping[str, Sequence[int]]) -> Mapping[str, Sequence[int]]:
        """The hits without those that would turn a turned piece back: that text was seen before."""
        if hits.keys().isdisjoint(_TURNING) or all(map(_is_forward, self.parts)):
            return hits
        kept = dict(hits)
        for name in _TURNING & hits.keys():
            kept[name] = [
                end for end in hits[name] if _is_forward(self.parts[self.locate(end - 1)])
            ]
        return kept

    def origin(self, span: Span) -> _Origin:
        """Where a span of this level's text comes from in the member."""
        at = self.locate(span[0])
        start, part = self.starts[at], self.parts[at]
        size = len(part.piece.text)
        inner = min(size, span[0] - start), min(size, span[1] - start)
        raw = part.piece.raw((inner[0], max(inner)))
        if self.outer is None:
            return _Origin(raw, part.chain, part.is_noisy)
        above = self.outer.origin(raw)
        return _Origin(above.span, above.chain + part.chain, above.is_noisy or part.is_noisy)


def unfold(
    matcher: Matcher,
    content: Buffer,
    hits: Mapping[str, Sequence[int]],
    path: str,
    plain: list[Match],
) -> Unfolded:
    """What a member holds that was scanned, with these hits, for ``plain``: that too."""
    return _Unfolding(matcher, content).unfold(hits, path, plain)


class _Unfolding:
    """One member on its way through the levels."""

    def __init__(self, matcher: Matcher, content: Buffer) -> None:
        self._matcher = matcher
        self._content = content
        self._left = SPARE_BYTES + BYTES_PER_BYTE * len(content)
        self._containers: list[Container] = []
        self._seen: set[bytes] = set()
        self._is_cut = False
        self._is_turned = False

    def unfold(self, hits: Mapping[str, Sequence[int]], path: str, plain: list[Match]) -> Unfolded:
        content = self._content
        known = {(match.rule.id, match.secret) for match in plain}
        found: list[Match] = []
        text: Buffer = content
        level: _Level | None = None
        for _ in range(MAX_DEPTH):
            parts = list(self._parts(text, hits, level))
            if not parts:
                break
            level = _Level(level, parts)
            for match in self._matcher.scan(level.text, path):
                moved = _moved(level, match, content)
                if (
                    moved is not None
                    and (moved.rule.id, moved.secret) not in known
                    and not _is_told(moved, plain)
                ):
                    known.add((moved.rule.id, moved.secret))
                    found.append(moved)
            hits = level.unturned(self._matcher.probe_hits)
            text = level.text
        matches = sorted(without_twins([*plain, *found]), key=_start) if found else plain
        is_cut = self._is_cut or self._left < 0
        return Unfolded(matches, self._containers, "over-decoded" if is_cut else "")

    def _parts(
        self, text: Buffer, hits: Mapping[str, Sequence[int]], outer: _Level | None
    ) -> Iterator[_Part]:
        """What the decoders make of a text; archives are put aside."""
        for piece, is_noisy in self._pieces(text, hits, outer):
            if len(piece.text) < _LEAST_PIECE:
                continue
            if piece.text in self._seen:
                continue
            self._seen.add(piece.text)
            self._left -= len(piece.text)
            if self._left < 0:
                return
            yield from self._opened(piece, outer, is_noisy=is_noisy)

    def _pieces(
        self, text: Buffer, hits: Mapping[str, Sequence[int]], outer: _Level | None
    ) -> Iterator[tuple[Piece, bool]]:
        for decoder in DECODERS:
            ends: Sequence[int] = hits.get(decoder.probe, ())
            if outer is not None and decoder.probe in _SWEPT:
                ends = (*ends, len(text))  # who hides once may hide twice: no word is waited for
            if ends:
                for piece in decoder.decode(text, ends):
                    yield piece, decoder.is_noisy
        self._is_turned |= "turned" in hits
        if outer is None:
            for piece in wide(text):
                yield piece, False
        elif self._is_turned:
            for start, part in zip(outer.starts, outer.parts, strict=True):
                if len(part.piece.text) <= _MAX_TURNED and _is_forward(part):
                    turned = part.piece.text[::-1]
                    span = start, start + len(turned)
                    yield Piece("reversed", span, turned, step=-1), True

    def _opened(self, piece: Piece, outer: _Level | None, *, is_noisy: bool) -> Iterator[_Part]:
        """A piece, inflated and widened as far as it is compressed or wide."""
        chain: tuple[str, ...] = (piece.name,)
        for magic, name, bits in _INFLATED:
            if piece.text.startswith(magic):
                most = min(_MAX_PIECE, max(1, self._left))
                inflated = _inflated(piece.text, bits, most)
                self._is_cut |= len(inflated) >= most
                if inflated:
                    self._left -= len(inflated)
                    piece = Piece(name, (piece.start, piece.stop), inflated, step=0)
                    chain = (*chain, name)
                break
        if outer is None and _is_inline_map(self._content, piece):
            return
        if formats.sniff(piece.text) is not None:
            span = piece.start, piece.stop
            origin = outer.origin(span) if outer else _Origin(span, (), is_noisy=False)
            found = Container(piece.text, origin.chain + chain, origin.span[0])
            self._containers.append(found)
            return
        if is_wide(piece.text):
            for inner in wide(piece.text):
                yield _Part(_composed(piece, inner), (*chain, inner.name), is_noisy)
            return
        yield _Part(piece, chain, is_noisy)


def _is_inline_map(content: Buffer, piece: Piece) -> bool:
    """Whether a piece is a source map that its comment points to: it is opened as one."""
    before = bytes(content[max(0, piece.start - _COMMENT) : piece.start])
    return b"sourceMappingURL" in before and source_maps.looks_like_map(piece.text)


def _is_forward(part: _Part) -> bool:
    return part.piece.step >= 0


def _start(match: Match) -> int:
    return match.secret_start


def _composed(outer: Piece, inner: Piece) -> Piece:
    """The inner piece of an outer one's text, as one."""
    if outer.runs or outer.step < 0 or not outer.step:
        return Piece(inner.name, (outer.start, outer.stop), inner.text, step=0)
    start = outer.raw((inner.start, inner.start + 1))[0]
    return Piece(
        inner.name, (start, outer.stop), inner.text, step=outer.step * inner.step, unit=outer.unit
    )


def _inflated(compressed: bytes, bits: int, most: int) -> bytes:
    """What is compressed, up to a size; what could be read of it where it is damaged."""
    inflater = zlib.decompressobj(bits)
    parts = []
    try:
        parts.append(inflater.decompress(compressed, most))
    except zlib.error:
        inflater = zlib.decompressobj(bits)
        for at in range(0, len(compressed), 64):
            try:
                parts.append(inflater.decompress(compressed[at : at + 64], most))
            except zlib.error:
                break
            if sum(map(len, parts)) > most:
                break
    return b"".join(parts)


def _is_told(match: Match, plain: Sequence[Match]) -> bool:
    """Whether the same rule found the same place, only spelled otherwise."""
    return any(
        match.rule.id == each.rule.id
        and match.start < each.secret_end
        and each.secret_start < match.end
        for each in plain
    )


def _moved(level: _Level, match: Match, content: Buffer) -> Match | None:
    """A match in a level's text as one in the member; None for what is not worth telling.

    What stands plainly in the member is no find of a decoder, what crosses from one piece into
    another is none at all, and a noisy decoder's find must be of a rule that is sure of itself.
    """
    at = level.locate(match.start)
    part, start = level.parts[at], level.starts[at]
    if match.secret_end > start + len(part.piece.text) or not match.secret:
        return None
    origin = level.origin((match.secret_start, match.secret_end))
    about = match.rule.metadata
    is_unsure = about.generic or about.confidence is Confidence.LOW
    if origin.is_noisy and (is_unsure or match.secret in bytes(content[slice(*origin.span)])):
        return None
    return Match(match.rule, origin.span, origin.span, match.secret, origin.chain + match.decoded)
