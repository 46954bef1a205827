"""One member's hits on their way to matches: windows, escapes, limits.

Work is linear in the member whatever it holds: per branch of a rule the confirmed bytes are
counted, and beyond a multiple of the member's size the rest of its hits is given up and said so.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.rules.model import SECRET, Match
from monitor.rules.unescape import readings

if TYPE_CHECKING:
    from array import array

    from monitor.rules.confirm import Confirmation, Span, Text
    from monitor.rules.matcher import Matcher

SLOT_BITS = 16
"""A hit is kept as one integer: its end offset above this many bits of database id."""

MAX_MATCHES = 1000
"""How many matches of one rule in one member are reported."""

MAX_PROBE_HITS = 100_000
"""How many hits of one probe in one member are reported."""

STRETCH = 3
"""How much longer than the plain spelling an escaped one may be."""

SLACK = 64
"""Bytes on either side of a decoded window, for look-arounds and cut escapes."""

_BACKSLASH = ord("\\")
_SLOT_MASK = (1 << SLOT_BITS) - 1
_SPARE_WORK = 8 << 20  # bytes that a branch may confirm in one member, at least ...
_WORK_PER_BYTE = 8  # ... and per byte of the member
_DECODE_COST = 16  # undoing escapes costs this many times what searching does
_BYTES_PER_SECOND = 50 << 20  # what searching is expected to do; some expressions are far slower
_WIDE = 4096  # a window from this size on is timed
_CALL_COST = 64  # ... and a search costs as much as this many bytes however short its window


class Work:
    """The state of confirming one member."""

    def __init__(self, matcher: Matcher, text: Text, path: str) -> None:
        self._matcher = matcher
        self._text = text
        self._size = len(text)
        self._path = path
        self._last: dict[int, int] = {}
        self._left: dict[int, int] = {}
        self._chosen: dict[int, bool] = {}
        self._found: dict[int, list[Match]] = {}

    def matches(self) -> list[Match]:
        """What was found, by offset, each range of a rule once."""
        unique: dict[tuple[str, int, int, int, int], Match] = {}
        for found in self._found.values():
            for match in found:
                unique.setdefault(match.key, match)
        return sorted(unique.values(), key=lambda match: (match.start, match.end, match.rule.id))

    def confirm(self, hits: list[int]) -> None:
        """Confirm hits that end behind those of every earlier call."""
        branches = len(self._matcher.branches)
        last = self._last
        for hit in sorted(hits):
            slot, end = hit & _SLOT_MASK, hit >> SLOT_BITS
            if slot >= branches:
                self._probe(self._matcher.probes[slot - branches], end)
            elif last.get(slot, 0) < end and self._is_open(slot):
                self._confirm(slot, end)

    def _probe(self, name: str, end: int) -> None:
        ends = self._matcher.probe_hits.setdefault(name, [])
        if len(ends) < MAX_PROBE_HITS:
            ends.append(end)
        else:
            self._matcher.capped[name] = "over-matches"

    def _is_open(self, slot: int) -> bool:
        """Whether the branch looks at this member and has not reached a limit in it."""
        known = self._chosen.get(slot)
        if known is not None:
            return known
        rule = self._matcher.rules[self._matcher.branches[slot][0]]
        is_chosen = True
        if rule.include or rule.exclude:
            from monitor.rules.paths import is_chosen as chosen

            is_chosen = chosen(self._path, rule.include, rule.exclude)
        self._chosen[slot] = is_chosen
        self._left[slot] = _SPARE_WORK + _WORK_PER_BYTE * self._size
        return is_chosen

    def _spend(self, slot: int, work: int) -> None:
        self._left[slot] -= work
        if self._left[slot] < 0:
            self._close(slot, "over-work")

    def _close(self, slot: int, reason: str) -> None:
        self._chosen[slot] = False
        index = self._matcher.branches[slot][0]
        self._matcher.capped[self._matcher.rules[index].id] = reason

    def _confirm(self, slot: int, end: int) -> None:
        confirmation = self._matcher.confirmation(slot)
        expression = confirmation.expression
        stop = min(self._size, end + expression.tail + expression.context + 1)
        start = max(self._last.get(slot, 0), end - expression.window)
        is_found = False
        while start < end and self._chosen[slot]:
            found = self._timed(slot, confirmation, (start, end - expression.least), stop)
            # What begins later than this hit allows may be cut here: its own hit will come.
            if found is None or found.start() > end - expression.least:
                break
            is_found = True
            start = self._last[slot] = found.end()
            for span, groups in confirmation.results(self._text, found):
                self._add(slot, span, groups.get(SECRET, span))
        if not is_found and self._chosen[slot]:
            self._confirm_otherwise(slot, end, confirmation)

    def _add(
        self,
        slot: int,
        span: Span,
        at: Span,
        value: bytes | None = None,
        levels: tuple[str, ...] = (),
    ) -> None:
        index = self._matcher.branches[slot][0]
        found = self._found.setdefault(index, [])
        if len(found) >= MAX_MATCHES:
            self._close(slot, "over-matches")
            return
        secret = bytes(self._text[at[0] : at[1]]) if value is None else value
        found.append(Match(self._matcher.rules[index], span, at, secret, levels))

    def _timed(self, slot: int, confirmation: Confirmation, starts: Span, stop: int) -> Any:
        """Search a window and charge for it: by its size, a wide one also by the time it took.

        ``starts`` are the first and the last place where a match that counts can begin.
        """
        start, last = starts
        self._spend(slot, stop - start + _CALL_COST)
        if stop - start < _WIDE:
            return confirmation.first(self._text, start, last, stop)
        clock = self._matcher.clock
        before = clock()
        found = confirmation.first(self._text, start, last, stop)
        self._spend(slot, int((clock() - before) * _BYTES_PER_SECOND))
        return found

    def _confirm_otherwise(self, slot: int, end: int, confirmation: Confirmation) -> None:
        """Look again in other readings of the window, until one of them holds a match."""
        expression = confirmation.expression
        start = max(self._last.get(slot, 0), end - expression.window * STRETCH - SLACK)
        first = self._aligned(max(0, start - SLACK - expression.context))
        stop = min(self._size, end + expression.tail * STRETCH + SLACK + expression.context)
        raw = bytes(self._text[first:stop])
        for text, offsets, levels in readings(raw, is_anchored=expression.is_anchored):
            self._spend(slot, len(text) * _DECODE_COST)
            reading = _Reading(text, offsets, levels, first)
            if self._search(slot, confirmation, reading, (start, end)) or not self._chosen[slot]:
                return

    def _aligned(self, first: int) -> int:
        """The offset moved to the left out of a run of backslashes: no escape is cut in half."""
        least = max(0, first - SLACK)
        while first > least and self._text[first - 1] == _BACKSLASH:
            first -= 1
        return first

    def _search(
        self, slot: int, confirmation: Confirmation, reading: _Reading, window: tuple[int, int]
    ) -> bool:
        """Add what a reading holds in the window; whether it reached the hit at its end."""
        start, end = window
        at = reading.place(start)
        is_found = False
        while found := confirmation.search(reading.text, at):
            if reading.raw(found.start()) > end - confirmation.expression.least:
                break
            at = found.end()
            behind = reading.raw(at)
            self._last[slot] = max(self._last.get(slot, 0), behind)
            is_found = is_found or behind >= end - SLACK
            for span, groups in confirmation.results(reading.text, found):
                a, b = groups.get(SECRET, span)
                raw_span = reading.raw(span[0]), reading.raw(span[1])
                value = reading.text[a:b]
                self._add(slot, raw_span, (reading.raw(a), reading.raw(b)), value, reading.levels)
        return is_found


class _Reading(NamedTuple):
    """Another reading of the bytes from ``first`` on."""

    text: bytes
    offsets: array[int] | None
    levels: tuple[str, ...]
    first: int

    def raw(self, at: int) -> int:
        """Where a byte of the text stands in the member."""
        return self.first + (at if self.offsets is None else self.offsets[at])

    def place(self, raw: int) -> int:
        """The first byte of the text that stands at or behind an offset of the member."""
        at = max(0, raw - self.first)
        return at if self.offsets is None else bisect_left(self.offsets, at)
