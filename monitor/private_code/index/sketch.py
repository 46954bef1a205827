"""A sketch: what of an index may stand on a host that should not hold it.

One in four fingerprints, cut to 40 bits, each with its file's number made opaque; no name, path,
line, time, digest or suffix. A file is a header page and a segment. Its key is the index's key for
prints, which opens no index.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import Struct

from monitor.errors import UsageError
from monitor.private_code.index import manifest
from monitor.private_code.index.faults import damaged, other_format, wrong_key
from monitor.private_code.index.layout import cut
from monitor.private_code.index.merge import ordered, ranges
from monitor.private_code.index.reader import SKETCH, is_sampled
from monitor.private_code.index.schema import write_empty
from monitor.private_code.index.segment import Segment, SegmentWriter

if TYPE_CHECKING:
    from monitor.private_code.index.keys import Keys, PrintKey
    from monitor.private_code.index.reader import OpenIndex
    from monitor.private_code.prints import Numbers

FORMAT = "leakmon/index-sketch/1"
BITS = 40
SAMPLE = 4
_HEADER_BYTES = 4096


class Header(Struct, frozen=True, kw_only=True):
    """What the first page of a sketch says: no more than is needed to ask it."""

    format: str
    organisation: str
    generation: int
    key_id: str
    parameters: str
    canonicaliser: str
    files: int
    postings: int
    segment: manifest.Part


def export(index: OpenIndex, keys: Keys, path: str) -> Header:
    """Write a sketch of an open index to a new file. Public prints are left out.

    Raises UsageError if the file exists or the index is a sketch itself.
    """
    if index.is_sketch:
        raise UsageError("this index is a sketch: export from the full one")
    if os.path.lexists(path):
        raise UsageError(f"{path}: exists already: name a new file")
    part = f"{path}.part"
    try:
        postings, files = _write_segment(index, keys, part)
        told = index.told
        header = Header(
            format=FORMAT,
            organisation=told.organisation,
            generation=told.generation,
            key_id=keys.prints.key_id,
            parameters=told.parameters,
            canonicaliser=told.canonicaliser,
            files=files,
            postings=postings,
            segment=manifest.Part("segment", os.path.getsize(part), manifest.digest(part)),
        )
        _join(path, header, part)
    finally:
        if os.path.exists(part):
            os.unlink(part)
    return header


def read_header(path: str) -> Header:
    """The header of a sketch. Raises ConfigError, UsageError if there is no such file."""
    try:
        with open(path, "rb") as stream:
            text = stream.read(_HEADER_BYTES).rstrip(b"\0")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    try:
        header = msgspec.json.decode(text, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise damaged(path, "no sketch") from None
    if header.format != FORMAT:
        raise other_format(path, header.format[:40])
    if os.path.getsize(path) != _HEADER_BYTES + header.segment.bytes:
        raise damaged(path, "it is cut short")
    return header


def take(path: str, folder: str, key: PrintKey, made_at: int) -> manifest.Manifest:
    """Put a sketch in force in an index's folder. Raises ConfigError, UsageError."""
    header = read_header(path)
    if header.key_id != key.key_id:
        raise wrong_key(path, header.key_id)
    with manifest.locked(folder):
        before = manifest.read(folder) if manifest.exists(folder) else None
        if before is not None and before.kind != SKETCH:
            raise UsageError(f"{folder} holds a full index, which knows more than a sketch")
        generation = before.generation + 1 if before else 1
        store = f"store-{generation}"
        os.makedirs(os.path.join(folder, store), mode=0o700, exist_ok=True)
        segment = f"{store}/000001.segment"
        _split(path, header, os.path.join(folder, segment))
        catalogue = f"{store}/catalogue.db"
        write_empty(os.path.join(folder, catalogue))
        told = manifest.Manifest(
            kind=SKETCH,
            organisation=header.organisation,
            generation=generation,
            key_id=header.key_id,
            parameters=header.parameters,
            canonicaliser=header.canonicaliser,
            hash_bits=BITS,
            sample=SAMPLE,
            store=store,
            segments=[manifest.Part(segment, header.segment.bytes, header.segment.digest)],
            catalogue=manifest.part(folder, catalogue),
            files=header.files,
            postings=header.postings,
            made_at=made_at,
        )
        manifest.sync(os.path.join(folder, store))
        manifest.replace(folder, told)
        if before is not None:
            shutil.rmtree(os.path.join(folder, before.store), ignore_errors=True)
    return told


def _write_segment(index: OpenIndex, keys: Keys, path: str) -> tuple[int, int]:
    """The sampled postings as a segment; gives how many, and of how many files."""
    segments = index.segments[::-1]
    blocks = _Blocks(keys)
    total = sum(map(len, segments))
    writer = SegmentWriter(path, total // 2 + 1000, BITS)
    try:
        for low, high in ranges(total):
            parts = [segment.read(low, high) for segment in segments]
            hashes, files, _ = (np.concatenate(column) for column in zip(*parts, strict=True))
            is_kept = is_sampled(hashes, SAMPLE) & ~index.is_public(hashes)
            numbers = blocks.of(files[is_kept])
            kept = cut(hashes[is_kept], BITS)
            writer.append(*ordered(kept, numbers, np.zeros(len(kept), np.uint32)))
        return writer.finish(), len(blocks)
    except BaseException:
        writer.abandon()
        raise


class _Blocks:
    """Opaque numbers of files, each made once."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._known = np.zeros(0, np.uint32)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._known))

    def of(self, files: Numbers) -> Numbers:
        """The opaque number of each file."""
        wanted = np.unique(files)
        if len(wanted) and int(wanted[-1]) >= len(self._known):
            self._known = np.append(
                self._known, np.zeros(int(wanted[-1]) + 1 - len(self._known), np.uint32)
            )
        for number in wanted[self._known[wanted] == 0].tolist():
            self._known[number] = self._keys.block(number)
        return self._known[files]


def _join(path: str, header: Header, segment: str) -> None:
    number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(number, "wb") as out, open(segment, "rb") as stream:
        out.write(msgspec.json.encode(header).ljust(_HEADER_BYTES, b"\0"))
        shutil.copyfileobj(stream, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())


def _split(path: str, header: Header, segment: str) -> None:
    """The segment of a sketch in a file of its own, checked."""
    with open(path, "rb") as stream, open(segment, "wb") as out:
        stream.seek(_HEADER_BYTES)
        shutil.copyfileobj(stream, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())
    if manifest.digest(segment) != header.segment.digest:
        os.unlink(segment)
        raise damaged(path, "its digest")
    if Segment(segment).layout.hash_bits != BITS:
        os.unlink(segment)
        raise damaged(path, "its segment is of another kind")
