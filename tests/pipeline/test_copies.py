"""Which of an artifact's files are its own sources, and how many of them make a copy."""

from __future__ import annotations

import msgspec
import pytest

from monitor.archive.entries import Member
from monitor.model import Inspection, SourceMapRecord
from monitor.pipeline.copies import Leaked, Overlap
from monitor.private_code.taking import Taker, Wish
from tests.private_code import code

MAP = "a.tgz!/package/cli.js.map"
COUNTS = [
    (0, 10, False),
    (2, 10, False),
    (3, 10, True),
    (3, 1900, True),
    (1, 1, True),
    (1, 4, True),
    (1, 8, False),
    (2, 8, True),
    (0, 1, False),
]


@pytest.mark.parametrize(("files", "total", "is_copy"), COUNTS)
def test_how_many_files_make_a_copy(files: int, total: int, is_copy: bool) -> None:  # noqa: FBT001 - a table's column
    assert COUNTS
    assert Overlap(files=files, total=total).is_copy is is_copy


def prints(files: dict[str, str]) -> bytes:
    taker = Taker(Wish())
    for path, text in files.items():
        taker.take(Member(path=path, data=memoryview(text.encode())))
    return msgspec.msgpack.encode(taker.finish())


def mapped() -> Inspection:
    record = SourceMapRecord(path=MAP, origin="file", sources=[])
    return Inspection(source_maps=[record])


def test_of_a_map_its_own_sources_count_and_nothing_that_is_bundled_with_them() -> None:
    files = {
        f"{MAP}!/../src/client.ts": code.CLIENT,
        f"{MAP}!/../node_modules/pad/index.js": code.other(1),
        "a.tgz!/package/cli.js": code.minified(code.CLIENT) + code.other(2),
        "a.tgz!/package/tiny.js": "let a = 1;",
    }
    leaked = Leaked("acme", "cli", prints(files), mapped())
    assert len(leaked) == 1
    assert leaked.look(prints({"b.tgz!/package/x.ts": code.CLIENT})) == Overlap(files=1, total=1)
    for foreign in (code.other(1), code.other(2), code.PRICING):
        assert leaked.look(prints({"b.tgz!/package/index.js": foreign})).files == 0


def test_without_a_map_all_files_but_others_packages_are_its_sources() -> None:
    files = {
        "a.tgz!/package/src/client.ts": code.CLIENT,
        "a.tgz!/package/pricing.py": code.PRICING,
        "a.tgz!/package/node_modules/pad/index.js": code.other(1),
    }
    leaked = Leaked("acme", "cli", prints(files), Inspection())
    assert len(leaked) == 2
    copied = {"b.whl!/x/pricing.py": "# mine\n" + code.PRICING, "b.whl!/x/a.ts": code.CLIENT}
    assert leaked.look(prints(copied)) == Overlap(files=2, total=2)


def test_no_source_is_no_index() -> None:
    assert not len(Leaked("acme", "cli", prints({"a.tgz!/package/README.md": "hello"}), mapped()))
