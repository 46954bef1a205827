"""Checks an index from end to end: every file's bytes, order and names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from monitor.errors import ConfigError
from monitor.private_code.index import manifest
from monitor.private_code.index.layout import mask
from monitor.private_code.index.merge import ranges
from monitor.private_code.index.reader import SKETCH
from monitor.private_code.index.rows import Rows
from monitor.private_code.index.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SHARE = 97  # of so many postings one is looked up


class Problem(NamedTuple):
    """A file of an index and what is wrong with it."""

    path: str
    what: str


def verify(folder: str, advance: Callable[[int], None] = lambda _postings: None) -> list[Problem]:
    """Everything that is wrong with the index in force; ConfigError if there is none."""
    told = manifest.read(folder)
    found = [*_parts(folder, told)]
    if found:
        return found  # what follows reads these files
    rows = Rows(os.path.join(folder, told.catalogue.name))
    try:
        if complaint := rows.check():
            return [Problem(rows.path, complaint)]
        known = None
        if told.kind != SKETCH:
            known = np.array([number for number, _ in rows.numbers()], np.uint32)
    except ConfigError as error:
        return [Problem(rows.path, str(error))]
    finally:
        rows.close()
    postings = 0
    for part in told.segments:
        segment = Segment(os.path.join(folder, part.name))
        postings += len(segment)
        found += _segment(segment, known, advance)
    if postings != told.postings:
        found.append(Problem(os.path.join(folder, manifest.NAME), "the number of postings"))
    return found


def _parts(folder: str, told: manifest.Manifest) -> Iterator[Problem]:
    parts = [*told.segments, told.catalogue]
    try:
        public = manifest.read_public(folder)
    except ConfigError as error:
        yield Problem(os.path.join(folder, manifest.PUBLIC_NAME), str(error))
        public = None
    if public is not None:
        parts.append(public.hashes)
    for part in parts:
        path = os.path.join(folder, part.name)
        if not os.path.exists(path):
            yield Problem(path, "it is gone")
        elif os.path.getsize(path) != part.bytes:
            yield Problem(path, f"{os.path.getsize(path)} bytes instead of {part.bytes}")
        elif manifest.digest(path) != part.digest:
            yield Problem(path, "its digest is not the one that was written down")


def _segment(
    segment: Segment, known: np.ndarray[tuple[int], np.dtype[np.uint32]] | None,
    advance: Callable[[int], None],
) -> Iterator[Problem]:  # fmt: skip
    """What a segment's digest cannot tell: whether it was right when it was written."""
    count = 0
    for low, high in ranges(len(segment)):
        try:
            hashes, files, _ = segment.read(low, high)
        except ConfigError as error:
            yield Problem(segment.path, str(error))
            return
        advance(len(hashes))
        count += len(hashes)
        if (hashes[1:] < hashes[:-1]).any():
            yield Problem(segment.path, "its order")
            return
        if known is not None and not np.isin(files, known).all():
            yield Problem(segment.path, "it names files that the catalogue does not have")
            return
        asked = hashes[::_SHARE]
        if len(np.unique(segment.find(asked, mask(asked))[0])) != len(asked):
            yield Problem(segment.path, "its filter or table does not know its own postings")
            return
    if count != len(segment):
        yield Problem(segment.path, "its table does not cover all postings")
