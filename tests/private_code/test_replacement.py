"""An index is replaced while readers of this and of other processes have it open."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import structs

from monitor.errors import ConfigError, LeakmonError, NotFoundError
from monitor.private_code.index import manifest, merge
from monitor.private_code.index import segment as segments
from monitor.private_code.index.layout import cut, mask
from monitor.private_code.index.segment import Segment
from monitor.private_code.prints import Channel
from tests.private_code.keeping import (
    KEYS,
    MAKING,
    OTHER_KEYS,
    Quiet,
    build,
    builder,
    code,
    commit,
    matched,
    opened,
    opener,
    prints_of,
    source,
)

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from monitor.private_code.index.catalogue import Source
    from monitor.private_code.index.folder import Folder
    from monitor.private_code.index.reader import OpenIndex
    from monitor.private_code.index.repository import Repository


def test_a_reader_answers_while_segments_are_merged_away_under_it(tmp_path: Path) -> None:
    app, folder = tmp_path / "app", tmp_path / "index"
    commit(app, {"start.py": code("start")})
    build(folder, source(app))
    old = opened(folder)
    for number in range(2 * merge.MOST_SEGMENTS):
        commit(app, {f"a{number}.py": code(f"alpha{number}")})
        build(folder)
        assert matched(old, code("start")) == {"app:start.py": 1.0}
    assert matched(old, code("alpha0")) == {}
    gone = [path for path in (one.path for one in old.segments) if not Path(path).exists()]
    assert gone
    assert old.refresh()
    assert len(old.segments) <= merge.MOST_PUBLISHED
    for number in range(2 * merge.MOST_SEGMENTS):
        assert matched(old, code(f"alpha{number}")) == {f"app:a{number}.py": 1.0}
    stored = sum(path.suffix == ".segment" for path in (folder / "store-1").iterdir())
    assert stored <= 2 * merge.MOST_SEGMENTS


def _answers(index: OpenIndex, asked: Connection) -> None:
    """In a forked process: answer, be told that there is news, answer again."""
    asked.send(matched(index, code("start")))
    asked.recv()
    asked.send(index.refresh())
    asked.send(matched(index, code("later")))


def test_a_forked_process_shares_an_index_and_takes_up_the_next(tmp_path: Path) -> None:
    app, folder = tmp_path / "app", tmp_path / "index"
    commit(app, {"start.py": code("start")})
    build(folder, source(app))
    index = opened(folder)
    assert matched(index, code("start"))  # the parent's own connection is open now
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_answers, args=(index, theirs))
    child.start()
    assert ours.recv() == {"app:start.py": 1.0}
    commit(app, {"later.py": code("later")})
    build(folder)
    ours.send("go")
    assert ours.recv() is True
    assert ours.recv() == {"app:later.py": 1.0}
    child.join()
    assert child.exitcode == 0
    assert matched(index, code("later")) == {}


@pytest.mark.parametrize(("worth_one", "segments"), [(0, 2), (merge.WORTH_ONE, 1)])
def test_the_newest_line_of_a_print_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worth_one: int, segments: int
) -> None:
    monkeypatch.setattr(merge, "WORTH_ONE", worth_one)
    app, folder = tmp_path / "app", tmp_path / "index"
    commit(app, {"a.py": code("alpha")})
    build(folder, source(app))
    commit(app, {"a.py": "# moved\n" * 50 + code("alpha")})
    build(folder)
    index = opened(folder)
    (prints,) = prints_of([("a.py", code("alpha").encode())])
    assert prints is not None
    hits = index.lookup(prints.channels[Channel.TOKENS].hashes)
    assert len(index.segments) == segments
    assert int(np.asarray(hits.lines).min()) > 50
    assert len({(q, f) for q, f in zip(hits.query.tolist(), hits.files.tolist(), strict=True)}) == (
        len(hits.query)
    )


def test_an_index_is_made_anew_with_another_key(tmp_path: Path) -> None:
    app, folder = tmp_path / "app", tmp_path / "index"
    commit(app, {"a.py": code("alpha")})
    build(folder, source(app))
    old = opened(folder, OTHER_KEYS, KEYS)
    with builder(folder, keys=(OTHER_KEYS, KEYS)) as made:
        assert not made.is_current
        (told,) = made.remake(opener, Quiet())
        assert told.error is None
    assert matched(old, code("alpha")) == {"app:a.py": 1.0}
    assert manifest.read(str(folder)).key_id == OTHER_KEYS.key_id
    assert old.refresh()
    assert matched(old, code("alpha")) == {"app:a.py": 1.0}
    with pytest.raises(ConfigError, match=OTHER_KEYS.key_id):
        opened(folder, KEYS)
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["store-2"]


def test_a_source_that_is_gone_keeps_the_old_index_in_force(tmp_path: Path) -> None:
    one, two, folder = tmp_path / "one", tmp_path / "two", tmp_path / "index"
    commit(one, {"a.py": code("alpha")})
    commit(two, {"b.py": code("beta")})
    build(folder, source(one), source(two))

    def failing(wanted: Source) -> Repository | Folder:
        if wanted.name == "two":
            raise NotFoundError("two: there is no such folder any more")
        return opener(wanted)

    ring = (OTHER_KEYS, KEYS)
    with builder(folder, keys=ring) as made:
        errors = [told.error for told in made.remake(failing, Quiet())]
    assert [isinstance(error, LeakmonError) for error in errors] == [False, True]
    assert matched(opened(folder, *ring), code("beta")) == {"two:b.py": 1.0}
    assert manifest.read(str(folder)).key_id == KEYS.key_id
    progress = Quiet()
    with builder(folder, keys=ring) as made:
        assert all(told.error is None for told in made.remake(opener, progress))
    assert progress.paths == ["b.py"]
    assert matched(opened(folder, *ring), code("alpha")) == {"one:a.py": 1.0}
    assert manifest.read(str(folder)).key_id == OTHER_KEYS.key_id


def test_other_parameters_ask_for_a_new_index(tmp_path: Path) -> None:
    app, folder = tmp_path / "app", tmp_path / "index"
    commit(app, {"a.py": code("alpha")})
    build(folder, source(app))
    making = structs.replace(MAKING, parameters="leakmon-prints/next")
    with builder(folder, making=making) as made:
        assert not made.is_current
        list(made.remake(opener, Quiet()))
    assert manifest.read(str(folder)).parameters == "leakmon-prints/next"
    assert matched(opened(folder), code("alpha")) == {"app:a.py": 1.0}


def test_a_large_segment_gives_back_the_pages_that_it_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    keyed = rng.integers(0, 1 << 63, 300_000, np.uint64) << np.uint64(1)
    numbers = np.ones(len(keyed), np.uint32)
    path = str(tmp_path / "segment")
    merge.write(path, (keyed, numbers, numbers), 54)
    whole = Segment(path)
    monkeypatch.setattr(segments, "_GIVE_BACK_FROM", 0)
    monkeypatch.setattr(segments, "_STRETCH_BYTES", 1 << 18)
    sliced = Segment(path)
    asked = cut(keyed[:5000], 54)
    for left, right in zip(
        whole.find(asked, mask(asked)), sliced.find(asked, mask(asked)), strict=True
    ):
        assert np.array_equal(left, right)
