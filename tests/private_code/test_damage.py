"""What happened to an index on disk is found by ``verify``, and never answered from silently."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from monitor.errors import ConfigError
from monitor.private_code.index import manifest
from monitor.private_code.index.public import Package, PublicPrints
from monitor.private_code.index.verify import verify
from tests.private_code.keeping import build, code, commit, opened, prints_of, source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    commit(tmp_path / "app", {"a.py": code("alpha"), "b.py": code("beta")})
    build(tmp_path / "index", source(tmp_path / "app"))
    with PublicPrints(opened(tmp_path / "index")) as public:
        (prints,) = prints_of([("x.py", code("beta").encode())])
        assert prints is not None
        public.learn(Package(name="npm:x", publishers=frozenset({"x"})), [prints])
        public.publish()
    return tmp_path / "index"


def test_what_is_whole_is_in_order(folder: Path) -> None:
    seen: list[int] = []
    assert verify(str(folder), seen.append) == []
    assert sum(seen) == manifest.read(str(folder)).postings


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at % len(content)] ^= 0x40
    path.write_bytes(content)


def parts(folder: Path) -> list[Path]:
    told, public = manifest.read(str(folder)), manifest.read_public(str(folder))
    assert public is not None
    return [folder / one.name for one in (*told.segments, told.catalogue, public.hashes)]


def test_any_flipped_byte_of_any_file_is_found(folder: Path) -> None:
    assert len(parts(folder)) == 3
    for path in parts(folder):
        whole = path.read_bytes()
        for at in (0, 20, len(whole) // 3, len(whole) // 2, len(whole) - 1):
            flip(path, at)
            assert [problem.path for problem in verify(str(folder))] == [str(path)]
            path.write_bytes(whole)
    assert verify(str(folder)) == []


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("harm", [cut, remove])
def test_what_is_cut_or_gone_is_found_and_not_opened(
    harm: Callable[[Path], None], folder: Path
) -> None:
    path = parts(folder)[0]
    harm(path)
    assert [problem.path for problem in verify(str(folder))] == [str(path)]
    with pytest.raises(ConfigError, match=r"000001\.segment: damaged") as caught:
        opened(folder)
    assert caught.value.reason == "index-damaged"
    with pytest.raises(ConfigError, match=r"000001\.segment: damaged"):
        build(folder)


def test_a_damaged_catalogue_is_said_when_it_is_asked(folder: Path) -> None:
    index = opened(folder)
    path = folder / manifest.read(str(folder)).catalogue.name
    path.write_bytes(b"no database at all, but long enough to be read as one" * 100)
    with pytest.raises(ConfigError, match=r"catalogue-1\.db: damaged"):
        index.file(1)


MANIFESTS = [
    (b"", "index-damaged"),
    (b"\xff{}", "index-damaged"),
    (b"[]", "index-format"),
    (b'{"format": "leakmon/index/9"}', "index-format"),
    (b'{"format": "leakmon/index/1"}', "index-damaged"),
]


@pytest.mark.parametrize(("text", "reason"), MANIFESTS)
def test_a_manifest_that_cannot_be_meant(text: bytes, reason: str, folder: Path) -> None:
    (folder / "manifest.json").write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        opened(folder)
    assert caught.value.reason == reason


def test_no_index_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="leakmon index add") as caught:
        opened(tmp_path / "none")
    assert caught.value.reason == "index-missing"


def test_a_segment_that_was_written_wrong_is_found(folder: Path) -> None:
    """Its digest is right, its order is not."""
    told = manifest.read(str(folder))
    path = folder / told.segments[0].name
    content = bytearray(path.read_bytes())
    content[-64:] = bytes(64)
    path.write_bytes(content)
    text = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    text["segments"][0]["digest"] = manifest.digest(str(path))
    (folder / "manifest.json").write_text(json.dumps(text), encoding="utf-8")
    assert len(verify(str(folder))) == 1
