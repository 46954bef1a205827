from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from calendar import timegm

from monitor.archive import Budget, Member, Trail, walk
from monitor.archive.zip_directory import unix_time
from tests.hostile.makers import Zip, deflated, plain_zip


def walked(data: bytes) -> tuple[list[Member], Trail]:
    trail = Trail()
    return list(walk("a.whl", data, Budget(), trail)), trail


def contents(found: list[Member]) -> dict[str, bytes]:
    return {one.path.removeprefix("a.whl!/"): bytes(one.data) for one in found}


def test_dos_times_are_those_of_the_calendar() -> None:
    for moment in ((1980, 1, 1, 0, 0, 0), (2000, 2, 29, 23, 59, 58), (2026, 12, 31, 12, 30, 10)):
        year, month, day, hour, minute, second = moment
        date = (year - 1980) << 9 | month << 5 | day
        stamp = date << 16 | hour << 11 | minute << 5 | second // 2
        assert unix_time(stamp) == timegm((*moment, 0, 0, 0))
    assert unix_time(0) == 0


def test_large_members_are_checked_and_whole() -> None:
    body = os.urandom(1 << 20) * 9
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big", body)
    found, trail = walked(made.getvalue())
    assert contents(found) == {"big": body}
    assert (trail.skipped, trail.hazards) == ([], [])


def test_zip64_sizes_and_places_are_followed() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive, archive.open("x", "w", force_zip64=True) as entry:
        entry.write(b"body")
    found, trail = walked(made.getvalue())
    assert contents(found) == {"x": b"body"}
    assert (trail.skipped, trail.hazards) == ([], [])


def test_a_directory_of_66000_entries_needs_zip64() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for index in range(66_000):
            archive.writestr(zipfile.ZipInfo(f"f{index}"), b"")
    found, trail = walked(made.getvalue())
    assert len(found) == 66_000
    assert (trail.skipped, trail.hazards) == ([], [])


def test_stored_archives_inside_bring_their_end_records_along() -> None:
    inner = plain_zip(b"in", b"inner")
    made = Zip()
    made.add(b"first.zip", inner, method=0)
    made.add(b"last.zip", inner, method=0)
    found, trail = walked(made.end())
    assert contents(found) == {"first.zip!/in": b"inner", "last.zip!/in": b"inner"}
    assert (trail.skipped, trail.hazards) == ([], [])


def test_a_script_before_the_archive_is_read_too() -> None:
    found, trail = walked(b"#!/usr/bin/env python3\n# note\n" + plain_zip(b"__main__.py", b"1"))
    assert contents(found) == {
        "__main__.py": b"1",
        "(prefix)": b"#!/usr/bin/env python3\n# note\n",
    }
    assert (trail.skipped, trail.hazards) == ([], [])


def test_two_archives_one_after_the_other_are_both_opened() -> None:
    found, trail = walked(plain_zip(b"one", b"1") + plain_zip(b"two", b"2"))
    assert {"two": b"2", "one": b"1"}.items() <= contents(found).items()
    assert [(note.path, note.kind) for note in trail.hazards] == [("a.whl!/one", "unlisted")]


def test_without_its_directory_the_local_headers_lead() -> None:
    made = Zip()
    for index in range(5):
        made.add(b"%d" % index, b"text %d" % index)
    found, trail = walked(made.end()[: len(made.body) + 20])
    assert contents(found) == {str(index): b"text %d" % index for index in range(5)}
    assert [(note.path, note.reason) for note in trail.skipped] == [("a.whl", "truncated")]


def test_streamed_members_without_a_directory_end_where_their_bytes_do() -> None:
    body = b"streamed text " * 99
    packed = deflated(body)
    header = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 8, 8, 0, 0, 0, 0, 0, 1, 0) + b"s"
    after = struct.pack("<4s3L", b"PK\7\x08", zlib.crc32(body), len(packed), len(body))
    found, _ = walked((header + packed + after) * 2)
    assert [bytes(one.data) for one in found] == [body, body]


def test_the_same_bytes_listed_twice_are_inspected_once() -> None:
    made = Zip()
    place = made.add(b"a", b"body")
    made.add(b"b", b"body", at=place)
    found, trail = walked(made.end())
    assert contents(found) == {"a": b"body"}
    assert [(note.path, note.reason) for note in trail.skipped] == [("a.whl!/b", "overlap")]


def test_comments_are_members() -> None:
    made = Zip()
    made.add(b"a", b"1", comment=b"said of a")
    found, trail = walked(made.end(comment=b"said of all"))
    assert contents(found)["(metadata)"] == b"said of all\nsaid of a"
    assert trail.hazards == []
