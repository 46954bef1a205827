"""Every line of the table of formats leads to a reader, and ordinary files to none."""

from __future__ import annotations

import importlib.util

import pytest

from monitor.archive import formats, marks


def test_every_reader_can_be_loaded() -> None:
    assert formats.FORMATS
    assert all(callable(line.load()) for line in formats.FORMATS)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"!<arch>\nx", "ar"),
        (b"\4\0\0\0" + bytes(12) + b'{"files":{}}', "asar"),
        (importlib.util.MAGIC_NUMBER + bytes(12) + b"\xe3" + bytes(40), "pyc"),
        (b"\x03\xf3\r\n" + bytes(4) + b"c" + bytes(40), "pyc"),
        (b'{\n "cells": [', "notebook"),
        (b'{"metadata": {"name": "x"}, "nbformat": 3', "notebook"),
        (b"SQLite format 3\0", "sqlite"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"%PDF-1.4", "pdf"),
        (b"\x7fELF" + bytes(600) + b"MEI\014\013\012\013\016" + bytes(90), "pyinstaller"),
        (b"MZ" + bytes(600) + b"MEI\014\013\012\013\016" + bytes(50_000), "pyinstaller"),
    ],
)
def test_the_rarer_formats_are_told_by_their_bytes(head: bytes, name: str) -> None:
    found = formats.sniff(head)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "head",
    [
        b'{"name": "x", "version": "1.0.0"}',
        b"3 = 4\r\n",
        b"ab\r\ncccccccccccccc",
        b"SQL text",
        b"%!PS",
        b"\x89JNG",
        b"\x7fELF" + bytes(600),
        b"\4\0\0\0abc",
        b"!important",
    ],
)
def test_other_files_are_leaves(head: bytes) -> None:
    assert formats.sniff(head) is None


def test_the_first_bytes_of_pyc_files_are_known() -> None:
    assert importlib.util.MAGIC_NUMBER[0] in marks.PYC_FIRST
