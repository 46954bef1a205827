from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

from monitor.archive import Budget, Limits, Member, Trail, walk
from tests.hostile.makers import END_OF_TAR, octal, pax_record, tar_header, tar_member

if TYPE_CHECKING:
    from pathlib import Path


def walked(data: bytes, name: str = "a.tgz") -> tuple[list[Member], Trail]:
    trail = Trail()
    return list(walk(name, data, Budget(), trail)), trail


def test_the_packer_shows_in_time_and_owner() -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        entry = tarfile.TarInfo("package/index.js")
        entry.mtime, entry.uname = 499_162_500, "jane"
        archive.addfile(entry)
    (member,), _ = walked(made.getvalue())
    assert (member.path, member.mtime, member.owner) == (
        "a.tgz!/package/index.js",
        499_162_500,
        "jane",
    )
    assert (member.container, member.depth) == ("tar", 1)


def test_names_of_every_length_come_back_in_every_dialect() -> None:
    for dialect in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        names = ["x" * size for size in (1, 99, 100)] + ["d/" * 60 + "x", "d" * 80 + "/" + "e" * 90]
        if dialect != tarfile.USTAR_FORMAT:
            names += ["y" * 101, "z" * 300, "ä" * 60]
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w", format=dialect) as archive:
            for name in names:
                archive.addfile(tarfile.TarInfo(name))
        found, trail = walked(made.getvalue())
        assert [member.path for member in found] == [f"a.tgz!/{name}" for name in names]
        assert (trail.skipped, trail.hazards) == ([], [])


def test_a_header_of_1979_is_known_by_its_checksum() -> None:
    block = tar_header(b"old.c", octal(3), b"\0", magic=b"")
    found, trail = walked(block + b"int" + bytes(509) + END_OF_TAR)
    assert [(one.path, bytes(one.data)) for one in found] == [("a.tgz!/old.c", b"int")]
    assert trail.skipped == []


def test_the_tar_command_and_this_reader_agree(tmp_path: Path) -> None:
    tar = shutil.which("tar")
    assert tar, "a POSIX system has it"
    tree = tmp_path / "tree"
    (tree / "sub" / ("d" * 120)).mkdir(parents=True)
    bodies = {
        "a.txt": b"one",
        "sub/big": os.urandom(1 << 20) * 7,
        f"sub/{'d' * 120}/{'f' * 120}": b"x",
    }
    for name, body in bodies.items():
        (tree / name).write_bytes(body)
    subprocess.run([tar, "-czf", str(tmp_path / "t.tgz"), "-C", str(tree), "."], check=True)
    found, trail = walked((tmp_path / "t.tgz").read_bytes())
    assert {one.path.removeprefix("a.tgz!/./"): bytes(one.data) for one in found} == bodies
    assert (trail.skipped, trail.hazards) == ([], [])


def test_what_a_cut_archive_still_holds_is_delivered_as_far_as_it_goes() -> None:
    body = os.urandom(30_000)
    whole = tar_member(b"first", b"1") + tar_member(b"second", body)
    found, trail = walked(gzip.compress(whole)[:-5_000])
    assert [one.path for one in found] == ["a.tgz!/first", "a.tgz!/second"]
    part = bytes(found[1].data)
    assert 20_000 < len(part) < 30_000
    assert body.startswith(part)
    assert {(note.path, note.reason) for note in trail.skipped} == {
        ("a.tgz", "truncated"),
        ("a.tgz!/second", "truncated"),
    }


def test_texts_of_pax_headers_are_members() -> None:
    header = tar_member(b"p", pax_record(b"SCHILY.xattr.user.note", b"v" * 40), b"x")
    found, _ = walked(header + tar_member(b"a", b"1") + END_OF_TAR)
    assert [one.path for one in found] == ["a.tgz!/a", "a.tgz!/(metadata)"]
    assert bytes(found[1].data) == b"SCHILY.xattr.user.note=" + b"v" * 40


def test_links_are_told_with_their_targets() -> None:
    made = (
        tar_member(b"p/in", b"", b"2", b"../p/other")
        + tar_member(b"p/out", b"", b"2", b"../../home/jane/.npmrc")
        + tar_member(b"p/hard", b"", b"1", b"p/in")
    )
    found, trail = walked(made + tar_member(b"p/f", b"x") + END_OF_TAR)
    assert [one.path for one in found] == ["a.tgz!/p/f"]
    assert [(note.kind, note.detail) for note in trail.hazards] == [
        ("link", "symbolic link to ../p/other"),
        ("link-escape", "symbolic link to ../../home/jane/.npmrc"),
        ("link", "hard link to p/in"),
    ]


def test_a_container_too_large_to_hold_is_opened_on_the_fly() -> None:
    inner = b"".join(tar_member(b"f%d" % index, b"x" * 5_000) for index in range(2_000))
    outer = gzip.compress(tar_member(b"inner.tar", inner) + END_OF_TAR, 1)
    trail = Trail()
    limits = Limits(max_member_bytes=1 << 20, window_bytes=1 << 19)
    found = list(walk("a", outer, Budget(limits), trail))
    assert len(found) == 2_000
    assert found[1999].path == "a!/inner.tar!/f1999"
    assert trail.skipped == []


def test_a_zip_too_large_to_hold_comes_in_windows_and_is_said() -> None:
    made = b"PK\3\4" + os.urandom(9 << 20)
    outer = gzip.compress(tar_member(b"x.zip", made) + END_OF_TAR, 1)
    trail = Trail()
    limits = Limits(max_member_bytes=1 << 20, window_bytes=1 << 19)
    found = list(walk("a", outer, Budget(limits), trail))
    assert {one.path for one in found} == {"a!/x.zip"}
    assert [(note.path, note.reason) for note in trail.skipped] == [
        ("a!/x.zip", "over-member-bytes")
    ]


def test_headers_that_only_tell_a_finer_time_change_nothing() -> None:
    finer = tar_member(b"p", pax_record(b"mtime", b"1730783012.1312191"), b"x")
    files = [tar_member(b"d/a%d" % at, b"text %d" % at * 90) for at in range(4)]
    plain = b"".join(files) + END_OF_TAR
    timed = b"".join(finer + each for each in files) + END_OF_TAR
    (told, trail), (same, _) = walked(timed, "a.tar"), walked(plain, "a.tar")
    assert [(each.path, bytes(each.data)) for each in told] == [
        (each.path, bytes(each.data)) for each in same
    ]
    assert len(told) == len(files)
    assert not trail.skipped
    assert not trail.hazards


def test_a_header_that_says_more_than_a_time_is_read() -> None:
    first = tar_member(b"a", b"1")
    record = pax_record(b"mtime", b"1.5")
    more = tar_member(b"p", record + pax_record(b"path", b"../b"), b"x")
    lying = tar_member(b"p", b"99 mtime=1.5\n", b"x")
    for header, path in ((more, "a.tar!/../b"), (lying, "a.tar!/c")):
        members, _ = walked(first + header + tar_member(b"c", b"2") + END_OF_TAR, "a.tar")
        assert path in [each.path for each in members]
    notes = walked(first + lying + tar_member(b"c", b"2") + END_OF_TAR, "a.tar")[0]
    assert notes[-1].path == "a.tar!/(metadata)"
