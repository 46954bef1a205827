"""Holds an artifact's files against the private code of several organisations."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from monitor.private_code.arrays import unique
from monitor.private_code.matches import (
    MIN_FILES_OF_BUNDLE,
    MIN_SHARE_OF_MAP,
    MIN_SUFFIXES,
    MIN_SUFFIXES_OF_MAP,
    MIN_WITH_MARKER,
    THRESHOLDS,
    Conclusion,
    FileMatch,
    Label,
    Level,
    PathMatch,
)
from monitor.private_code.pairs import Pair, Question, pairs, question, ranges, traces
from monitor.private_code.prints import Channel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    import numpy.typing as npt

    from monitor.private_code.prints import FilePrints, Hits, Index

    Flags = npt.NDArray[np.bool_]

MAX_MATCHES = 200
"""Matches that one file of an artifact may have; a bundle has many."""

NEAR = 3
"""Of a file that is minified otherwise than the index has it, so few prints may be the same."""

_FEWEST = min(NEAR, *(one.weak for one in THRESHOLDS.values()))
_NEAR_SEATS = 24
"""So far apart they are at most: what a bundle shares by chance stands anywhere in it."""

_CHANCE_BYTES = 128 << 10
"""A stranger's script has one such place in so much of it: what a large one has says little."""

_WORDS_BYTES = 80
"""A pair of our words in each so many bytes: hardly any code has more pairs than one in 25."""

_MAX_WEAK = 100
_NEW_SHARE = 0.25
"""A private file adds to those found before if this share of what it explains is new."""

_PUBLIC_SHARE = 0.3
_SURE_SHARE = 0.5
_SURE_COUNT = 40
"""A match among much that is public is a copy all the same if it is so large."""

_LEAST_TOKENS = 40


