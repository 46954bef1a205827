"""Taking: an artifact that repeats itself is read once, and told at every place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.archive import Member
from monitor.private_code import partly, taking
from monitor.private_code.gate import Gate
from monitor.private_code.taking import Taker, Wish
from tests.private_code.keeping import build, commit, opened, source
from tests.private_code.test_gate import OURS, STRANGER, word_index

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

    from monitor.private_code.prints import FilePrints, Text


def test_what_is_repeated_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(tmp_path / "app", {"a.py": OURS})
    build(tmp_path / "index", source(tmp_path / "app"))
    gate = Gate([word_index(opened(tmp_path / "index"))])
    asked: list[str] = []

    def read(texts: Sequence[Text], opening: Gate | None) -> list[FilePrints | None]:
        asked.extend(one.path for one in texts)
        return partly.read(texts, opening)

    monkeypatch.setattr(taking, "read", read)
    monkeypatch.setattr(taking, "BATCH_BYTES", 1)
    taker = Taker(Wish(), gate)
    ours, theirs = OURS.encode(), STRANGER.encode()
    for path, content in (
        ("a.py", ours),
        ("s.py", theirs),
        ("build/a.py", memoryview(ours)),
        ("t.py", theirs),
        ("a.txt.py", ours),
    ):
        taker.take(Member(path=path, data=content))
    files = {one.path: one for one in taker.finish().files}
    assert asked == ["a.py", "s.py", "a.txt.py"]  # the language may depend on the name
    assert sorted(files) == ["a.py", "a.txt.py", "build/a.py"]
    assert files["build/a.py"].channels == files["a.py"].channels
