from __future__ import annotations

import bz2
import gzip
import json
import lzma
import mmap
import os
import random
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import pytest
import zstandard

from monitor.archive import Budget, Limits, Member, Trail, record_of, walk
from monitor.archive.names import printable
from tests.hostile.makers import END_OF_TAR, gzip_of_zeros, octal, plain_zip, tar_header, tar_member

ROOT = Path(__file__).parents[2]


class Clock:
    """Seconds that pass only when they are asked for."""

    def __init__(self, step: float) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def walked(
    data: bytes, name: str = "a", limits: Limits | None = None, step: float = 0.0
) -> tuple[list[Member], Trail]:
    trail = Trail()
    return list(walk(name, data, Budget(limits, Clock(step)), trail)), trail


def test_what_is_no_container_comes_as_it_is() -> None:
    (member,), trail = walked(b"plain text", "notes.txt")
    assert (member.path, member.data, member.depth, member.container) == (
        "notes.txt",
        b"plain text",
        0,
        "",
    )
    assert trail.skipped == []


COMPRESSED = {
    "x.json.gz": gzip.compress(b"{}" * 50),
    "x.json.bz2": bz2.compress(b"{}" * 50),
    "x.json.xz": lzma.compress(b"{}" * 50),
    "x.json.lzma": lzma.compress(b"{}" * 50, lzma.FORMAT_ALONE),
    "x.json.zst": zstandard.compress(b"{}" * 50),
    "x.json.br": import_module("brotli").compress(b"{}" * 50),
}


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_single_compressed_file_loses_its_suffix(name: str) -> None:
    (member,), trail = walked(COMPRESSED[name], name)
    assert (member.path, bytes(member.data)) == (f"{name}!/x.json", b"{}" * 50)
    assert (trail.skipped, trail.hazards) == ([], [])


@pytest.mark.parametrize(
    "name", [name for name in COMPRESSED if name[-3:] in (".gz", "bz2", ".xz", "zst")]
)
def test_concatenated_streams_are_one(name: str) -> None:
    (member,), trail = walked(COMPRESSED[name] * 3, name)
    assert bytes(member.data) == b"{}" * 150
    assert (trail.skipped, trail.hazards) == ([], [])


def test_a_text_called_br_is_a_text() -> None:
    (member,), trail = walked(b"these are notes on brazil", "notes.br")
    assert (member.path, trail.skipped) == ("notes.br", [])


def test_a_mapped_file_is_read_in_place() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(gzip.compress(tar_member(b"x", b"body") + END_OF_TAR))
        file.flush()
        held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        paths = [one.path for one in walk("a", held, Budget(), Trail())]
    assert paths == ["a!/x"]


def test_members_beyond_the_count_are_said_to_be_left() -> None:
    made = b"".join(tar_member(b"%d" % index, b"") for index in range(50))
    found, trail = walked(made, limits=Limits(max_members=10))
    assert len(found) == 10
    assert [(note.path, note.reason) for note in trail.skipped] == [("a", "over-members")]


def test_bytes_beyond_the_limit_are_said_to_be_left() -> None:
    made = b"".join(tar_member(b"%d" % index, b"x" * 1_000) for index in range(50))
    found, trail = walked(made, limits=Limits(max_bytes=10_000))
    assert len(found) == 10
    assert [note.reason for note in trail.skipped] == ["over-bytes"]


def test_time_is_one_budget_for_all_levels() -> None:
    inner = gzip.compress(b"".join(tar_member(b"%d" % index, b"") for index in range(5_000)))
    made = tar_member(b"i.tgz", inner) + tar_member(b"after", b"")
    found, trail = walked(made, limits=Limits(max_seconds=5), step=1.0)
    assert 0 < len(found) < 5_000
    assert [(note.path, note.reason) for note in trail.skipped] == [("a", "over-time")]


