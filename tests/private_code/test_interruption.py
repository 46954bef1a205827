"""Whatever ends a walk, what was written down stays, and the next one goes on behind it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from monitor.errors import ConfigError
from monitor.private_code.index import reading, walk
from monitor.private_code.index.batch import Version
from tests.private_code.keeping import (
    MAKING,
    Quiet,
    build,
    builder,
    code,
    commit,
    matched,
    opened,
    prints_of,
    source,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.private_code.prints import FilePrints

NAMES = [f"part{number:02}" for number in range(30)]
KILLED = """
import os, signal, sys
from pathlib import Path
from monitor.private_code.index import reading, walk
from tests.private_code import keeping

walk._BATCH_FILES, reading._TASK_FILES = 4, 2
folder, app, allowed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])

class Deadly(keeping.Quiet):
    def advance(self, path):
        super().advance(path)
        if len(self.paths) == allowed:
            os.kill(os.getpid(), signal.SIGKILL)

keeping.build(folder, keeping.source(app, has_history=True), progress=Deadly())
"""


def app_of(tmp_path: Path) -> Path:
    app = tmp_path / "app"
    commit(app, {f"{name}.py": code(f"old{name}") for name in NAMES[:10]})
    commit(app, {f"{name}.py": code(name) for name in NAMES})
    return app


@pytest.mark.parametrize(("allowed", "kept"), [(7, 4), (33, 30)])
def test_a_killed_walk_is_gone_on_with(allowed: int, kept: int, tmp_path: Path) -> None:
    app, folder = app_of(tmp_path), tmp_path / "index"
    command = [sys.executable, "-c", KILLED, str(folder), str(app), str(allowed)]
    root = Path(__file__).parents[2]
    assert subprocess.run(command, cwd=root, check=False).returncode == -signal.SIGKILL
    progress = Quiet()
    build(folder, progress=progress)
    assert len(progress.paths) == 40 - kept
    found = opened(folder)
    for name in NAMES:
        assert matched(found, code(name)) == {f"app:{name}.py": 1.0}
    for name in NAMES[:10]:
        assert matched(found, code(f"old{name}"))[f"app:{name}.py"] == 1.0
    left = {path.name for path in (folder / "store-1").iterdir()}
    named = {Path(part.name).name for part in found.told.segments}
    assert {name for name in left if name.endswith(".segment")} == named


class Refused(Exception):  # noqa: N818 - as Ctrl-C, no error of ours
    """Ends a walk from inside."""


class Impatient(Quiet):
    def advance(self, path: str) -> None:
        super().advance(path)
        if len(self.paths) == 10:
            raise Refused


def test_an_interrupted_walk_does_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "_BATCH_FILES", 4)
    monkeypatch.setattr(reading, "_TASK_FILES", 2)
    app, folder = app_of(tmp_path), tmp_path / "index"
    with pytest.raises(Refused):
        build(folder, source(app), progress=Impatient())
    read: list[str] = []

    def noting(files: Sequence[tuple[str, bytes]]) -> list[FilePrints | None]:
        read.extend(path for path, _ in files)
        return prints_of(files)

    build(folder, making=structs.replace(MAKING, fingerprints=noting))
    assert len(read) == len(NAMES) - 8
    assert matched(opened(folder), code(NAMES[0])) == {f"app:{NAMES[0]}.py": 1.0}


def test_only_one_process_writes(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with builder(folder):
        with pytest.raises(ConfigError, match="another leakmon index is at work") as caught:
            build(folder)
        assert caught.value.reason == "index-busy"
    build(folder)


def deadly(files: Sequence[tuple[str, bytes]]) -> list[FilePrints | None]:
    """Ends its process on one file, fails on another."""
    for path, _ in files:
        if path == "part03.py":
            os._exit(9)
        if path == "part05.py":
            raise ZeroDivisionError
    return prints_of(files)


def test_a_file_that_ends_its_process_costs_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "WORTH_BYTES", 0)
    app, folder = app_of(tmp_path), tmp_path / "index"
    making = structs.replace(MAKING, fingerprints=deadly)
    build(folder, source(app), making=making, workers=2)
    found = opened(folder)
    assert found.rows.skipped() == [("app", "part03.py", "crashed"), ("app", "part05.py", "failed")]
    for name in NAMES:
        if name not in {"part03", "part05"}:
            assert matched(found, code(name)) == {f"app:{name}.py": 1.0}


def test_other_processes_give_the_same_in_the_same_order(tmp_path: Path) -> None:
    files = [(Version(path=f"{name}.py", blob=name), code(name).encode()) for name in NAMES]
    with reading.Reader(MAKING, 1) as alone, reading.Reader(MAKING, 2) as shared:
        one, two = list(alone.read(files)), list(shared.read(files))
    assert [ended.version for ended in one] == [ended.version for ended in two]
    for left, right in zip(one, two, strict=True):
        assert left.prints is not None
        assert right.prints is not None
        assert left.prints.content == right.prints.content
    assert not list(tmp_path.iterdir())
