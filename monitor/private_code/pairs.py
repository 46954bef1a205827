"""Pairs of an artifact's file and a private one: what they share, and how it lies in both."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.private_code.arrays import unique
from monitor.private_code.matches import (
    MOST_OF_FILE,
    NEVER,
    OF_TOKENS,
    POOLED_ALERT,
    POOLED_CHANNELS,
    POOLED_LINES,
    POOLED_NOTIFY,
    THRESHOLDS,
    WHOLE_CHANNELS,
    Level,
)
from monitor.private_code.prints import Channel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from monitor.private_code.matches import Lines
    from monitor.private_code.prints import FilePrints, Hashes, Hits, Index, IndexedFile

    Flags = npt.NDArray[np.bool_]
    Places = npt.NDArray[np.int64]

MAX_PAIRS = 300
"""Private files that are looked at for one file of an artifact: those that share the most."""

_REACH = 4
_LEAST_REACH = 64
"""A copy lies together: within so many prints per print of the private file, and at least."""

_BLOCK = 6  # lines
_POSITIONS = 24
_GAP = 15  # lines: what is closer together is one range
_SEATS = 24  # prints of the artifact's file: what is closer together is one range
_LEAST_CLUSTER = 3
"""Prints that a range must hold to count."""


class Question(NamedTuple):
    """A file's prints in one array. ``slots`` says which channel's, ``seats`` the place in it."""

    hashes: Hashes
    channels: list[Channel]
    slots: npt.NDArray[np.uint8]
    seats: Places
    lines: Places


def question(prints: FilePrints) -> Question:
    """The prints of a file, to be looked up at once."""
    channels = [channel for channel in prints.channels if channel in THRESHOLDS]
    parts = [prints.channels[channel] for channel in channels]
    if not parts:
        empty = np.empty(0, np.int64)
        return Question(np.empty(0, np.uint64), [], np.empty(0, np.uint8), empty, empty)
    sizes = [len(part.hashes) for part in parts]
    return Question(
        np.concatenate([part.hashes for part in parts]),
        channels,
        np.repeat(np.arange(len(parts), dtype=np.uint8), sizes),
        np.concatenate([np.arange(size) for size in sizes]),
        np.concatenate([part.lines for part in parts]).astype(np.int64),
    )


class Shared(NamedTuple):
    """What a pair shares in one channel: places in the question, and the private lines."""

    channel: Channel
    queries: Places
    private_lines: Places


class Pair(NamedTuple):
    """An artifact's file and a private one, by channel, the strongest first."""

    file: IndexedFile
    shared: list[Shared]
    level: Level

    @property
    def strength(self) -> float:
        """The best channel's count, in units of what it needs for an alert."""
        return strength(self.shared[0])


def strength(shared: Shared) -> float:
    """How much is shared, in units of what the channel needs."""
    thresholds = THRESHOLDS[shared.channel]
    needed = thresholds.notify * 2 if thresholds.alert == NEVER else thresholds.alert
    return len(shared.queries) / needed


def pairs(asked: Question, hits: Hits, index: Index) -> list[Pair]:
    """The pairs that share enough to be weak at least; the strongest first."""
    if not len(hits.query):
        return []
    files, inverse = np.unique(hits.files, return_inverse=True)
    slots = asked.slots[hits.query].astype(np.int64)
    width = len(asked.channels)
    weak = np.array([THRESHOLDS[channel].weak for channel in asked.channels])
    counts = np.bincount(inverse * width + slots, minlength=len(files) * width)
    best = (counts.reshape(len(files), width) / weak).max(axis=1)
    chosen = np.argsort(-best, kind="stable")[:MAX_PAIRS]
    chosen = chosen[best[chosen] >= 1]
    order = np.argsort(inverse, kind="stable")
    edges = np.searchsorted(inverse[order], np.arange(len(files) + 1))
    found = []
    for number in chosen.tolist():
        own = order[edges[number] : edges[number + 1]]
        pair = _pair(asked, hits, own, index.file(int(files[number])))
        if pair is not None:
            found.append(pair)
    return sorted(found, key=lambda pair: (-pair.level, -pair.strength, pair.file.number))


def traces(
    asked: Question, hits: Hits, index: Index, known: Collection[int], repositories: Collection[str]
) -> Iterator[Pair]:
    """Files of a bundle's repositories that left but a trace in it: all of them weak.

    A trace is prints close together that no other private file has.
    """
    is_own = np.bincount(hits.query)[hits.query] == 1
    is_own &= np.isin(asked.slots[hits.query], _pooled_slots(asked))
    own = np.flatnonzero(is_own)
    own = own[np.lexsort((hits.query[own], hits.files[own]))]
    files, seats = hits.files[own], asked.seats[hits.query[own]]
    slots = asked.slots[hits.query[own]]
    is_close = (files[1:] == files[:-1]) & (slots[1:] == slots[:-1])
    is_close &= seats[1:] - seats[:-1] <= _SEATS
    for number in unique(files[1:][is_close]).tolist():
        file = index.file(number)
        if number in known or file.repository not in repositories:
            continue
        both = np.flatnonzero(is_close & (files[1:] == number))
        chosen = own[unique(np.concatenate([both, both + 1]))]
        chosen = chosen[asked.slots[hits.query[chosen]] == slots[both[0]]]
        queries = hits.query[chosen].astype(np.int64)
        lines = hits.lines[chosen].astype(np.int64)
        channel = asked.channels[int(slots[both[0]])]
        yield Pair(file, [Shared(channel, queries, lines)], Level.WEAK)


