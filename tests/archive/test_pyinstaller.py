"""Programs frozen by PyInstaller, built here by its documented layout."""

from __future__ import annotations

import importlib.util
import marshal
import struct
import sys
import zlib

import pytest
from hypothesis import given, settings

from tests.archive.mutations import mutated, opened

MAGIC = importlib.util.MAGIC_NUMBER


def code(text: str) -> bytes:
    return marshal.dumps(compile(text, "m.py", "exec"))


def pyz(**modules: str) -> bytes:
    body = b"PYZ\0" + MAGIC
    table = []
    parts = b""
    for name, text in modules.items():
        part = zlib.compress(code(text))
        table.append((name, (0, 12 + len(parts), len(part))))
        parts += part
    return body + (12 + len(parts)).to_bytes(4, "big") + parts + marshal.dumps(table)


def frozen(
    entries: list[tuple[str, bytes, bytes, bool]], *, has_library_name: bool = True
) -> bytes:
    body = toc = b""
    for name, kind, content, is_packed in entries:
        stored = zlib.compress(content) if is_packed else content
        label = name.encode() + b"\0"
        label += bytes(-(18 + len(label)) % 16)
        head = (18 + len(label), len(body), len(stored), len(content), is_packed, kind)
        toc += struct.pack(">IIIIBc", *head) + label
        body += stored
    size = 88 if has_library_name else 24
    python = 100 * sys.version_info.major + sys.version_info.minor
    cookie = (b"MEI\014\013\012\013\016", len(body) + len(toc) + size, len(body), len(toc), python)
    archive = body + toc + struct.pack(">8sIIII", *cookie)
    return archive + (b"libpython.so".ljust(64, b"\0") if has_library_name else b"")


ENTRIES = [
    ("main", b"s", code('api_key = "tok-script"'), True),
    ("config/.env", b"x", b"TOKEN=1\n", True),
    ("raw.bin", b"b", b"stored bytes", False),
    ("PYZ.pyz", b"z", pyz(pkg='secret = "tok-module"', other="x = 1"), False),
]
PROGRAM = b"\x7fELF" + bytes(60) + b"boot loader"


@pytest.mark.parametrize("has_library_name", [True, False])
def test_scripts_modules_and_files(has_library_name: bool) -> None:  # noqa: FBT001 - a column
    raw = PROGRAM + frozen(ENTRIES, has_library_name=has_library_name) + b"signature"
    members, trail = opened("app", raw)
    assert b'api_key = "tok-script"' in members["app!/main!/(constants)"]
    assert members["app!/config/.env"] == b"TOKEN=1\n"
    assert members["app!/raw.bin"] == b"stored bytes"
    assert b'secret = "tok-module"' in members["app!/PYZ.pyz!/pkg.pyc!/(constants)"]
    assert members["app!/(program)"] == PROGRAM
    assert members["app!/(tail)"].endswith(b"signature")
    assert trail.skipped == []


def test_a_program_that_only_names_the_cookie_stays_a_file() -> None:
    raw = PROGRAM + b"MEI\014\013\012\013\016" + bytes(100)
    members, trail = opened("app", raw)
    assert list(members) == ["app"]
    assert [skipped.reason for skipped in trail.skipped] == ["bad-header"]


def test_encrypted_modules_are_said() -> None:
    members, trail = opened(
        "app", PROGRAM + frozen([("PYZ", b"z", b"PYZ\0" + MAGIC + b"\0\0\0\x0c?", False)])
    )
    assert members["app!/PYZ"].startswith(b"PYZ\0")
    assert [skipped.reason for skipped in trail.skipped] == ["bad-type"]


@settings(deadline=None)
@given(mutated(PROGRAM + frozen(ENTRIES)))
def test_mutations_never_raise(raw: bytes) -> None:
    _, trail = opened("app", raw)
    assert "reader-error" not in {skipped.reason for skipped in trail.skipped}
