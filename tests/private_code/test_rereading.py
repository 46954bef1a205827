"""JavaScript of an artifact, read a second time with the real esbuild in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.pipeline.indexing import prints_of
from monitor.private_code import rereading
from monitor.private_code.fingerprint import fingerprint
from monitor.private_code.matches import Level
from monitor.private_code.matching import Matcher
from monitor.private_code.memory import MemoryIndex
from monitor.private_code.rereading import Rereader
from monitor.private_code.taking import TakenText
from tests.private_code.projects import ESBUILD, EXPRESS, uglified

if TYPE_CHECKING:
    from monitor.private_code.prints import FilePrints

FILES = sorted(EXPRESS.rglob("*.js"))


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    index = MemoryIndex("acme")
    files = [(path.name, path.read_bytes()) for path in FILES]
    for (name, _), prints in zip(files, prints_of(str(ESBUILD), files), strict=True):
        assert prints is not None
        index.add("express", name, prints)
    return Matcher([index])


def is_told(matcher: Matcher, name: str, prints: FilePrints | None) -> bool:
    assert prints is not None
    found = matcher.match(name, prints)
    return any(one.path == name and one.level is Level.ALERT for one in found)


def test_what_another_minifier_made_is_found_by_it(matcher: Matcher) -> None:
    assert len(FILES) >= 6
    made = [TakenText(path.name, uglified(path)) for path in FILES]
    read = Rereader(str(ESBUILD)).read(made)
    assert read is not None
    assert set(read) == {one.path for one in made}
    once = {one.path: fingerprint(one.path, one.content) for one in made}
    sizes = {one.path: len(one.content) for one in made}
    assert all(matcher.nearness(one, sizes[path]) for path, one in once.items() if one)
    before = [name for name, prints in once.items() if is_told(matcher, name, prints)]
    after = [name for name, prints in read.items() if is_told(matcher, name, prints)]
    assert len(after) > len(before)
    assert set(before) <= set(after)


def test_a_file_that_cannot_be_read_spoils_nothing() -> None:
    good = FILES[0].read_bytes()
    texts = [
        TakenText("broken.js", b"function ( {{{ ]"),
        TakenText("good.js", good),
        TakenText("deep.js", b"[" * 300_000),
        TakenText("../../etc/passwd.js", b"let fine = 1\n"),
        TakenText("one-line.js", b"a(1);" * 400_000),
    ]
    read = Rereader(str(ESBUILD)).read(texts)
    assert read is not None
    assert "good.js" in read
    assert "broken.js" not in read
    assert "deep.js" not in read


def test_copies_are_read_once_and_told_at_each_place() -> None:
    good = FILES[0].read_bytes()
    texts = [TakenText(name, good) for name in ("a.js", "dist/a.js", "b.js")]
    read = Rereader(str(ESBUILD)).read([*texts, TakenText("broken.js", b"function ( {{{ ]")])
    assert read is not None
    assert sorted(read) == ["a.js", "b.js", "dist/a.js"]
    assert read["a.js"] is read["dist/a.js"] is read["b.js"]


def test_without_a_program_that_runs_there_is_nothing_to_tell() -> None:
    assert Rereader("/bin/false").read([TakenText("a.js", b"let a = 1\n")]) == {}
    assert Rereader(str(ESBUILD)).read([]) == {}


def test_a_reading_beyond_its_limits_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rereading, "_SECONDS", 0.0)
    assert Rereader(str(ESBUILD)).read([TakenText("a.js", b"let a = 1\n")]) is None
