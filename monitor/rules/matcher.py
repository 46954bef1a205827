"""Finds every match of every rule in a member: one Hyperscan block scan, then confirmation.

The scan gives, per rule, offsets at which a match may lie (``Expression.probe``); in their order
each is confirmed by the rule's own expression in a window. What is found equals what every
expression would find over the whole text by itself, and what lies behind string escapes besides.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import hyperscan

from monitor.rules.confirm import Confirmation
from monitor.rules.probes import NAMES
from monitor.rules.work import SLACK, SLOT_BITS, STRETCH, Work

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Sequence

    from monitor.rules.model import Branch, Match, Rule

    Buffer = bytes | memoryview | mmap.mmap

MAX_HITS = 1 << 20
"""How many hits are collected before they are confirmed: a bound on memory, not on findings."""

TINY = 4096  # a part of this size is confirmed whatever the number of its hits

MAX_BYTES = (1 << 32) - 1
"""Hyperscan's lengths have 32 bits; members come in smaller windows."""


class Engine:
    """What is compiled: the rules, their branches in the order of the database's ids, the probes.

    Ids below ``len(branches)`` are ``(rule index, branch)``; those above are names of probes.
    """

    __slots__ = ("branches", "database", "digest", "known_examples", "probes", "rules")

    def __init__(
        self,
        rules: Sequence[Rule],
        database: Any,
        digest: str,
        known_examples: frozenset[str] = frozenset(),
    ) -> None:
        self.rules = rules
        self.branches: list[tuple[int, Branch]] = [
            (at, branch) for at, rule in enumerate(rules) for branch in rule.branches
        ]
        self.probes = NAMES
        self.database = database
        self.digest = digest
        self.known_examples = known_examples


class Matcher:
    """Scans members. One instance per thread: the database's scratch space is not shared.

    ``probe_hits`` and ``capped`` speak of the last ``scan``. ``capped`` maps a rule's id (or a
    probe's name) to why not all of its matches were looked for: ``over-matches`` or ``over-work``.
    ``wanted`` has a byte for every branch, which is not 0 once its expression was needed.
    """

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.process_time) -> None:
        self.clock = clock
        self.rules = engine.rules
        self.digest = engine.digest
        self.probe_hits: dict[str, list[int]] = {}
        self.capped: dict[str, str] = {}
        self.branches = engine.branches
        self._known = engine.known_examples
        self.probes = engine.probes
        self._scan = engine.database.scan
        self._scratch = hyperscan.Scratch(engine.database)
        self.wanted: bytearray | mmap.mmap = bytearray(len(engine.branches))
        self._confirmations: list[Confirmation | None] = [None] * len(engine.branches)
        self._hits: list[int] = []
        hits = self._hits
        append = hits.append

        def on_hit(slot: int, _start: int, end: int, _flags: int, _context: Any) -> bool:
            append(end << SLOT_BITS | slot)
            return len(hits) >= MAX_HITS

        self._on_hit = on_hit

    def scan(self, data: Buffer, path: str = "") -> list[Match]:
        """All matches worth telling, by offset: no known examples, placeholders, lesser twins."""
        found = self.scan_all(data, path)
        if not found:
            return found
        from monitor.rules.settle import settled

        return settled(found, self._known)

    def scan_around(self, data: Buffer, path: str, hole: tuple[int, int]) -> list[Match]:
        """The same for what stands before and behind a stretch of the text, each by itself."""
        first, behind = hole
        view = memoryview(data)
        matches = self.scan(view[:first], path)
        hits, capped = dict(self.probe_hits), dict(self.capped)
        for match in self.scan(view[behind:], path):
            match.start += behind
            match.end += behind
            match.secret_start += behind
            match.secret_end += behind
            matches.append(match)
        for name, ends in self.probe_hits.items():
            hits[name] = [*hits.get(name, ()), *(end + behind for end in ends)]
        self.probe_hits, self.capped = hits, capped | self.capped
        return matches

    def scan_all(self, data: Buffer, path: str = "") -> list[Match]:
        """Every match of every rule's patterns, by offset: what Semgrep reports."""
        if self.probe_hits:
            self.probe_hits = {}
        if self.capped:
            self.capped = {}
        hits = self._hits
        hits.clear()
        try:
            self._scan(data, self._on_hit, scratch=self._scratch)
        except hyperscan.ScanTerminated:
            return self._scan_in_parts(data, path)
        if not hits:
            return []
        work = Work(self, data, path)
        work.confirm(hits)
        return work.matches()

    def _scan_in_parts(self, data: Buffer, path: str) -> list[Match]:
        """The same for text that raises more hits than are kept at once."""
        work = Work(self, data, path)
        widest = max(branch.expressions[0].window for _, branch in self.branches)
        reach = widest * STRETCH + SLACK
        view = memoryview(data)
        parts = [(0, len(view))]
        while parts:
            start, stop = parts.pop()
            if self._collect(view, start, stop, reach):
                work.confirm(self._hits)
            else:
                middle = (start + stop) // 2
                parts += [(middle, stop), (start, middle)]
        return work.matches()

    def _collect(self, view: memoryview, start: int, stop: int, reach: int) -> bool:
        """Gather the hits that end in a part; False if they are too many and the part is not tiny.

        Hyperscan promises no order of hits: what came before it was stopped is not complete.
        """
        hits = self._hits
        hits.clear()
        first = max(0, start - reach)
        is_tiny = stop - start <= TINY

        def on_hit(slot: int, _start: int, end: int, _flags: int, _context: Any) -> bool:
            if end + first > start:
                hits.append((end + first) << SLOT_BITS | slot)
            return len(hits) >= MAX_HITS and not is_tiny

        try:
            self._scan(view[first:stop], on_hit, scratch=self._scratch)
        except hyperscan.ScanTerminated:
            return False
        return True

    def confirmation(self, slot: int) -> Confirmation:
        """The branch with this id, its expression compiled on first use."""
        known = self._confirmations[slot]
        if known is None:
            known = self._confirmations[slot] = Confirmation(self.branches[slot][1])
            self.wanted[slot] = 1
        return known

    def prepare(self) -> int:
        """Compile what is ``wanted`` and not compiled yet; how many branches that were."""
        waiting = [
            slot
            for slot, is_wanted in enumerate(bytes(self.wanted))
            if is_wanted and self._confirmations[slot] is None
        ]
        for slot in waiting:
            self.confirmation(slot)
        return len(waiting)
