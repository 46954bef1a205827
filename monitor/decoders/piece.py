"""What a decoder gives: a stretch of a text read otherwise, and where its bytes come from."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Sequence

Buffer = bytes | memoryview
Span = tuple[int, int]


class Piece:
    """A stretch ``start`` to ``stop`` of a text, decoded to ``text`` by the decoder ``name``.

    ``step`` raw bytes stand for ``unit`` decoded ones (0: all of it stands at ``start``; negative:
    it was read backwards). With ``runs`` that counts in the text without its joints: they are
    ascending pairs of an offset in it and of the same place in the outer text, found out when they
    are asked for first: pieces are many, finds in them few.
    """

    __slots__ = ("_find_runs", "_runs", "name", "start", "step", "stop", "text", "unit")

    def __init__(
        self,
        name: str,
        span: Span,
        text: bytes,
        *,
        step: int = 1,
        unit: int = 1,
        runs: Callable[[], Sequence[Span]] | None = None,
    ) -> None:
        self.name = name
        self.start, self.stop = span
        self.text = text
        self.step = step
        self.unit = unit
        self._find_runs = runs
        self._runs: Sequence[Span] = ()

    @property
    def runs(self) -> Sequence[Span]:
        """Where the text goes on behind each joint; empty if it has none."""
        if self._find_runs is not None:
            self._runs, self._find_runs = self._find_runs(), None
        return self._runs

    def raw(self, span: Span) -> Span:
        """Where a span of the decoded text comes from."""
        first, behind = span
        if not self.step:
            return self.start, self.stop
        if self.step < 0:
            return self.stop - behind, self.stop - first
        begin = first * self.step // self.unit
        last = max(begin, -(-behind * self.step // self.unit) - 1)
        return self._place(begin), min(self.stop, self._place(last) + 1)

    def _place(self, offset: int) -> int:
        runs = self.runs
        if not runs:
            return min(self.stop, self.start + offset)
        at = bisect_right(runs, (offset, 1 << 62)) - 1
        clean, raw = runs[max(0, at)]
        return min(self.stop, raw + max(0, offset - clean))


def without(name: str, start: int, raw: bytes, joint: re.Pattern[bytes]) -> Piece:
    """The piece of the bytes at ``start`` without any joint in them."""
    stop = start + len(raw)
    clean = joint.sub(b"", raw)
    return Piece(name, (start, stop), clean, runs=lambda: joints(start, joint.finditer(raw)))


def joints(start: int, found: Iterable[re.Match[bytes]]) -> list[Span]:
    """The ``runs`` of a piece made of bytes at ``start`` without what was found in them."""
    runs: list[Span] = [(0, start)]
    last = size = 0
    for each in found:
        first, behind = each.span()
        size += first - last
        runs.append((size, start + behind))
        last = behind
    return runs


def replaced(name: str, start: int, raw: bytes, joint: re.Pattern[bytes], value: bytes) -> Piece:
    """The piece of the bytes at ``start`` in which each joint is replaced by a value."""

    def runs() -> Sequence[Span]:
        found = [(*each.span(), value) for each in joint.finditer(raw)]
        return substituted(name, start, raw, found).runs

    text = joint.sub(value.replace(b"\\", rb"\\"), raw)
    return Piece(name, (start, start + len(raw)), text, runs=runs)


def substituted(name: str, start: int, raw: bytes, found: list[tuple[int, int, bytes]]) -> Piece:
    """The piece in which each ``(start, end, value)`` of ``raw`` is replaced by its value."""
    parts: list[bytes] = []
    runs: list[Span] = [(0, start)]
    last = size = 0
    for first, behind, value in found:
        parts += (raw[last:first], value)
        size += first - last
        runs.append((size, start + first))
        size += len(value)
        runs.append((size, start + behind))
        last = behind
    parts.append(raw[last:])
    return Piece(name, (start, start + len(raw)), b"".join(parts), runs=lambda: runs)
