"""``leakmon index stats | list | verify``: what an index holds and whether it is whole."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from monitor import config
from monitor.config import private_code
from monitor.errors import ConfigError, UsageError
from monitor.model.wording import count as counted
from monitor.private_code.index import keys as key_files
from monitor.private_code.index import manifest
from monitor.private_code.index.reader import SKETCH
from monitor.private_code.index.rows import Rows
from monitor.private_code.index.verify import verify as verified

if TYPE_CHECKING:
    import argparse

BAD = 1


def stats(call: argparse.Namespace) -> int:
    """Show what the index holds: sources, sizes, what was left out."""
    place = _place(call)
    told = manifest.read(place.folder)
    rows = Rows(os.path.join(place.folder, told.catalogue.name))
    reasons = rows.reasons()
    public = manifest.read_public(place.folder)
    parts = [*told.segments, told.catalogue, *([public.hashes] if public else [])]
    shown: dict[str, Any] = {
        "organisation": told.organisation,
        "kind": told.kind,
        "folder": place.folder,
        "key": place.key.reference if place.key is not None else f"file:{place.key_file}",
        "key_id": told.key_id,
        "generation": told.generation,
        "made_at": _when(told.made_at),
        "parameters": told.parameters,
        "canonicaliser": told.canonicaliser,
        "files": told.files,
        "fingerprints": told.postings,
        "segments": len(told.segments),
        "bytes": sum(part.bytes for part in parts),
        "public": _public_count(place.folder) if public else 0,
        "sources": [
            {
                **one,
                "updated_at": _when(one["updated_at"]),
                "left_out": reasons.get(one["name"], {}),
            }
            for one in rows.tally()
        ],
    }
    if call.json:
        print(json.dumps(shown, indent=2))
    else:
        _print(shown)
    return 0


def listing(call: argparse.Namespace) -> int:
    """List what is known, what was left out, or the files of a sketch's numbers."""
    place = _place(call)
    told = manifest.read(place.folder)
    if told.kind == SKETCH:
        raise UsageError("this index is a sketch: it knows no names; ask the host of the full one")
    rows = Rows(os.path.join(place.folder, told.catalogue.name))
    if call.blocks:
        return _list_blocks(call, place, told, rows)
    if call.skipped:
        left_out = rows.skipped(call.name)
        return _list(call, ("repository", "path", "reason"), left_out)
    known = [
        (name, path, "" if is_present else "deleted")
        for name, path, is_present, _ in rows.listing(call.name)
    ]
    return _list(call, ("repository", "path", "state"), known)


def verify(call: argparse.Namespace) -> int:
    """Check every byte; 1 if something is wrong."""
    place = _place(call)
    told = manifest.read(place.folder)
    found = list(verified(place.folder))
    try:
        private_code.opened(place, config.environment()).close()
    except ConfigError as error:
        if not found:
            raise
        del error
    if call.json:
        print(json.dumps([to_builtins(one) for one in found], indent=2))
    else:
        for path, what in found:
            print(f"{path}: {what}")
        if not found:
            print(
                f"in order: generation {told.generation}, {counted(told.files, 'file')}, "
                f"{told.postings:,} fingerprints"
            )
    return BAD if found else 0


def _list_blocks(
    call: argparse.Namespace, place: private_code.Place, told: manifest.Manifest, rows: Rows
) -> int:
    ring = key_files.parse(place.text(config.environment()), place.source)
    (keys,) = [one for one in ring if one.key_id == told.key_id][:1] or ring[:1]
    found = []
    for block in call.blocks:
        if not 0 <= block < 1 << 32:
            raise UsageError(f"--block {block}: no number of a sketch")
        places = rows.places(keys.unblock(block))
        if not places:
            raise UsageError(f"--block {block}: no file of this index has it")
        found += [(one.repository, one.path, str(block)) for one in places]
    return _list(call, ("repository", "path", "block"), found)


def _list(
    call: argparse.Namespace, names: tuple[str, str, str], rows: list[tuple[str, str, str]]
) -> int:
    if call.json:
        print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
    else:
        for repository, path, word in rows:
            print(f"{repository}\t{_plain(path)}" + (f"\t{word}" if word else ""))
    return 0


def _print(shown: dict[str, Any]) -> None:
    kind = "sketch" if shown["kind"] == SKETCH else "index"
    print(f"{shown['organisation']}: {kind}, generation {shown['generation']}, {shown['made_at']}")
    size = f"{shown['bytes'] / 1e6:,.1f} MB in {shown['folder']}"
    prints = counted(shown["fingerprints"], "fingerprint")
    print(f"  {counted(shown['files'], 'file')}, {prints}, {size}")
    print(f"  key        {shown['key']} ({shown['key_id']})")
    print(f"  made as    {shown['parameters']} {shown['canonicaliser']}".rstrip())
    print(f"  public     {shown['public']:,} fingerprints known to be everybody's")
    for one in shown["sources"]:
        history = ", with history" if one["history"] else ""
        deleted = f", {one['deleted']:,} deleted" if one["deleted"] else ""
        print(
            f"  {one['name']}: {counted(one['files'], 'file')}, "
            f"{counted(one['lines'], 'line')}{deleted}{history}, "
            f"read {one['updated_at'] or 'never to the end'}"
        )
        if one["left_out"]:
            words = (f"{count:,} {reason}" for reason, count in one["left_out"].items())
            print(f"    left out: {', '.join(words)}")


def _public_count(folder: str) -> int:
    import numpy as np

    told = manifest.read_public(folder)
    assert told is not None
    return len(np.load(os.path.join(folder, told.hashes.name), mmap_mode="r"))


def _place(call: argparse.Namespace) -> private_code.Place:
    return private_code.place(config.load(call.config), config.environment(), call.organisation)


def _when(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}" if seconds else ""


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)