class Matcher:
    """Matches files against indexes; holds nothing of the files."""

    def __init__(self, indexes: Sequence[Index]) -> None:
        self.indexes = tuple(indexes)

    def match(self, path: str, prints: FilePrints) -> list[FileMatch]:
        """What a file of an artifact shares with private files; the strongest first.

        Weak matches are for ``conclude``: they are not to be told by themselves.
        """
        asked = question(prints)
        found = []
        for index in self.indexes:
            found += _Answer(asked, index, path, prints).matches()
        return sorted(found, key=_rank)

    def touched(self, files: Sequence[FilePrints]) -> list[bool]:
        """Which files have enough of ours to be looked at one by one: one look-up for all of them.

        For any other file ``match`` has nothing, and ``nearness`` is 0.
        """
        asked = [question(prints).hashes for prints in files]
        edges = np.cumsum([0, *map(len, asked)])
        told = np.zeros(len(asked), np.bool_)
        if edges[-1]:
            hashes = np.concatenate(asked)
            for index in self.indexes:
                queries = unique(index.lookup(hashes).query)
                told |= np.diff(np.searchsorted(queries, edges)) >= _FEWEST
        return [bool(one) for one in told]

    def nearness(self, prints: FilePrints, size: int) -> float:
        """How full of one private file's prints a file of ``size`` bytes is: above 0, look again.

        It is places at which a few of them lie together, by the byte, without those of chance; of
        size 0 any such place counts. One that is full of our words is near whatever prints it has.
        """
        words = prints.channels.get(Channel.WORDS)
        if words is not None and len(words.hashes) * _WORDS_BYTES >= size > 0:
            return len(words.hashes) / size
        asked = question(prints)
        places = max((_nearness(asked, index) for index in self.indexes), default=0)
        return max(0.0, (places - size // _CHANCE_BYTES) / max(size, 1)) if places else 0.0

    def conclude(
        self,
        matches: Iterable[FileMatch],
        *,
        suffixes: Collection[str] = (),
        marked: Collection[str] = (),
    ) -> Conclusion:
        """What an artifact amounts to.

        ``suffixes`` are those of the sources that its maps name, third parties' left out;
        ``marked`` are the organisations of which a marker was found in it.
        """
        told = []
        matches = list(matches)
        bundles = _bundles(matches)
        for match in matches:
            is_backed = match.organisation in marked and match.label is not Label.LITERALS
            if is_backed and max(match.evidence.values(), default=0) >= MIN_WITH_MARKER:
                told.append(replace(match, level=Level.ALERT))
            elif match.level > Level.WEAK:
                told.append(match)
            elif _home(match) in bundles:
                told.append(replace(match, level=Level.NOTIFY))
        paths = [one for index in self.indexes for one in _paths(index, suffixes)]
        return Conclusion(tuple(sorted(told, key=_rank)), tuple(paths))


def _nearness(asked: Question, index: Index) -> int:
    hits = index.lookup(asked.hashes)
    if len(hits.query) < NEAR:
        return 0
    slots, seats = asked.slots[hits.query], asked.seats[hits.query]
    order = np.lexsort((seats, slots, hits.files))
    files, slots, seats = hits.files[order], slots[order], seats[order]
    last = NEAR - 1
    is_one = (files[last:] == files[:-last]) & (slots[last:] == slots[:-last])
    return int(np.count_nonzero(is_one & (seats[last:] - seats[:-last] <= _NEAR_SEATS)))


def _home(match: FileMatch) -> tuple[str, str, str]:
    return match.artifact_path, match.organisation, match.repository


def _bundles(matches: Iterable[FileMatch]) -> set[tuple[str, str, str]]:
    """The artifact's files that hold many files of one repository."""
    counts = Counter(_home(match) for match in matches if match.level > Level.WEAK)
    return {home for home, count in counts.items() if count >= MIN_FILES_OF_BUNDLE}


def _rank(match: FileMatch) -> tuple[int, int]:
    return -match.level, -max(match.evidence.values(), default=0)


class _Answer:
    """What one index says of one file."""

    def __init__(self, asked: Question, index: Index, path: str, prints: FilePrints) -> None:
        self.asked = asked
        self.index = index
        self.path = path
        self.prints = prints
        self.identical = set(index.by_digest(prints.content))
        if prints.tokens >= _LEAST_TOKENS:
            self.identical |= set(index.by_digest(prints.normal))
        self._public: Flags | None = None

    @property
    def public(self) -> Flags:
        """Which of the file's prints are known to be public."""
        if self._public is None:
            self._public = self.index.public(self.asked.hashes)
        return self._public

    def matches(self) -> list[FileMatch]:
        found: list[FileMatch] = []
        weak = 0
        explained = np.zeros(len(self.asked.hashes), np.bool_)
        hits = self.index.lookup(self.asked.hashes)
        for pair in pairs(self.asked, hits, self.index):
            queries = np.concatenate([shared.queries for shared in pair.shared])
            is_new = np.count_nonzero(~explained[queries]) >= _NEW_SHARE * len(queries)
            weak += pair.level is Level.WEAK
            if not is_new or weak > _MAX_WEAK:
                continue
            explained[queries] = True
            found.append(self._match(pair))
            if len(found) >= MAX_MATCHES:
                return found
        return found + [self._match(pair) for pair in self._traces(hits, found)]

    def _traces(self, hits: Hits, found: Sequence[FileMatch]) -> Iterator[Pair]:
        """What a bundle has little of; there is a limit to these too."""
        repositories = {repository for _, _, repository in _bundles(found)}
        if not repositories:
            return iter(())
        known = {match.private_file for match in found if match.level > Level.WEAK}
        left = traces(self.asked, hits, self.index, known, repositories)
        return itertools.islice(left, MAX_MATCHES - len(found))

    def _match(self, pair: Pair) -> FileMatch:
        best = pair.shared[0]
        seen = self.asked.slots == self.asked.channels.index(best.channel)
        own = max(1, int(np.count_nonzero(seen & ~self.public) / self.prints.coverage))
        selected = max(1, pair.file.selected.get(best.channel, 0))
        label = self._label(pair)
        level = pair.level
        is_identical = pair.file.number in self.identical
        if is_identical and label is Label.COPY and self.prints.tokens >= _LEAST_TOKENS:
            level = Level.ALERT
        if label is not Label.COPY:
            level = min(level, Level.NOTIFY)
        queries = np.concatenate([shared.queries for shared in pair.shared])
        private = np.concatenate([shared.private_lines for shared in pair.shared])
        return FileMatch(
            level=level,
            label=label,
            organisation=self.index.organisation,
            repository=pair.file.repository,
            path=pair.file.path,
            private_file=pair.file.number,
            artifact_path=self.path,
            evidence={shared.channel: len(shared.queries) for shared in pair.shared},
            share=min(1.0, len(best.queries) / own),
            private_share=min(1.0, len(best.queries) / selected),
            lines=ranges(self.asked.lines[queries]),
            private_lines=ranges(private),
            is_identical=is_identical,
        )

    def _label(self, pair: Pair) -> Label:
        if _is_table(pair):
            return Label.LITERALS
        best = pair.shared[0]
        count = len(best.queries)
        between = slice(int(best.queries[0]), int(best.queries[-1]) + 1)
        public = int(np.count_nonzero(self.public[between]))
        selected = max(1, pair.file.selected.get(best.channel, 0))
        is_sure = count >= _SURE_COUNT and count >= _SURE_SHARE * selected
        if public > _PUBLIC_SHARE * (public + count) and not is_sure:
            return Label.ANCESTRY
        return Label.COPY


def _is_table(pair: Pair) -> bool:
    """Whether it is literals that both sides have, or a table of them: no code around them."""
    counts = {shared.channel: len(shared.queries) for shared in pair.shared}
    literals = counts.get(Channel.LITERALS, 0)
    if set(counts) <= {Channel.LITERALS, Channel.SKELETON}:
        return literals >= counts.get(Channel.SKELETON, 0)
    return False


def _paths(index: Index, suffixes: Collection[str]) -> list[PathMatch]:
    """Repositories of which an artifact names many paths."""
    named: dict[str, set[str]] = {}
    for suffix, files in index.by_suffixes(suffixes).items():
        for repository in {index.file(number).repository for number in files}:
            named.setdefault(repository, set()).add(suffix)
    found = []
    for repository, own in named.items():
        share = len(own) / len(suffixes)
        is_much = len(own) >= MIN_SUFFIXES_OF_MAP and share >= MIN_SHARE_OF_MAP
        if len(own) >= MIN_SUFFIXES or is_much:
            found.append(
                PathMatch(
                    level=Level.ALERT,
                    organisation=index.organisation,
                    repository=repository,
                    suffixes=tuple(sorted(own)),
                    share=share,
                )
            )
    return sorted(found, key=lambda one: -len(one.suffixes))
