"""``leakmon index export | import``: a sketch for a host that should not hold the index."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from monitor import config
from monitor.config import private_code
from monitor.errors import UsageError
from monitor.private_code.index import keys as key_files
from monitor.private_code.index import sketch

if TYPE_CHECKING:
    import argparse


def export(call: argparse.Namespace) -> int:
    """Write a sketch and the key that its host needs, as two files."""
    environ = config.environment()
    place = private_code.place(config.load(call.config), environ, call.organisation)
    index = private_code.opened(place, environ)
    ring = key_files.parse(place.text(environ), place.source)
    keys = next((one for one in ring if one.key_id == index.told.key_id), ring[0])
    header = sketch.export(index, keys, call.file)
    key_file = f"{call.file}.key"
    if not key_files.write(key_file, [keys.prints.secret.hex()], is_new=True):
        key_files.write(key_file, [keys.prints.secret.hex()], is_new=False)
    print(f"{call.file}: {header.postings:,} fingerprints of {header.files:,} files, without names")
    print(f"{key_file}: its key; bring both to the other host and run leakmon index import")
    return 0


def import_(call: argparse.Namespace) -> int:
    """Put a sketch in force on this host."""
    environ = config.environment()
    settings = config.load(call.config)
    header = sketch.read_header(call.file)
    names = [one.name for one in settings.organisations]
    organisation = call.organisation or (header.organisation if not names else "")
    if header.organisation in names:
        organisation = organisation or header.organisation
    place = private_code.place(settings, environ, organisation if names else "")
    source = call.key or f"{call.file}.key"
    text = key_files.read(source) if place.key is None else place.text(environ)
    if text is None:
        raise UsageError(f"{source}: there is no such key file: name it with --key")
    key = key_files.parse_print_key(text, source if place.key is None else place.source)
    told = sketch.take(call.file, place.folder, key, int(time.time()))
    if place.key is None:
        key_files.write(place.key_file, [key.secret.hex()], is_new=False)
    print(
        f"{told.organisation}: sketch of generation {header.generation}, {told.postings:,} "
        f"fingerprints of {told.files:,} files, in {place.folder}"
    )
    return 0
