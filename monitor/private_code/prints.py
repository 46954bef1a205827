"""The nouns of matching: a file's prints by channel, and what an index answers to them.

A *print* is a 64-bit hash of a run of normalised elements, with the line at which the run begins.
Prints are computed once for an artifact and do not depend on any key; an index applies its own
organisation's key before it looks. A channel is mixed into its hashes, so that all channels share
one table. The research behind the channels: winnowing (Schleimer, Wilkerson, Aiken, SIGMOD 2003).
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.uint32]

FORMAT = "leakmon-prints/4"
"""Changes whenever the same text would give other prints: an index is made for one format."""


class Channel(enum.IntEnum):
    """What of a file is looked at."""

    TOKENS = 1
    """Runs of tokens with local names made equal."""
    SKELETON = 2
    """Ordered property names and strings: what minifiers keep."""
    AUGMENTED = 3
    """TOKENS of transpiled and minified text; made on the index's side alone."""
    BYTECODE = 4
    """Runs of the names that Python's code objects use."""
    LITERALS = 5
    """Rare strings and numbers as a bag, without order."""
    CANONICAL = 6
    """TOKENS of canonical JavaScript: minified by the pinned tool, or found minified."""
    SHAPE = 7
    """CANONICAL with every name made equal: what is left where properties were renamed as well."""
    WORDS = 8
    """Pairs of neighbouring words: which of a text is worth being looked at, and nothing more."""


class Text(NamedTuple):
    """A file to be fingerprinted.

    ``canonical`` is the same JavaScript as the canonicaliser writes it, ``augmented`` what it
    writes of the transpiled text: both with or without an inline source map, which gives lines.
    """

    path: str
    content: bytes
    canonical: bytes | None = None
    augmented: bytes | None = None


class Prints(Struct, frozen=True):
    """One channel's selected prints of one file: two arrays of one length, in the file's order.

    ``lines`` count from 1, in the text as it was given.
    """

    hashes: Hashes
    lines: Numbers


class FilePrints(Struct, frozen=True, kw_only=True):
    """All that is kept of one file.

    ``content`` is the BLAKE2b-128 of the bytes as they are, ``normal`` of the normalised tokens
    (the same for reformatted text; empty for a file without any). Of a file that was read in part,
    ``coverage`` is the share of its bytes; tokens and lines are those of what was read, and the
    digests are empty.
    """

    language: str
    lines: int
    tokens: int
    content: bytes
    normal: bytes
    channels: dict[Channel, Prints] = field(default_factory=dict)
    coverage: float = 1.0


class IndexedFile(Struct, frozen=True, kw_only=True):
    """A private file as an index knows it. Of a sketch, ``repository`` and ``path`` are empty.

    ``selected`` counts the file's prints by channel: what a match's share is a share of.
    ``first_commit_at`` is Unix time in seconds, 0 where unknown.
    """

    number: int
    repository: str
    path: str
    language: str
    lines: int
    tokens: int
    commit: str = ""
    first_commit_at: int = 0
    selected: dict[Channel, int] = field(default_factory=dict)


class Hits(Struct, frozen=True):
    """Where looked-up hashes stand in private files: three arrays of one length.

    ``query`` are places in the array that was looked up; ``files`` are numbers of indexed files.
    Hashes known to be public are left out.
    """

    query: Numbers
    files: Numbers
    lines: Numbers


class Index(Protocol):
    """One organisation's private code, ready to be asked. Read-only, shared by processes."""

    @property
    def organisation(self) -> str:
        """Whose code this is."""
        ...

    def lookup(self, hashes: Hashes) -> Hits:
        """Every place of these prints in private files; a print too common to tell is capped."""
        ...

    def public(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Which of these prints are in the index and known to be public."""
        ...

    def by_digest(self, digest: bytes) -> Sequence[int]:
        """Files whose ``content`` or ``normal`` this is."""
        ...

    def by_suffixes(self, suffixes: Iterable[str]) -> dict[str, Sequence[int]]:
        """Files by the last three components of their paths (``src/net/client.ts``)."""
        ...

    def file(self, number: int) -> IndexedFile:
        """What is known of a file."""
        ...
