"""An index as the confined child sees it: it answers which pairs of words are ours, and no more.

The key that it is opened with is derived from the organisation's and opens no print of another
channel, no digest and no name.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from monitor.private_code.index import manifest
from monitor.private_code.index.faults import damaged, wrong_key
from monitor.private_code.index.keys import PrintKey
from monitor.private_code.index.layout import cut, mask
from monitor.private_code.index.segment import NOTHING, Segment, newest
from monitor.private_code.prints import Hits

if TYPE_CHECKING:
    from monitor.private_code.prints import Hashes


class WordIndex:
    """The words of a full index in ``folder``, which has this key id and these parameters.

    Raises ConfigError if it cannot be opened, or has others: its words could not be known again.
    """

    def __init__(self, folder: str, key: bytes, key_id: str, parameters: str) -> None:
        self.folder = folder
        self._key = PrintKey(key)
        self._made = key_id, parameters
        self._generation = -1
        self._serial = -1
        self.refresh()

    def refresh(self) -> None:
        """Take up what was put in force since."""
        told = manifest.read(self.folder)
        if (told.key_id, told.parameters) != self._made:
            raise wrong_key(self.folder, told.key_id)
        if told.generation != self._generation:
            self._segments = [
                Segment(os.path.join(self.folder, part.name)) for part in told.segments
            ]
            self._bits = told.hash_bits
            self._generation = told.generation
        public = manifest.read_public(self.folder)
        serial = public.serial if public is not None else 0
        if serial != self._serial:
            self._public = NOTHING
            if public is not None and public.key_id == told.key_id:
                self._public = _loaded(os.path.join(self.folder, public.hashes.name))
            self._serial = serial

    def words(self, hashes: Hashes, *, with_public: bool = False) -> Hits:
        """Where these pairs stand in private files; of those known to be public only if wanted."""
        public = NOTHING if with_public else self._public
        keyed = cut(self._key.apply(hashes), self._bits)
        wanted = mask(keyed)
        return Hits(*newest([one.find(keyed, wanted, public) for one in self._segments[::-1]]))


def _loaded(path: str) -> Hashes:
    try:
        public: Hashes = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise damaged(path, str(error)) from None
    return public