def test_a_bomb_ends_its_container_and_not_the_rest() -> None:
    bomb = gzip_of_zeros(b"", 64)
    made = tar_member(b"bomb.gz", bomb) + tar_member(b"after", b"inspected")
    found, trail = walked(made, limits=Limits(ratio_grace_bytes=1 << 20))
    assert [one.path for one in found] == ["a!/bomb.gz!/bomb", "a!/after"]
    assert [(note.path, note.reason) for note in trail.skipped] == [("a!/bomb.gz", "over-ratio")]
    assert [(note.path, note.kind) for note in trail.hazards] == [("a!/bomb.gz", "bomb")]


def test_deeper_than_allowed_comes_unopened_and_is_said() -> None:
    made = b"core"
    for _ in range(4):
        made = plain_zip(b"z", made)
    (member,), trail = walked(made, limits=Limits(max_depth=3))
    assert member.path == "a!/z!/z!/z"
    assert [(note.path, note.reason) for note in trail.skipped] == [("a!/z!/z!/z", "over-depth")]


def test_memory_of_nested_containers_is_one_budget() -> None:
    noise = random.Random(5).randbytes(1 << 20)
    inner = gzip.compress(tar_member(b"x", noise) + END_OF_TAR)
    for _ in range(2):
        inner = gzip.compress(tar_member(b"i", inner * 4) + END_OF_TAR, 1)
    limits = Limits(max_held_bytes=4 << 20, window_bytes=1 << 20)
    budget, trail = Budget(limits), Trail()
    assert list(walk("a", inner, budget, trail))
    assert budget.held == 0


def test_notes_are_capped_by_kind_and_the_cap_is_said() -> None:
    trail = Trail()
    for index in range(5_000):
        trail.hazard(f"p{index}", "link", "x")
        trail.skip(f"p{index}", "device")
    trail.hazard("p", "bomb", "x")
    trail.skip("p", "encrypted")
    assert len(trail.hazards) == 202
    assert [note.path for note in trail.hazards[-2:]] == ["(more)", "p"]
    assert len(trail.skipped) == 1_002
    assert [(note.path, note.reason) for note in trail.skipped[-2:]] == [
        ("(more)", "device"),
        ("p", "encrypted"),
    ]


def test_paths_are_printable_whatever_the_names_are() -> None:
    assert printable("a\x1b[2J\u202e\udcff\U000e0001") == "a\\x1b[2J\\u202e\\xff\\U000e0001"
    (member,), _ = walked(b"x", "a\nb")
    assert member.path == "a\\x0ab"


GIBIBYTE = """
import json, sys
from tests.hostile.child import peak_bytes
from monitor.archive import Budget, Limits, Trail, walk
trail = Trail()
limits = Limits(max_ratio=5_000, max_total_ratio=5_000)
found = [(m.offset, len(m.data), m.is_last) for m in walk("a", open(sys.argv[1], "rb").read(),
    Budget(limits), trail)]
print(json.dumps([found, len(trail.skipped), peak_bytes()]))
"""


def test_a_gibibyte_never_lies_in_memory(tmp_path: Path) -> None:
    artifact = tmp_path / "big.tgz"
    artifact.write_bytes(gzip_of_zeros(tar_header(b"big", octal(1 << 30)), 1024))
    run = subprocess.run(
        [sys.executable, "-c", GIBIBYTE, str(artifact)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    found, skipped, peak = json.loads(run.stdout)
    assert skipped == 1  # the zero checksum of the hand-made gzip
    assert found[-1][0] + found[-1][1] == 1 << 30
    assert [is_last for _, _, is_last in found] == [False] * (len(found) - 1) + [True]
    assert peak < 300 << 20


def test_lines_of_scripts_are_counted_where_they_are_asked_for() -> None:
    script = Member("a.tgz!/package/cli.js", b"one\ntwo\n")
    assert record_of(script).lines == 2
    assert record_of(script, has_lines=False).lines == 0
    assert record_of(Member("a.tgz!/package/a.txt", b"one\ntwo\n")).lines == 0
