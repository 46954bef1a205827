"""Constants and assignments out of real ``.pyc`` files of every Python that is installed here."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.archive import pyc
from monitor.archive.budget import ArchiveError, Budget
from monitor.archive.bytecode import Assignments
from monitor.archive.entries import Trail
from monitor.archive.marshalled import MAX_DEPTH, Code, MalformedError, Reader

SOURCE = '''# coding: utf-8
"""The module's docstring."""
import os
access_token = "tok-module"
first = second = "tok-chained"
user, password = "jo", "tok-unpacked"
os.environ["API_KEY"] = "tok-item"
settings = {"db_password": "tok-map", "port": 5432, "nested": {"inner": "tok-inner"}}
other = dict(client_secret="tok-keyword", retries=3)
fallback = os.environ.get("SERVICE_KEY", "tok-fallback")
text = u"gr\\u00fc\\u00dfe"
raw = b"tok-bytes"
big = 123456789012345678901234567890
number = 2.5 + 3j
pair = ("tok-in-tuple", 1, None, True)


class Client(object):
    """A docstring of a class."""

    header = "tok-class"

    def __init__(self, key="tok-default"):
        self.secret = "tok-attribute"
        self.options.nested = "tok-deep"
        local = "tok-local"

        def inner():
            return local + "tok-inner-function"

        self.inner = inner

    def check(self, given):
        return given == "tok-compared"
'''
ASSIGNED = [
    b'__doc__ = "The module\'s docstring."',
    'text = "grüße"'.encode(),
    b'access_token = "tok-module"',
    b'first = "tok-chained"',
    b'second = "tok-chained"',
    b'password = "tok-unpacked"',
    b'"API_KEY": "tok-item"',
    b'"db_password": "tok-map"',
    b'"inner": "tok-inner"',
    b'client_secret="tok-keyword"',
    b'SERVICE_KEY = "tok-fallback"',
    b'raw = "tok-bytes"',
    b'header = "tok-class"',
    b'key="tok-default"',
    b'secret = "tok-attribute"',
    b'nested = "tok-deep"',
    b'local = "tok-local"',
    b'given == "tok-compared"',
]
PLAIN = [
    b"tok-in-tuple",
    b"tok-inner-function",
    b"options",
    b"sample.py",
]
PYTHONS = [*sorted(Path.home().glob(".pyenv/versions/*/bin/python")), Path(sys.executable)]


@cache
def compiled(python: Path) -> bytes:
    with TemporaryDirectory() as folder:
        source = Path(folder, "sample.py")
        source.write_text(SOURCE, encoding="utf-8")
        script = (
            "import py_compile as p, sys as s; p.compile(s.argv[1], s.argv[2], 'sample.py', True)"
        )
        target = Path(folder, "sample.pyc")
        subprocess.run([python, "-c", script, source, target], check=True)
        return target.read_bytes()


def text_of(raw: bytes) -> tuple[bytes, Trail]:
    trail = Trail()
    entries = list(pyc.read("m.pyc", raw, Budget(), trail))
    assert entries[0].path == "m.pyc!/(constants)"
    return bytes(entries[0].data), trail


@pytest.mark.parametrize("python", PYTHONS, ids=lambda python: python.parent.parent.name)
def test_every_python_gives_its_constants(python: Path) -> None:
    text, trail = text_of(compiled(python))
    lines = text.split(b"\n")
    missing = [line for line in ASSIGNED + PLAIN if line not in lines]
    assert missing == []
    assert trail.skipped == []
    assert text.count(b"tok-module") == 1


def test_python_3_14_by_its_opcodes() -> None:
    code = Code()
    code.constants = (b"tok-a", b"tok-b", b"host")
    code.names = (b"api_key", b"secret")
    code.variables = (b"self", b"local")
    steps = [(128, 0), (82, 0), (116, 0), (82, 1), (86, 0), (110, 1), (0, 0), (82, 0), (112, 1)]
    steps += [(82, 2), (82, 1), (47, 1), (116, 0)]
    code.code = bytes(byte for step in steps for byte in step)
    assignments = Assignments(set())
    assignments.walk(code, (3, 14))
    assert assignments.lines == [
        b'api_key = "tok-a"',
        b'secret = "tok-b"',
        b'local = "tok-a"',
        b'"host": "tok-b"',
    ]


def test_there_is_a_python_to_compile_with() -> None:
    assert PYTHONS


def test_a_cut_file_gives_what_came_before() -> None:
    whole = compiled(Path(sys.executable))
    text, trail = text_of(whole[: len(whole) * 3 // 4])
    assert b"access_token" in text or b"tok-module" in text
    assert [skipped.reason for skipped in trail.skipped] == ["truncated"]


def test_what_follows_malformed_bytes_comes_raw() -> None:
    raw = HEAD + b"\xe3" + bytes(20) + b"s\2\0\0\0ab" + b"?" + b"token-behind"
    entries = list(pyc.read("m.pyc", raw, Budget(), Trail()))
    assert bytes(entries[-1].data).endswith(b"token-behind")
    assert entries[-1].path == "m.pyc!/(unread)"


HEAD = (3571).to_bytes(2, "little") + b"\r\n" + bytes(12)


@pytest.mark.parametrize("kind", [b"s", b"(", b"[", b"<", b"u", b"l", b"t", b"a"])
@pytest.mark.parametrize("size", [2**31 - 1, 2**20, -(2**31)])
def test_a_declared_length_allocates_nothing(kind: bytes, size: int) -> None:
    reader = Reader(
        memoryview(kind + size.to_bytes(4, "little", signed=True) + b"N" * 8), 0, (3, 13)
    )
    with pytest.raises(MalformedError):
        reader.read()


def test_nesting_is_bounded() -> None:
    reader = Reader(memoryview(b")\1" * 100_000), 0, (3, 13))
    with pytest.raises(MalformedError, match="over-depth"):
        reader.read()
    assert reader.at < 4 * MAX_DEPTH


def test_references_to_references_do_not_multiply() -> None:
    layers = b"\xa9\x02" * 1 + b"NN"
    for place in range(120):
        layers = b"\xa9\x03" + layers + b"r" + place.to_bytes(4, "little") * 1 + b"N"
    Reader(memoryview(layers), 0, (3, 13)).read()


@pytest.mark.parametrize("raw", [b"", b"ab\r\n", HEAD, HEAD + b"N", b"\xff\xff\r\n" + b"c" * 40])
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(ArchiveError):
        list(pyc.read("m.pyc", raw, Budget(), Trail()))


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(PYTHONS),
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 255)), max_size=6),
    st.integers(0, 4_000),
)
def test_mutated_files_never_raise(python: Path, patches: list[tuple[int, int]], end: int) -> None:
    raw = bytearray(compiled(python))
    for at, byte in patches:
        raw[16 + at % (len(raw) - 16)] = byte
    trail = Trail()
    try:
        list(pyc.read("m.pyc", bytes(raw[:end]), Budget(), trail))
    except ArchiveError as error:
        assert error.reason == "not-this-format"  # noqa: PT017 - raising at all is a right answer


@settings(deadline=None)
@given(st.sampled_from([3571, 3379, 62211, 3627, 3495]), st.binary(max_size=200))
def test_any_bytes_behind_a_header_never_raise(magic: int, rest: bytes) -> None:
    head = magic.to_bytes(2, "little") + b"\r\n"
    for size in (4, 8, 12):
        try:
            list(pyc.read("m.pyc", head + bytes(size) + b"c" + rest, Budget(), Trail()))
        except ArchiveError as error:
            assert error.reason == "not-this-format"  # noqa: PT017 - raising at all is a right answer