def _pooled_slots(asked: Question) -> list[int]:
    return [slot for slot, one in enumerate(asked.channels) if one in POOLED_CHANNELS]


def _pair(asked: Question, hits: Hits, own: Places, file: IndexedFile) -> Pair | None:
    shared = []
    level = 0
    for slot in unique(asked.slots[hits.query[own]]).tolist():
        part = own[asked.slots[hits.query[own]] == slot]
        queries, first = np.unique(hits.query[part], return_index=True)
        channel = asked.channels[slot]
        one = Shared(channel, queries.astype(np.int64), hits.lines[part][first].astype(np.int64))
        one = _dense(_together(one, asked, file), asked)
        reached = _level(one, asked, file)
        if reached:
            shared.append(one)
            level = max(level, reached)
    if not shared:
        return None
    shared.sort(key=strength, reverse=True)
    return Pair(file, shared, Level(max(level, _pooled_level(shared, asked, file))))


def _pooled_level(shared: Sequence[Shared], asked: Question, file: IndexedFile) -> int:
    """What several channels say together: each sees in its own way what a rebuild left alike.

    Only of more than a few lines: a table of operators is alike in every view.
    """
    strengths = {one.channel: strength(one) for one in shared if one.channel in POOLED_CHANNELS}
    if len(strengths) <= 1:  # alone it is judged by its own thresholds
        return 0
    # All of these see the same runs of tokens: together they say what the best of them says.
    same = [strengths.pop(one) for one in OF_TOKENS if one in strengths]
    pooled = sum(strengths.values()) + max(same, default=0)
    if max(int(np.ptp(one.private_lines)) for one in shared) < POOLED_LINES:
        return 0
    if pooled < POOLED_NOTIFY:
        return 0
    is_alert = pooled >= POOLED_ALERT and any(_is_spread(one, asked) for one in shared)
    return Level.ALERT if is_alert or _is_most(shared[0], asked, file) else Level.NOTIFY


def _together(shared: Shared, asked: Question, file: IndexedFile) -> Shared:
    """The part of a pair that lies together in the artifact's file, as a copy does."""
    seats = asked.seats[shared.queries]
    reach = max(_LEAST_REACH, _REACH * file.selected.get(shared.channel, 0))
    if not len(seats) or seats[-1] - seats[0] <= reach:
        return shared
    last = np.searchsorted(seats, seats + reach, side="right")
    first = int(np.argmax(last - np.arange(len(seats))))
    inside = slice(first, int(last[first]))
    return Shared(shared.channel, shared.queries[inside], shared.private_lines[inside])


def _dense(shared: Shared, asked: Question) -> Shared:
    """Without prints that stand alone in either file: idioms are met anywhere."""
    if shared.channel is Channel.LITERALS:
        return shared
    for gap in (_SEATS, 0):
        positions = asked.seats[shared.queries] if gap else shared.private_lines
        if not len(positions):
            break
        order = np.argsort(positions, kind="stable")
        clusters = np.concatenate([[0], np.cumsum(np.diff(positions[order]) > (gap or _GAP))])
        is_dense = np.empty(len(order), np.bool_)
        is_dense[order] = np.bincount(clusters)[clusters] >= _LEAST_CLUSTER
        shared = Shared(shared.channel, shared.queries[is_dense], shared.private_lines[is_dense])
    return shared


def _level(shared: Shared, asked: Question, file: IndexedFile) -> int:
    thresholds = THRESHOLDS[shared.channel]
    count = len(shared.queries)
    if count >= thresholds.alert and _is_spread(shared, asked):
        return Level.ALERT
    if count >= thresholds.notify:
        return Level.ALERT if _is_most(shared, asked, file) else Level.NOTIFY
    return Level.WEAK if count >= thresholds.weak else 0


def _is_most(shared: Shared, asked: Question, file: IndexedFile) -> bool:
    """Whether it is most of a small private file, and a copy's span of the artifact's."""
    if shared.channel not in WHOLE_CHANNELS:
        return False
    selected = file.selected.get(shared.channel, 0)
    seats = asked.seats[shared.queries]
    is_compact = seats[-1] - seats[0] <= _REACH * len(seats)
    return bool(is_compact and len(seats) >= MOST_OF_FILE * selected)


def _is_spread(shared: Shared, asked: Question) -> bool:
    """Whether it is more than one statement or table: two blocks of lines on either side."""
    lines = asked.lines[shared.queries]
    for side in (shared.private_lines, lines):
        if len(unique(side // _BLOCK)) > 1:
            return True
    seats = asked.seats[shared.queries]
    return bool(seats[-1] - seats[0] >= _POSITIONS)


def ranges(lines: Places) -> Lines:
    """Lines as ranges; those a few lines apart are one."""
    numbers = unique(lines)
    if not len(numbers):
        return ()
    breaks = np.flatnonzero(np.diff(numbers) > _GAP)
    firsts = numbers[np.concatenate([[0], breaks + 1])]
    lasts = numbers[np.concatenate([breaks, [len(numbers) - 1]])]
    return tuple(zip(firsts.tolist(), lasts.tolist(), strict=True))
