"""Inflates archives and, with ``--database``, scans them once: the program that ``floor`` measures.

Hits are counted and thrown away. Nothing is confirmed, decoded or opened a second time (archives in
archives, sources of maps).
"""

from __future__ import annotations

import argparse
import mmap
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hyperscan
from isal import igzip_lib

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PIECE_IN, _PIECE_OUT = 256 << 10, 1 << 20  # as the product takes and gives them
_LOCAL_HEADER = 30
_LENGTHS = 26  # where a local header tells the lengths of the name and the extra field


def unpacked(archive: Path) -> Iterator[bytes | memoryview]:
    """The content of a ``.tgz`` in pieces, of a zip member by member."""
    with archive.open("rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    if zipfile.is_zipfile(archive):
        yield from _members(archive, view)
    else:
        yield from _inflated(view, igzip_lib.DECOMP_GZIP)


def _members(archive: Path, view: memoryview) -> Iterator[bytes | memoryview]:
    with zipfile.ZipFile(archive) as listing:
        members = listing.infolist()
    for member in members:
        lengths = view[member.header_offset + _LENGTHS : member.header_offset + _LOCAL_HEADER]
        beside = int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        start = member.header_offset + _LOCAL_HEADER + beside
        packed = view[start : start + member.compress_size]
        if member.compress_type == zipfile.ZIP_STORED:
            yield packed
        else:
            yield from _inflated(packed, igzip_lib.DECOMP_DEFLATE)


def _inflated(packed: memoryview, form: int) -> Iterator[bytes]:
    decoder = igzip_lib.IgzipDecompressor(form)
    at = 0
    while not decoder.eof:
        piece = packed[at : at + _PIECE_IN] if decoder.needs_input else b""
        at += len(piece)
        out = decoder.decompress(piece, _PIECE_OUT)
        if not out and not piece:
            sys.exit("an archive of the corpus is damaged; remove it and run this again")
        yield out


def least(archives: Sequence[Path], database: Path | None) -> tuple[int, int]:
    """Bytes that were inflated, and the database's hits in them; no database, no pass."""
    size = hits = 0

    def on_hit(*_: object) -> None:
        nonlocal hits
        hits += 1

    scan: Any = None
    scratch = None
    if database is not None:
        loaded = hyperscan.loadb(database.read_bytes(), hyperscan.HS_MODE_BLOCK)
        scratch = hyperscan.Scratch(loaded)
        scan = loaded.scan
    for archive in archives:
        for piece in unpacked(archive):
            size += len(piece)
            if scan is not None:
                scan(piece, on_hit, scratch=scratch)
    return size, hits


def main() -> None:
    """Do it, and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", type=Path)
    parser.add_argument("--jobs", help="taken as a scanner takes it; it is one process")
    parser.add_argument("archives", nargs="+", type=Path)
    options = parser.parse_args()
    size, hits = least(options.archives, options.database)
    print(f"{size / 2**20:,.0f} MiB inflated, {hits:,} hits")


if __name__ == "__main__":
    main()
