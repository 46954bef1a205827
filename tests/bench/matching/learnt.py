"""An index on disk of all that is taken as private, with what everybody has learnt from a list.

It is the product's own: made by ``leakmon index add``, taught through ``PublicPrints``, asked by
``PrivateCode`` with the gate in front. Kept in the cache of the benchmarks for the next run.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from monitor import archive
from monitor.archive.budget import Budget, Limits
from monitor.private_code.fingerprint import fingerprints
from monitor.private_code.gate import Gate
from monitor.private_code.index.keys import parse
from monitor.private_code.index.public import Package, PublicPrints
from monitor.private_code.index.reader import OpenIndex
from monitor.private_code.index.word_index import WordIndex
from monitor.private_code.prints import FORMAT, Text
from monitor.private_code.taking import MAX_SCRIPT_BYTES, Taker, Wish
from monitor.private_code.words import with_words
from tests.bench.matching import material

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitor.private_code.taking import Taken

LEAKMON = (sys.executable, "-m", "monitor")


def home(*, has_learnt: bool) -> Path:
    """A folder with ``leakmon.toml`` and an index, made where the cache has none."""
    pinned = [(material.HERE / name).read_bytes() for name in ("private.txt", "background.txt")]
    digest = hashlib.sha256(b"\0".join([FORMAT.encode(), *pinned])).hexdigest()[:12]
    folder = material.CACHE / f"index-{digest}{'-learnt' if has_learnt else ''}"
    if (folder / "done").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _index(folder)
    if has_learnt:
        _learn(folder)
    (folder / "done").touch()
    return folder


def opened(folder: Path) -> OpenIndex:
    """The index in such a folder."""
    key = (folder / "index" / "acme.key").read_text("ascii")
    return OpenIndex(str(folder / "index" / "acme"), lambda _kind: parse(key, "acme.key"))


def gate(index: OpenIndex) -> Gate:
    """The gate as the sandbox has it."""
    assert index.words_key is not None
    told = index.told
    return Gate([WordIndex(index.folder, index.words_key, told.key_id, told.parameters)])


def taken(path: Path, gate: Gate | None) -> tuple[Taken, int]:
    """What a scan takes of an archive, and how many bytes it has."""
    taker, size = Taker(Wish(max_script_bytes=MAX_SCRIPT_BYTES), gate), 0
    for member in _members(path):
        taker.take(member)
        size += len(member.data)
    return taker.finish(), size


def _members(path: Path) -> Iterator[archive.Member]:
    budget = Budget(Limits(), lambda: 0.0)
    yield from archive.walk(path.name, path.read_bytes(), budget, archive.Trail())


def _index(folder: Path) -> None:
    config = folder / "leakmon.toml"
    config.write_text(
        f'[private_code]\nfolder = "{folder}/index"\nesbuild = "{material.esbuild()}"\n'
        '[[organisations]]\nname = "acme"\n',
        "utf-8",
    )
    folders: list[Path] = []
    for source in material.private():
        copy = folder / "private" / source.project / source.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.content)
        folders.append(folder / "private" / source.project)
    names = list(map(str, dict.fromkeys(folders)))
    subprocess.run(
        [*LEAKMON, "index", "add", *names, "--config", config],
        check=True, env=material.environment(folder), stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _learn(folder: Path) -> None:
    """By the rule of the product: what two publishers have who are not the same is public."""
    with PublicPrints(opened(folder)) as public:
        for path, row in material.archives("background.txt"):
            texts = [Text(one.path, bytes(one.data)) for one in _members(path) if one.data]
            prints = [one for one in with_words(texts, fingerprints(texts)) if one is not None]
            name = f"{'npm' if row[0] == 'npm' else 'pypi'}:{row[1]}"
            public.learn(Package(name=name, publishers=frozenset({row[3]})), prints)
        tally = public.publish()
    print(f"learnt from {tally.packages} packages: {tally.public} public prints", file=sys.stderr)
