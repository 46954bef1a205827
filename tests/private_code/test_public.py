"""What everybody has is not reported; what only looks so still is."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from monitor.private_code.index import public as public_module
from monitor.private_code.index.public import Package, PublicPrints
from tests.private_code.keeping import (
    KEYS,
    NOW,
    OTHER_KEYS,
    Quiet,
    build,
    builder,
    code,
    commit,
    git,
    hashes,
    matched,
    opened,
    opener,
    prints_of,
    source,
)

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from monitor.private_code.index.reader import OpenIndex
    from monitor.private_code.prints import FilePrints


def prints(seed: str) -> list[FilePrints]:
    (found,) = prints_of([("x.py", code(seed).encode())])
    assert found is not None
    return [found]


def package(name: str, *publishers: str, at: int = 0) -> Package:
    published_at = datetime.fromtimestamp(at, UTC) if at else None
    return Package(name=name, publishers=frozenset(publishers), published_at=published_at)


@pytest.fixture
def index(tmp_path: Path) -> OpenIndex:
    commit(tmp_path / "app", {"a.py": code("alpha"), "b.py": code("beta")}, at=NOW)
    build(tmp_path / "index", source(tmp_path / "app"))
    return opened(tmp_path / "index")


def learn(index: OpenIndex, *packages: Package, seed: str = "alpha") -> None:
    with PublicPrints(index) as public:
        for one in packages:
            public.learn(one, prints(seed))
        public.publish()
    index.refresh()


CASES = [
    ([package("npm:x", "x", at=NOW - 1)], True, "published before our first commit"),
    ([package("npm:x", "x", at=NOW)], False, "not before"),
    ([package("npm:x", "x")], False, "no one knows when"),
    ([package("npm:x", "x", at=NOW + 9), package("npm:y", "y", at=NOW + 9)], True, "unrelated"),
    ([package("npm:x", "x", "z"), package("npm:y", "y", "z")], False, "one person of both"),
    ([package("npm:x", "x"), package("npm:x", "y")], False, "one package that was handed over"),
    ([package("npm:x", "x"), package("npm:y")], False, "nobody knows by whom"),
    (
        [package("npm:x", "x"), package("npm:y", "x", "y"), package("npm:z", "y")],
        True,
        "two of three are unrelated",
    ),
]


@pytest.mark.parametrize(("packages", "is_public", "why"), CASES, ids=[case[2] for case in CASES])
def test_the_rule(*, packages: list[Package], is_public: bool, why: str, index: OpenIndex) -> None:
    assert why
    learn(index, *packages)
    asked = hashes(code("alpha"))
    assert (len(index.lookup(asked).query) == 0) is is_public
    assert bool(index.public(asked).all()) is is_public
    assert matched(index, code("beta")) == {"app:b.py": 1.0}
    assert not index.public(hashes(code("beta"))).any()
    assert not index.public(hashes(code("stranger"))).any()


def test_a_file_that_is_older_than_the_package_keeps_its_prints_private(tmp_path: Path) -> None:
    """Ours since long ago, copied to a new file after it had leaked."""
    app = tmp_path / "app"
    commit(app, {"old.py": code("alpha")}, at=NOW - 1000)
    commit(app, {"new.py": code("alpha") + code("more")}, at=NOW)
    build(tmp_path / "index", source(app))
    index = opened(tmp_path / "index")
    learn(index, package("npm:x", "x", at=NOW - 500))
    assert matched(index, code("alpha"))["app:old.py"] > 0.9


def test_a_file_whose_beginning_is_unknown_keeps_its_prints_private(tmp_path: Path) -> None:
    commit(tmp_path / "app", {"a.py": code("alpha")}, at=NOW)
    commit(tmp_path / "app", {"b.py": code("beta")}, at=NOW)
    git(tmp_path, "clone", "-q", "--depth=1", (tmp_path / "app").as_uri(), "cut")
    build(tmp_path / "index", source(tmp_path / "cut"))
    index = opened(tmp_path / "index")
    learn(index, package("npm:x", "x", at=NOW - 1))
    assert matched(index, code("alpha")) == {"cut:a.py": 1.0}


def test_a_package_that_was_handed_over_is_related_to_all_of_its_publishers(
    index: OpenIndex,
) -> None:
    learn(index, package("npm:x", "x"), package("npm:y", "y"))
    assert index.public(hashes(code("alpha"))).all()
    # The first publisher of x is the publisher of y as well: they were never strangers.
    learn(index, package("npm:y", "x"))
    assert not index.public(hashes(code("alpha"))).any()


def test_what_is_learnt_is_bounded(index: OpenIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    many = len(np.unique(hashes(code("alpha"))))
    monkeypatch.setattr(public_module, "MOST_KEPT", 2 * many)
    with PublicPrints(index) as public:
        for name in ("npm:x", "npm:x", "npm:x", "npm:y"):  # versions of x cost nothing more
            assert public.learn(package(name, name), prints("alpha")) == many
        assert public.room == 0
        assert public.learn(package("npm:z", "z"), prints("alpha")) == 0
        public.withdraw(package="npm:y")
        assert public.room == many
        assert [one.name for one in public.sources()] == ["npm:x"]


def test_a_stranger_is_kept_only_if_it_is_to_be_known_again(index: OpenIndex) -> None:
    with PublicPrints(index) as public:
        public.learn(package("npm:x", "x"), prints("stranger"), keeps_strangers=False)
        assert public.sources() == []
        public.learn(package("npm:x", "x"), prints("stranger"))
        assert [one.name for one in public.sources()] == ["npm:x"]


def _asks(index: OpenIndex, asked: Connection) -> None:
    """In a forked process: look up again and again while it is replaced; how often, and what."""
    found = set()
    rounds = 0
    while not asked.poll():
        index.refresh()
        found.add(len(index.lookup(hashes(code("alpha"))).query))
        rounds += 1
        asked.send(rounds)
    asked.recv()
    asked.send(found)


def test_it_is_replaced_while_another_process_maps_it(index: OpenIndex) -> None:
    whole = len(index.lookup(hashes(code("alpha"))).query)
    mine, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_asks, args=(index, theirs))
    child.start()
    mine.recv()
    with PublicPrints(index) as public:
        for _ in range(40):
            public.learn(package("npm:x", "x", at=NOW - 1), prints("alpha"))
            public.publish()
            public.withdraw(package="npm:x")
            public.publish()
    mine.send("enough")
    told = mine.recv()
    while isinstance(told, int):
        told = mine.recv()
    child.join()
    assert child.exitcode == 0
    assert told <= {0, whole}, "all of it is public, or nothing"


def test_only_what_the_index_has_is_kept(index: OpenIndex, tmp_path: Path) -> None:
    with PublicPrints(index) as public:
        assert public.learn(package("npm:x", "x", at=1), prints("stranger")) == 0
        shared = public.learn(package("npm:y", "y", at=1), prints("alpha"))
        tally = public.publish()
    assert (tally.packages, tally.shared, tally.public) == (2, shared, shared)
    assert shared == len(np.unique(hashes(code("alpha"))))
    (name,) = (path for path in (tmp_path / "index").iterdir() if path.suffix == ".npy")
    assert len(np.load(name)) == shared


def test_what_turns_out_to_be_a_leak_is_taken_back(index: OpenIndex) -> None:
    learn(index, package("npm:x", "x", at=NOW + 1), package("npm:y", "y", at=NOW + 1))
    assert len(index.lookup(hashes(code("alpha"))).query) == 0
    with PublicPrints(index) as public:
        assert public.withdraw(publisher="y") == 1
        assert public.withdraw(publisher="y") == 0
        public.publish()
    assert index.refresh()
    assert matched(index, code("alpha")) == {"app:a.py": 1.0}
    learn(index, package("npm:z", "z", at=NOW + 1))
    with PublicPrints(index) as public:
        assert public.withdraw(package="npm:z") == 1
        public.publish()
    index.refresh()
    assert matched(index, code("alpha")) == {"app:a.py": 1.0}


def test_it_is_learnt_while_the_index_is_written(index: OpenIndex, tmp_path: Path) -> None:
    with builder(tmp_path / "index"):
        learn(index, package("npm:x", "x", at=NOW - 1))
    assert len(index.lookup(hashes(code("alpha"))).query) == 0
    build(tmp_path / "index")
    index.refresh()
    assert len(index.lookup(hashes(code("alpha"))).query) == 0


def test_a_package_is_known_until_the_index_grows(index: OpenIndex, tmp_path: Path) -> None:
    with PublicPrints(index) as public:
        public.learn(package("npm:x", "x"), prints("alpha"))
        assert not public.has("npm:x")
        public.settle()
        assert public.has("npm:x")
        assert not public.has("npm:y")
    build(tmp_path / "index")
    index.refresh()
    with PublicPrints(index) as public:
        assert not public.has("npm:x")


def test_another_key_forgets_it(index: OpenIndex, tmp_path: Path) -> None:
    learn(index, package("npm:x", "x", at=NOW - 1))
    with builder(tmp_path / "index", keys=(OTHER_KEYS, KEYS)) as made:
        list(made.remake(opener, Quiet()))
    again = opened(tmp_path / "index", OTHER_KEYS)
    assert matched(again, code("alpha")) == {"app:a.py": 1.0}
    with PublicPrints(again) as public:
        assert public.tally().packages == 0
