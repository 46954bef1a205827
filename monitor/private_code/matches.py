"""What matching says: matches of files and of paths, levels, labels, and the thresholds."""

from __future__ import annotations

import enum

from msgspec import Struct

from monitor.private_code.prints import Channel


class Level(enum.IntEnum):
    """How sure a match is."""

    WEAK = 1
    """Not to be told by itself: with a marker beside it, or among many, it counts."""
    NOTIFY = 2
    ALERT = 3


class Label(enum.StrEnum):
    """What a match seems to be."""

    COPY = "copy"
    ANCESTRY = "shared public ancestry?"
    """Both sides may have it from a third one that is public."""
    LITERALS = "literal overlap"


class Thresholds(Struct, frozen=True):
    """How many distinct prints that are not public one file of each side must share."""

    weak: int
    notify: int
    alert: int


NEVER = 1 << 30

THRESHOLDS: dict[Channel, Thresholds] = {
    Channel.TOKENS: Thresholds(3, 7, 10),
    Channel.CANONICAL: Thresholds(3, 7, 10),
    Channel.AUGMENTED: Thresholds(4, 8, 12),
    Channel.SKELETON: Thresholds(4, 8, 12),
    Channel.SHAPE: Thresholds(4, 7, 12),
    Channel.BYTECODE: Thresholds(5, 10, 15),
    Channel.LITERALS: Thresholds(5, 8, NEVER),
}
"""Frozen before the negatives that prove them were fetched."""

MOST_OF_FILE = 0.6
WHOLE_CHANNELS = (Channel.TOKENS, Channel.CANONICAL, Channel.SHAPE, Channel.BYTECODE)
"""With this share of a small private file, what else is worth a notice is an alert: in these
channels, which hardly know idioms."""

OF_TOKENS = (Channel.TOKENS, Channel.CANONICAL, Channel.AUGMENTED, Channel.SHAPE)
POOLED_CHANNELS = (*OF_TOKENS, Channel.SKELETON, Channel.BYTECODE)
POOLED_ALERT, POOLED_NOTIFY = 1.0, 0.75
"""What two channels or more must have together, each in units of what it needs for an alert."""

POOLED_LINES = 12
"""And from the first to the last line of the private file that they have alike."""

MIN_FILES_OF_BUNDLE = 3
"""A file that holds so many files of a repository is a bundle: what else it shares with that
repository, however little, is told too."""

MIN_SUFFIXES = 10
MIN_SUFFIXES_OF_MAP = 4
MIN_SHARE_OF_MAP = 0.3
"""So many path suffixes of private files in one artifact, or this share of its source map."""

MIN_WITH_MARKER = 3
"""Prints shared by a file pair that are enough when the artifact holds a marker of the owner."""

Lines = tuple[tuple[int, int], ...]
"""Ranges of lines, both ends included, ascending."""


class FileMatch(Struct, frozen=True, kw_only=True):
    """A file of an artifact that shares code with a private file.

    ``evidence`` counts shared prints by channel, ``share`` is of the artifact's file, and
    ``private_share`` of the private one: what is public is left out of both.
    ``is_identical`` says that the private file has the very same bytes or tokens.
    """

    level: Level
    label: Label
    organisation: str
    repository: str
    path: str
    private_file: int
    artifact_path: str
    evidence: dict[Channel, int]
    share: float
    private_share: float
    lines: Lines
    private_lines: Lines
    is_identical: bool = False


class PathMatch(Struct, frozen=True, kw_only=True):
    """An artifact that names the paths of many private files; ``share`` is of all it names."""

    level: Level
    organisation: str
    repository: str
    suffixes: tuple[str, ...]
    share: float


class Conclusion(Struct, frozen=True):
    """What an artifact as a whole amounts to; the strongest matches first."""

    files: tuple[FileMatch, ...]
    paths: tuple[PathMatch, ...]
