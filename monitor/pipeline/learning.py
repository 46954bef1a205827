"""Learns what everybody has from packages of strangers that were inspected anyway.

An inspection's prints wait in memory until ``settle`` holds them against the incidents on record:
what has one, or is published by somebody who has, is not learnt from, and what was learnt from it
before is taken back. What is ours never waits at all.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from monitor.model import IncidentState, Severity
from monitor.pipeline.private_code import DETECTOR
from monitor.pipeline.publishers import is_ours, publishers_of
from monitor.private_code.index.public import Package, PublicPrints
from monitor.private_code.taking import Taken
from monitor.watchers.perimeter import Perimeter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.model import Artifact, Finding, Organisation, Release
    from monitor.private_code.index.reader import OpenIndex
    from monitor.private_code.prints import FilePrints
    from monitor.store import Suspect

ECOSYSTEMS = frozenset({"npm", "pypi"})
"""Where a package has publishers and a time that its registry vouches for."""

MAX_WAITING_BYTES = 64 << 20
MOST_AT_ONCE = 200
"""Packages that one ``settle`` learns from; the rest waits for the next."""

_DECODER = msgspec.msgpack.Decoder(Taken)


class Learnt(Struct, frozen=True, kw_only=True):
    """What one ``settle`` did: packages learnt from, taken back, and not learnt from at all."""

    learnt: int = 0
    withdrawn: int = 0
    refused: int = 0


class _Waiting(Struct, frozen=True):
    package: Package
    prints: list[bytes]
    is_accused: bool

    @property
    def size(self) -> int:
        return sum(map(len, self.prints))


class _Record:
    """What the incidents on record forbid, and what a person has cleared."""

    def __init__(self, suspects: Iterable[Suspect]) -> None:
        self._packages: set[str] = set()
        self._publishers: set[str] = set()
        cleared: set[str] = set()
        for one in suspects:
            name = f"{one.ecosystem}:{one.name}".lower()
            if one.state is IncidentState.FALSE_POSITIVE:
                cleared.add(name)
                continue
            self._packages.add(name)  # a leak that was dealt with stays a leak
            if one.is_open and one.release is not None:
                self._publishers |= publishers_of(one.release)
        self._cleared = cleared - self._packages

    def forbids(self, name: str, publishers: frozenset[str]) -> bool:
        return name in self._packages or not self._publishers.isdisjoint(publishers)

    def is_cleared(self, name: str) -> bool:
        return name in self._cleared


class Learning:
    """What waits to be learnt, for the indexes of one process. Safe to share by threads."""

    def __init__(self, indexes: Sequence[OpenIndex], organisations: Sequence[Organisation]) -> None:
        self._indexes = indexes
        self._perimeter = Perimeter(organisations)
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def note(
        self,
        release: Release,
        artifact: Artifact,
        prints: Iterable[bytes],
        findings: Iterable[Finding],
    ) -> bool:
        """Keep an inspected artifact's prints until the next ``settle``; says whether they are.

        They are not where the package is ours, and not while too much waits already.
        """
        if release.ecosystem not in ECOSYSTEMS or is_ours(release, self._perimeter):
            return False
        package = Package(
            name=f"{release.ecosystem}:{release.name}".lower(),
            publishers=publishers_of(release),
            published_at=release.published_at or artifact.published_at,
        )
        is_accused = any(
            one.detector == DETECTOR and one.severity >= Severity.MEDIUM for one in findings
        )
        made = _Waiting(package, [one for one in prints if one], is_accused)
        with self._lock:
            if not made.prints or self._bytes + made.size > MAX_WAITING_BYTES:
                return False
            self._waiting.append(made)
            self._bytes += made.size
        return True

    def settle(self, suspects: Iterable[Suspect]) -> Learnt:
        """Take back what the incidents on record forbid, learn from what waits, and publish it.

        ``suspects`` are all there are by now. Raises ConfigError (``index-busy``) while another
        process learns: then what waits goes on waiting.
        """
        record = _Record(suspects)
        batch = self._batch()
        allowed = [one for one in batch if not _is_refused(one, record)]
        read = [(one.package, _prints(one)) for one in allowed]
        learnt: set[str] = set()
        withdrawn = 0
        for index in self._indexes:
            with PublicPrints(index) as public:
                gone = _withdrawn(public, record)
                new = {
                    package.name
                    for package, prints in read
                    if public.learn(package, prints, keeps_strangers=False)
                }
                if gone or new:
                    public.publish()
            learnt |= new
            withdrawn += gone
        self._done(len(batch))
        return Learnt(learnt=len(learnt), withdrawn=withdrawn, refused=len(batch) - len(allowed))

    def _batch(self) -> list[_Waiting]:
        with self._lock:
            return [self._waiting[at] for at in range(min(MOST_AT_ONCE, len(self._waiting)))]

    def _done(self, count: int) -> None:
        with self._lock:
            for _ in range(count):
                self._bytes -= self._waiting.popleft().size


def _is_refused(one: _Waiting, record: _Record) -> bool:
    """What holds our code is learnt from only after a person has said that it is no leak."""
    if record.forbids(one.package.name, one.package.publishers):
        return True
    return one.is_accused and not record.is_cleared(one.package.name)


def _withdrawn(public: PublicPrints, record: _Record) -> int:
    """Take back every package that an incident speaks against; how many."""
    against = [one for one in public.sources() if record.forbids(one.name, one.publishers)]
    return sum(public.withdraw(package=one.name) for one in against)


def _prints(one: _Waiting) -> list[FilePrints]:
    return [file.prints() for each in one.prints for file in _DECODER.decode(each).files]
