"""A sketch: what it still tells its host, and what it tells nobody."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from monitor.errors import ConfigError, UsageError
from monitor.private_code.index import sketch
from monitor.private_code.index.keys import PrintKey
from monitor.private_code.index.public import Package, PublicPrints
from monitor.private_code.index.reader import OpenIndex
from monitor.private_code.index.verify import verify
from tests.private_code.keeping import (
    KEYS,
    NOW,
    OTHER_KEYS,
    build,
    builder,
    code,
    commit,
    hashes,
    matched,
    opened,
    prints_of,
    source,
)

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [f"part{number:02}" for number in range(12)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    commit(tmp_path / "app", {f"src/{name}.py": code(name, 20) for name in NAMES})
    build(tmp_path / "index", source(tmp_path / "app"))
    return tmp_path / "index"


def taken(folder: Path, path: Path) -> OpenIndex:
    """The sketch of an index on another host."""
    sketch.export(opened(folder), KEYS, str(path))
    there = path.with_name("there")
    sketch.take(str(path), str(there), KEYS.prints, NOW)
    return OpenIndex(str(there), lambda _kind: KEYS.prints)


def test_a_quarter_is_enough_to_say_which_file(folder: Path, tmp_path: Path) -> None:
    there, full = taken(folder, tmp_path / "s"), opened(folder)
    assert there.is_sketch
    assert there.organisation == "acme"
    shares = []
    for name in NAMES:
        asked = hashes(code(name, 20))
        hits = there.lookup(asked)
        blocks = Counter(hits.files.tolist())
        [(block, evidence)] = blocks.most_common(1)
        assert evidence >= 2
        assert full.file(KEYS.unblock(block)).path == f"src/{name}.py"
        assert set(hits.lines.tolist()) == {0}
        shares.append(evidence / len(asked))
        sample = there.file(block)
        assert (sample.repository, sample.path, sample.commit) == ("", "", "")
    assert 0.15 < sum(shares) / len(shares) < 0.35
    assert len(there.lookup(hashes(code("stranger", 20))).query) == 0
    assert there.by_digest(b"d" * 16) == []
    assert there.by_suffixes(["src/part00.py"]) == {}
    assert verify(there.folder) == []


def test_nothing_in_a_sketch_has_a_name(folder: Path, tmp_path: Path) -> None:
    taken(folder, tmp_path / "s")
    everything = (tmp_path / "s").read_bytes() + b"".join(
        path.read_bytes() for path in (tmp_path / "there").rglob("*") if path.is_file()
    )
    full = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for word in (b"part00", b"src/", b"app", b"python", KEYS.key_id.encode()):
        assert word in full
        assert word not in everything, word
    assert KEYS.prints.secret not in everything


def test_a_sketch_keeps_no_more_bits_than_it_says(folder: Path, tmp_path: Path) -> None:
    there, full = taken(folder, tmp_path / "s"), opened(folder)
    kept = np.unique(there.segments[0].read(0, 1 << 64)[0])
    whole = np.unique(full.segments[0].read(0, 1 << 64)[0])
    assert not (kept & np.uint64((1 << 24) - 1)).any()
    assert 0.15 * len(whole) < len(kept) < 0.35 * len(whole)


def test_what_is_public_stays_out(folder: Path, tmp_path: Path) -> None:
    index = opened(folder)
    (prints,) = prints_of([("x.py", code(NAMES[0], 20).encode())])
    assert prints is not None
    with PublicPrints(index) as public:
        for name in ("a", "b"):
            public.learn(Package(name=f"npm:{name}", publishers=frozenset({name})), [prints])
        public.publish()
    there = taken(folder, tmp_path / "s")
    assert len(there.lookup(hashes(code(NAMES[0], 20))).query) == 0
    assert len(there.lookup(hashes(code(NAMES[1], 20))).query) > 0


def test_a_newer_sketch_takes_the_place_of_an_older_one(folder: Path, tmp_path: Path) -> None:
    there = taken(folder, tmp_path / "one")
    commit(tmp_path / "app", {"src/new.py": code("fresh", 20)})
    build(folder)
    sketch.export(opened(folder), KEYS, str(tmp_path / "two"))
    sketch.take(str(tmp_path / "two"), there.folder, KEYS.prints, NOW)
    assert len(there.lookup(hashes(code("fresh", 20))).query) == 0
    assert there.refresh()
    assert len(there.lookup(hashes(code("fresh", 20))).query) > 1


def test_the_owner_of_the_full_index_may_ask_a_sketch_with_its_ring(
    folder: Path, tmp_path: Path
) -> None:
    there = taken(folder, tmp_path / "s")
    again = OpenIndex(there.folder, lambda _kind: (OTHER_KEYS, KEYS))
    assert len(again.lookup(hashes(code(NAMES[0], 20))).query) > 1


def test_what_cannot_be_exported_or_taken(folder: Path, tmp_path: Path) -> None:
    there = taken(folder, tmp_path / "s")
    with pytest.raises(UsageError, match="is a sketch"):
        sketch.export(there, KEYS, str(tmp_path / "t"))
    with pytest.raises(UsageError, match="exists already"):
        sketch.export(opened(folder), KEYS, str(tmp_path / "s"))
    with pytest.raises(UsageError, match="holds a full index"):
        sketch.take(str(tmp_path / "s"), str(folder), KEYS.prints, NOW)
    with pytest.raises(ConfigError, match=KEYS.prints.key_id):
        sketch.take(str(tmp_path / "s"), str(tmp_path / "x"), PrintKey(b"x" * 32), NOW)
    with pytest.raises(ConfigError, match=KEYS.prints.key_id):
        OpenIndex(there.folder, lambda _kind: PrintKey(b"x" * 32))
    with pytest.raises(UsageError, match="holds a sketch"), builder(tmp_path / "there"):
        pass
    with pytest.raises(UsageError, match="No such file"):
        sketch.read_header(str(tmp_path / "none"))
    assert matched(opened(folder), code(NAMES[0], 20))


@pytest.mark.parametrize("at", [0, 30, 4096 + 20, -1])
def test_a_damaged_sketch_is_refused(at: int, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "s"
    sketch.export(opened(folder), KEYS, str(path))
    content = bytearray(path.read_bytes())
    content[at] ^= 0x80
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        sketch.take(str(path), str(tmp_path / "there"), KEYS.prints, NOW)
    assert not (tmp_path / "there" / "manifest.json").exists()
    path.write_bytes(content[:-5])
    with pytest.raises(ConfigError):
        sketch.take(str(path), str(tmp_path / "there"), KEYS.prints, NOW)
