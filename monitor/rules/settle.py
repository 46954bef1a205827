"""Which of several matches are worth telling: not the known, not the empty, not the lesser twin."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from monitor.rules.entropy import shannon
from monitor.rules.looks import LOOKS
from monitor.rules.placeholders import is_placeholder

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from monitor.rules.model import Match

_VALUED = frozenset({"secret", "signed-url", "identifier", "public-key"})


def settled(matches: Iterable[Match], known: Container[str] = ()) -> list[Match]:
    """The matches that stay, in their order; ``known`` are digests of documented examples."""
    return without_twins([match for match in matches if is_worth(match, known)])


def is_worth(match: Match, known: Container[str] = ()) -> bool:
    """False for documented examples, placeholders and values less random than their rule asks."""
    metadata = match.rule.metadata
    secret = match.secret
    if metadata.entropy and shannon(secret) < metadata.entropy:
        return False
    if metadata.looks and not LOOKS[metadata.looks](secret):
        return False
    if metadata.kind in _VALUED and metadata.placeholders and is_placeholder(secret):
        return False
    digest = hashlib.sha256(secret).hexdigest()
    return digest not in metadata.known_examples and digest not in known


def without_twins(matches: list[Match]) -> list[Match]:
    """Of matches of the same secret the most specific; generic rules yield where they overlap.

    More specific is: not generic, then surer, then read in a longer context.
    """
    best: dict[tuple[int, int], Match] = {}
    for match in matches:
        span = (match.secret_start, match.secret_end)
        other = best.get(span)
        if other is None or _specificity(match) > _specificity(other):
            best[span] = match
    kept = set(map(id, best.values()))
    kept -= _overlapped(list(best.values()))
    return [match for match in matches if id(match) in kept]


def _specificity(match: Match) -> tuple[bool, int, int, str]:
    metadata = match.rule.metadata
    return (
        not metadata.generic,
        metadata.confidence.rank,
        match.end - match.start,
        match.rule.id,
    )


def _overlapped(matches: list[Match]) -> set[int]:
    """The generic ones whose secret shares bytes with that of one that is not."""
    specific = sorted(
        (match.secret_start, match.secret_end)
        for match in matches
        if not match.rule.metadata.generic
    )
    starts = [start for start, _ in specific]
    furthest = list(accumulate((end for _, end in specific), max))
    overlapped = set()
    for match in matches:
        before = bisect_left(starts, match.secret_end)
        if match.rule.metadata.generic and before and furthest[before - 1] > match.secret_start:
            overlapped.add(id(match))
    return overlapped
