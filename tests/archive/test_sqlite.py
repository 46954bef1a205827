"""SQLite databases written by the real library, then read without it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive.mutations import mutated, opened

LONG = "".join(f"line {number} of a long text\n" for number in range(4_000))


@cache
def database(encoding: str = "UTF-8", page_size: int = 4_096, *, is_emptied: bool = False) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.db")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA encoding = '{encoding}'")
            connection.execute(f"PRAGMA page_size = {page_size}")
            connection.execute("PRAGMA secure_delete = OFF")
            connection.execute("CREATE TABLE settings (key TEXT, n INT, value, f REAL)")
            rows = [(f"key{n}", n, f"tok-{n}-ünï", n / 3) for n in range(400)]
            connection.executemany("INSERT INTO settings VALUES (?, ?, ?, ?)", rows)
            connection.execute("INSERT INTO settings VALUES ('long', NULL, ?, 1)", (LONG,))
            connection.execute("INSERT INTO settings VALUES ('blob', 0, ?, 1)", (b"blob\0tok",))
            connection.execute("CREATE TABLE keyed (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID")
            connection.executemany(
                "INSERT INTO keyed VALUES (?, ?)", [(f"k{n}", f"without-{n}") for n in range(300)]
            )
            connection.commit()
            if is_emptied:
                connection.execute("DELETE FROM settings")
                connection.commit()
        return path.read_bytes()


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
@pytest.mark.parametrize("page_size", [512, 4_096, 65_536])
def test_every_row_of_every_table(encoding: str, page_size: int) -> None:
    members, trail = opened("a.db", database(encoding, page_size))
    text = b"".join(body for path, body in members.items() if "(rows" in path).decode()
    lines = text.split("\n")
    assert all(f"key{n}\ttok-{n}-ünï" in lines for n in range(400))
    assert sum(f"k{n}\twithout-{n}" in lines for n in range(300)) == 300
    assert "long\t" + LONG in text
    assert any(line.startswith("table\tsettings\tsettings\tCREATE TABLE") for line in lines)
    assert b"blob\0tok" in b"".join(members.values())
    assert trail.skipped == []


def test_deleted_rows_are_found() -> None:
    members, _ = opened("a.db", database(is_emptied=True))
    everything = b"".join(members.values())
    assert all(f"tok-{n}-ünï".encode() in everything for n in range(400))
    assert b"line 3999 of a long text" in everything


def test_no_byte_of_text_comes_twice() -> None:
    members, _ = opened("a.db", database())
    assert b"".join(members.values()).count(b"tok-399-") == 1


def test_a_cut_database_gives_what_is_left() -> None:
    members, trail = opened("a.db", database()[:-1_000])
    assert b"tok-1-" in b"".join(members.values())
    assert [skipped.reason for skipped in trail.skipped] == ["truncated"]


def test_cells_that_share_their_bytes_do_not_multiply() -> None:
    page = bytearray(65_536)
    page[:16] = b"SQLite format 3\0"
    page[16:18] = b"\0\1"
    leaf = bytearray(b"\x0d\0\0" + (32_000).to_bytes(2, "big") + bytes(3))
    leaf += b"".join((64_010 + n % 9).to_bytes(2, "big") for n in range(32_000))
    leaf += bytes(65_536 - len(leaf))
    leaf[64_010:64_030] = b"\x8f\xff" * 10
    members, _ = opened("a.db", bytes(page + leaf * 20))
    assert sum(map(len, members.values())) < 65_536 * 21 * 4


def test_overflow_chains_may_bite_their_tails() -> None:
    raw = bytearray(database(page_size=512))
    for start in range(0, len(raw), 512):
        if raw[start] == 0:
            raw[start : start + 4] = (start // 512 + 1).to_bytes(4, "big")
    members, trail = opened("a.db", bytes(raw))
    assert b"of a long text" in b"".join(members.values())
    assert "reader-error" not in {skipped.reason for skipped in trail.skipped}


@settings(deadline=None, max_examples=60)
@given(mutated(database(page_size=512)))
def test_mutations_never_raise(raw: bytes) -> None:
    _, trail = opened("a.db", raw)
    assert "reader-error" not in {skipped.reason for skipped in trail.skipped}


@settings(deadline=None)
@given(st.binary(max_size=1_200))
def test_any_bytes_behind_the_magic_never_raise(rest: bytes) -> None:
    _, trail = opened("a.db", b"SQLite format 3\0\2\0" + rest)
    assert "reader-error" not in {skipped.reason for skipped in trail.skipped}
