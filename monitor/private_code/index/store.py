"""The folder in which a writer works: segments and the working catalogue, until they are published.

Every batch is on disk whole before it counts, so that a process which is killed loses that batch
and no more; what it left half written is removed by the next.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from monitor.private_code.index import manifest, merge
from monitor.private_code.index.catalogue import Catalogue, SegmentRow
from monitor.private_code.index.faults import damaged, wrong_key
from monitor.private_code.index.layout import FULL_BITS
from monitor.private_code.index.reader import FULL
from monitor.private_code.index.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from monitor.private_code.index.keys import Keys
    from monitor.private_code.index.making import Making
    from monitor.private_code.prints import Hashes, Numbers

_SUFFIX = ".segment"


class Store:
    """A store of one index, for the process that holds the index's lock."""

    def __init__(self, folder: str, name: str, keys: Keys, making: Making) -> None:
        self.folder = folder
        self.name = name
        self.path = os.path.join(folder, name)
        self.keys = keys
        self.making = making
        os.makedirs(self.path, mode=0o700, exist_ok=True)
        self.catalogue = Catalogue(self.path, keys.blob)
        self._pin()
        self._recover()

    def close(self) -> None:
        """Let go of the catalogue."""
        self.catalogue.close()

    @property
    def is_current(self) -> bool:
        """Whether what is in here was made the way that prints are made now."""
        return (
            self.catalogue.fact("parameters") == self.making.parameters
            and self.catalogue.fact("canonicaliser") == self.making.canonicaliser
        )

    def add(self, hashes: Hashes, files: Numbers, lines: Numbers, *, is_old: bool) -> SegmentRow:
        """A segment of these postings, keyed and the newest first.

        It counts once it is in the catalogue.
        """
        rows = self.catalogue.segments()
        positions = [row.position for row in rows] or [0]
        position = min(positions) - 1 if is_old else max(positions) + 1
        path = self._free()
        merge.write(path, (hashes, files, lines), FULL_BITS)
        return self._row(path, position)

    def tidy(self, most: int = merge.MOST_SEGMENTS) -> None:
        """Merge where there are more segments than this."""
        while True:
            rows = self.catalogue.segments()
            run = merge.due([row.entries for row in rows], most)
            if run is None:
                return
            path = self._free()
            merge.merge(path, self._opened(rows[run]), FULL_BITS)
            kept = [
                *rows[: run.start or 0],
                self._row(path, rows[run][-1].position),
                *rows[run.stop :],
            ]
            self.catalogue.replace_segments(kept)
            self._remove_strangers()

    def without(self, numbers: Collection[int]) -> Sequence[SegmentRow]:
        """New segments without the prints of these files, in the place of all that there are."""
        rows = []
        for row in self.catalogue.segments():
            path = self._free()
            merge.merge(path, self._opened([row]), FULL_BITS, dropped=numbers)
            rows.append(self._row(path, row.position))
        return rows

    def publish(self, organisation: str, made_at: int) -> manifest.Manifest:
        """Put what is here in force for readers, now and as one."""
        is_small = sum(row.entries for row in self.catalogue.segments()) < merge.WORTH_ONE
        self.tidy(1 if is_small else merge.MOST_PUBLISHED)
        before = manifest.read(self.folder) if manifest.exists(self.folder) else None
        generation = before.generation + 1 if before else 1
        name = f"catalogue-{generation}.db"
        path = os.path.join(self.path, name)
        if os.path.exists(path):
            os.unlink(path)
        self.catalogue.write_snapshot(path)
        rows = self.catalogue.segments()
        told = manifest.Manifest(
            kind=FULL,
            organisation=organisation,
            generation=generation,
            key_id=self.keys.key_id,
            parameters=self.catalogue.fact("parameters"),
            canonicaliser=self.catalogue.fact("canonicaliser"),
            hash_bits=FULL_BITS,
            sample=1,
            store=self.name,
            segments=[
                manifest.Part(f"{self.name}/{row.name}", row.size, row.digest) for row in rows
            ],
            catalogue=manifest.part(self.folder, f"{self.name}/{name}"),
            files=self.catalogue.count_files(),
            postings=sum(row.entries for row in rows),
            made_at=made_at,
        )
        manifest.sync(self.path)
        manifest.replace(self.folder, told)
        self._remove_strangers(kept_before=before)
        return told

    def _pin(self) -> None:
        catalogue = self.catalogue
        if not catalogue.fact("key"):
            catalogue.set_fact("key", self.keys.key_id)
            catalogue.set_fact("parameters", self.making.parameters)
            catalogue.set_fact("canonicaliser", self.making.canonicaliser)
        elif catalogue.fact("key") != self.keys.key_id:
            catalogue.close()
            raise wrong_key(self.folder, catalogue.fact("key"))

    def _recover(self) -> None:
        """Remove what a killed process left half done; what the catalogue names must be there."""
        for row in self.catalogue.segments():
            path = os.path.join(self.path, row.name)
            if not os.path.exists(path) or os.path.getsize(path) != row.size:
                self.catalogue.close()
                raise damaged(path, "it is gone or cut short")
        before = manifest.read(self.folder) if manifest.exists(self.folder) else None
        self._remove_strangers(kept_before=before)

    def _remove_strangers(self, kept_before: manifest.Manifest | None = None) -> None:
        """Remove segments and snapshots that neither the catalogue nor a manifest names."""
        kept = {row.name for row in self.catalogue.segments()}
        for told in (
            kept_before,
            manifest.read(self.folder) if manifest.exists(self.folder) else None,
        ):
            for part in (*told.segments, told.catalogue) if told else ():
                kept.add(os.path.basename(part.name))
        for name in os.listdir(self.path):
            is_ours = name.endswith(_SUFFIX) or name.startswith("catalogue-")
            if is_ours and name not in kept:
                os.unlink(os.path.join(self.path, name))

    def _opened(self, rows: Sequence[SegmentRow]) -> list[Segment]:
        """The segments, the newest first."""
        return [Segment(os.path.join(self.path, row.name)) for row in reversed(rows)]

    def _row(self, path: str, position: int) -> SegmentRow:
        return SegmentRow(
            os.path.basename(path),
            position,
            len(Segment(path)),
            os.path.getsize(path),
            manifest.digest(path),
        )

    def _free(self) -> str:
        """A path that no segment had, also none of an older manifest."""
        number = int(self.catalogue.fact("segments") or "0") + 1
        self.catalogue.set_fact("segments", str(number))
        return os.path.join(self.path, f"{number:06}{_SUFFIX}")


def gathered(parts: Sequence[tuple[Hashes, int, Numbers]]) -> tuple[Hashes, Numbers, Numbers]:
    """Postings of several files, each with its number."""
    if not parts:
        nothing = np.empty(0, np.uint32)
        return np.empty(0, np.uint64), nothing, nothing
    return (
        np.concatenate([hashes for hashes, _, _ in parts]),
        np.concatenate([np.full(len(hashes), file, np.uint32) for hashes, file, _ in parts]),
        np.concatenate([lines for _, _, lines in parts]).astype(np.uint32),
    )
