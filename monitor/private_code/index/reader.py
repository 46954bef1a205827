"""An index, opened: the answers of its segments, snapshot and public prints, for any process.

Everything that is opened is immutable; ``refresh`` takes up what was put in force since.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from monitor.errors import ConfigError
from monitor.private_code.arrays import unique
from monitor.private_code.index import manifest
from monitor.private_code.index.faults import damaged, missing, wrong_key
from monitor.private_code.index.keys import Keys, PrintKey
from monitor.private_code.index.layout import FULL_BITS, cut, mask
from monitor.private_code.index.rows import Rows
from monitor.private_code.index.segment import NOTHING, Segment, among, newest
from monitor.private_code.prints import Channel, Hits, IndexedFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from monitor.private_code.index.rows import Place
    from monitor.private_code.index.segment import Places
    from monitor.private_code.prints import Hashes

Ring = Callable[[str], Sequence[Keys] | PrintKey]
"""Gives the ring of a full index, or the one key of a sketch; asked at every opening."""

FULL, SKETCH = "full", "sketch"
_TRIES = 5


class _Held(Struct, frozen=True):
    """One generation, as it was opened."""

    told: manifest.Manifest
    prints: PrintKey
    keys: Keys | None
    segments: list[Segment]
    rows: Rows


class OpenIndex:
    """As ``monitor.private_code.prints.Index``, of a folder. Raises ConfigError if it cannot be.

    Safe to share by threads and to carry over a fork. A process that lives long calls ``refresh``
    between two artifacts.
    """

    def __init__(self, folder: str, ring: Ring) -> None:
        self.folder = folder
        self._ring = ring
        self._held = self._open()
        self._public_serial = -1
        self._public = self._read_public()

    def __len__(self) -> int:
        return self._held.told.postings

    @property
    def organisation(self) -> str:
        """Whose code this is."""
        return self._held.told.organisation

    @property
    def told(self) -> manifest.Manifest:
        """The manifest of what is open."""
        return self._held.told

    @property
    def is_sketch(self) -> bool:
        """Whether this is a sample without names, which says where to ask further."""
        return self._held.told.kind == SKETCH

    @property
    def words_key(self) -> bytes | None:
        """What opens the index to questions about words, and to no other; a sketch has none."""
        keys = self._held.keys
        return keys.words.secret if keys is not None and not self.is_sketch else None

    @property
    def segments(self) -> Sequence[Segment]:
        """The segments of what is open, the oldest first."""
        return self._held.segments

    @property
    def rows(self) -> Rows:
        """The catalogue of what is open."""
        return self._held.rows

    def refresh(self) -> bool:
        """Take up a newer generation, if there is one; says whether there was."""
        told = manifest.read(self.folder)
        now = self._held.told
        is_new = (told.store, told.generation) != (now.store, now.generation)
        if is_new:
            self._held = self._open()
        return self._take_public() or is_new

    def close(self) -> None:
        """Let go of the catalogue; mapped files go with the object."""
        self._held.rows.close()

    def lookup(self, hashes: Hashes) -> Hits:
        """As ``Index.lookup``: at most ``MOST_PLACES`` places of a print."""
        return Hits(*self._find_keyed(self._held.prints.apply(hashes), self._public))

    def public(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """As ``Index.public``."""
        told = np.zeros(len(hashes), np.bool_)
        rows = unique(self._find_keyed(self._held.prints.apply(hashes))[0])
        keyed = cut(self._held.prints.apply(hashes[rows]), self._held.told.hash_bits)
        told[rows[self.is_public(keyed)]] = True
        return told

    def places_of(self, channel: Channel, hashes: Hashes) -> tuple[Hashes, Places]:
        """The kept form of a channel's prints, and where they stand, public ones included."""
        held = self._held
        key = held.prints if channel is not Channel.WORDS or held.keys is None else held.keys.words
        keyed = key.apply(hashes)
        return cut(keyed, held.told.hash_bits), self._find_keyed(keyed)

    def is_public(self, kept: Hashes) -> npt.NDArray[np.bool_]:
        """Which of these prints are known to be public, as ``places_of`` gives them."""
        return among(kept, self._public)

    def by_digest(self, digest: bytes) -> Sequence[int]:
        """As ``Index.by_digest``; a sketch knows none."""
        keys = self._held.keys
        return self._held.rows.by_digest(keys.digest(digest)) if keys and digest else []

    def by_suffixes(self, suffixes: Iterable[str]) -> dict[str, Sequence[int]]:
        """As ``Index.by_suffixes``; a sketch knows none."""
        keys = self._held.keys
        if keys is None:
            return {}
        found = ((one, self._held.rows.by_suffix(keys.suffix(one))) for one in set(suffixes) if one)
        return {one: files for one, files in found if files}

    def file(self, number: int) -> IndexedFile:
        """As ``Index.file``; KeyError for a number that this generation does not have."""
        if self.is_sketch:
            return IndexedFile(
                number=number, repository="", path="", language="", lines=0, tokens=0
            )
        found = self._held.rows.file(number)
        if found is None:
            raise KeyError(number)
        return found

    def places(self, number: int) -> Sequence[Place]:
        """Every repository and path at which a file's content stands."""
        return self._held.rows.places(number)

    def _find_keyed(self, whole: Hashes, public: Hashes = NOTHING) -> Places:
        held = self._held
        sample = held.told.sample
        rows = None
        if sample > 1:
            rows = np.flatnonzero(is_sampled(whole, sample))
            whole = whole[rows]
        keyed = cut(whole, held.told.hash_bits)
        wanted = mask(keyed)
        queries, files, lines = newest(
            [segment.find(keyed, wanted, public) for segment in held.segments[::-1]]
        )
        return (queries if rows is None else rows[queries].astype(np.uint32)), files, lines

    def _open(self) -> _Held:
        """The generation in force. One that is replaced while it is being opened is tried anew."""
        for tries in range(_TRIES):
            told = manifest.read(self.folder)
            prints, keys = _key_of(self.folder, told, self._ring(told.kind))
            names = [os.path.join(self.folder, part.name) for part in told.segments]
            catalogue = os.path.join(self.folder, told.catalogue.name)
            gone = [path for path in (*names, catalogue) if not os.path.exists(path)]
            if not gone:
                segments = [Segment(path) for path in names]
                if any(segment.layout.hash_bits != told.hash_bits for segment in segments):
                    raise damaged(self.folder, "its segments are of another kind")
                return _Held(told, prints, keys, segments, Rows(catalogue))
            if tries == _TRIES - 1:
                raise damaged(gone[0], "it is gone")
        raise missing(self.folder)

    def _take_public(self) -> bool:
        serial = self._public_serial
        self._public = self._read_public()
        return serial != self._public_serial

    def _read_public(self) -> Hashes:
        """What is public. Prints that are replaced while they are being opened are tried anew."""
        for _ in range(_TRIES - 1):
            try:
                return self._read_public_once()
            except ConfigError:
                continue
        return self._read_public_once()

    def _read_public_once(self) -> Hashes:
        told = manifest.read_public(self.folder)
        serial = told.serial if told is not None else 0
        if told is None or told.key_id != self._held.told.key_id:
            self._public_serial = serial
            return np.empty(0, np.uint64)
        if serial == self._public_serial:
            return self._public
        path = os.path.join(self.folder, told.hashes.name)
        try:
            public: Hashes = np.load(path, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise damaged(path, str(error)) from None
        if public.dtype != np.uint64 or public.ndim != 1:
            raise damaged(path, "it holds no prints")
        self._public_serial = serial
        return public


def is_sampled(keyed: Hashes, sample: int) -> npt.NDArray[np.bool_]:
    """Which keyed prints belong to a sample of one in ``sample``: by bits that a sketch drops."""
    return np.asarray(keyed >> np.uint64(64 - FULL_BITS) & np.uint64(sample - 1) == 0)


def _key_of(
    folder: str, told: manifest.Manifest, ring: Sequence[Keys] | PrintKey
) -> tuple[PrintKey, Keys | None]:
    if isinstance(ring, PrintKey):
        if told.kind == SKETCH and ring.key_id == told.key_id:
            return ring, None
        raise wrong_key(folder, told.key_id)
    for keys in ring:
        if told.kind == SKETCH and keys.prints.key_id == told.key_id:
            return keys.prints, None
        if told.kind == FULL and keys.key_id == told.key_id:
            return keys.prints, keys
    raise wrong_key(folder, told.key_id)
