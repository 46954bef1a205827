"""The sources of an incident, and how much of them stands in what others publish.

Both sides are prints that were taken in the sandbox; nothing of them is kept on a disk.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from monitor.archive.map_names import is_first_party
from monitor.model import NESTED
from monitor.private_code.matches import Label, Level
from monitor.private_code.matching import Matcher
from monitor.private_code.memory import MemoryIndex
from monitor.private_code.taking import Taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.model import Inspection
    from monitor.private_code.taking import TakenFile

MAX_FILES = 20_000
MAX_PRINTS = 2_000_000
"""Of one incident: 24 MB, and as much again while they are sorted."""

MIN_TOKENS = 40
"""A smaller file is like many."""
MIN_SHARED = 3
MIN_SHARE = 0.25
"""So many of the leaked files, or this share of them where there are few, make a copy."""

_FOREIGN = ("node_modules/", ".pnpm/", "site-packages/", "vendor/")
_DECODER = msgspec.msgpack.Decoder(Taken)


class Overlap(Struct, frozen=True, kw_only=True):
    """How many of the leaked files (``total``) a package has."""

    files: int
    total: int

    @property
    def is_copy(self) -> bool:
        """Whether that is more than chance."""
        return self.files >= min(MIN_SHARED, math.ceil(MIN_SHARE * self.total))


class Leaked:
    """The sources of one incident.

    Of an artifact whose source maps carry first-party sources these alone: what is bundled with
    them belongs to others, who may well publish it.
    """

    def __init__(
        self, organisation: str, package: str, prints: bytes, inspection: Inspection
    ) -> None:
        self._index = MemoryIndex(organisation)
        room = MAX_PRINTS
        for file in _chosen(_DECODER.decode(prints).files, inspection):
            taken = file.prints()
            room -= sum(len(each.hashes) for each in taken.channels.values())
            if room < 0 or len(self._index) >= MAX_FILES:
                break
            self._index.add(package, file.path, taken)
        self._matcher = Matcher([self._index])

    def __len__(self) -> int:
        return len(self._index)

    def look(self, prints: bytes) -> Overlap:
        """How much of it is in an artifact of which these prints were taken."""
        found: set[int] = set()
        for file in _DECODER.decode(prints).files:
            for match in self._matcher.match(file.path, file.prints()):
                if match.level is Level.ALERT and match.label is Label.COPY:
                    found.add(match.private_file)
        return Overlap(files=len(found), total=len(self._index))


def _chosen(files: list[TakenFile], inspection: Inspection) -> Iterator[TakenFile]:
    large = [each for each in files if each.tokens >= MIN_TOKENS]
    maps = {each.path for each in inspection.source_maps}
    recovered = [each for each in large if _recovered(each.path, maps)]
    yield from recovered or (each for each in large if not _is_foreign(each.path))


def _recovered(path: str, maps: set[str]) -> bool:
    """Whether it is a source of the package's own out of one of its maps."""
    home, _, name = path.rpartition(NESTED)
    return home in maps and is_first_party(name) and not _is_foreign(name)


def _is_foreign(path: str) -> bool:
    return any(each in path for each in _FOREIGN)
