"""Base64, base32 and hexadecimal runs: around a hit or near a word that undoes them."""

from __future__ import annotations

import binascii
from functools import partial
from typing import TYPE_CHECKING

import pybase64

from monitor.decoders.piece import Buffer, Piece, joints
from monitor.patterns import later

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence

    from monitor.decoders.piece import Span

_LONG = 64 << 10  # how much of a run is looked at at once on the way to its beginning
_WHOLE = 32 << 10  # a text up to this size is searched whole for encoded runs
_NEAR = 8 << 10  # ... and a larger one this far around a word that undoes them
_WRAP = rb"(?:\\[rn/]|\\?\r?\n[ \t>#*]{0,64}|[\"'][ \t]*[+,.\\]?[ \t]*\r?\n[ \t]*[\"'])"
_PARW = rb"(?:[rn/]\\|[ \t>#*]{0,64}\n\r?\\?|[\"'][ \t]*\n\r?[ \t]*[+,.\\]?[ \t]*[\"'])"
_ALPHABET = rb"[A-Za-z0-9+/_\-]"
_RUN = later(rb"(?:" + _ALPHABET + rb"++|" + _WRAP + rb"(?=" + _ALPHABET + rb"))*+={0,2}")
_NUR = later(rb"={0,2}(?:" + _ALPHABET + rb"++|" + _PARW + rb"(?=" + _ALPHABET + rb"{16}))*+")
_LINE = later(rb"={0,2}" + _ALPHABET + rb"*+")
_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
_STRAY = bytes(range(256)).translate(None, _CHARACTERS)
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_WRAPS = later(rb"\\[rn]|" + rb"[^A-Za-z0-9+/_\-]+")
_GROUP = 4
_BASE32 = later(rb"[A-Z2-7]++")
_HEX = later(rb"[0-9a-fA-F]++")
_IS_BASE64 = bytes(ord("a" if byte in _CHARACTERS else " ") for byte in range(256))
_IS_HEX = bytes(ord("a" if byte in b"0123456789abcdefABCDEF" else " ") for byte in range(256))
_LEAST_RUN = 24  # characters of base64, near a word that undoes it
_LEAST_HEX = 32
_PLAIN_BYTES = bytes(range(32, 127)) + b"\t\r\n"
_MAGIC = (
    b"\x1f\x8b\x08",
    b"PK\3\4",
    b"x\x9c",
    b"x\xda",
    b"x\x01",
    b"BZh",
    b"\xfd7zXZ",
    b"\x28\xb5/\xfd",
)
_MAGIC_ENCODED = (b"H4sI", b"UEsD", b"eJ", b"eN", b"eA", b"Qlpo", b"/Td6", b"_Td6", b"KLUv")
_BESIDE = 36  # characters on either side of a hit that are looked at first
_READABLE = later(rb"[\t\n\r -~]{14}")
_HIGH_BITS_OF_TEXT = b"CDIJKLMNOPQRSTUVWXYZabcdef"
_STRANGE = 8  # at most one byte in this many may be no text
_FEW_ZEROS = 16


def around(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """Base64: the runs in which a rule's literal was seen encoded, whole.

    What is between two hits is looked at once: the work is linear in the text.
    """
    covered = 0
    for end in ends:
        groups = _readable(text, end) if end > covered else ()
        if not groups:
            continue
        least = covered
        start = _beginning(text, least, end)
        backwards = bytes(text[max(least, end - _LONG) : end])[::-1]
        whole = _NUR.match(backwards)
        assert whole
        behind = _RUN.match(text, end)
        covered = behind.end() if behind else end
        is_cut = start == least and least > 0  # within what an earlier hit has covered
        phases = {(group - start) % _GROUP for group in groups} if is_cut else {0}
        for phase in sorted(phases):
            if phase < covered - start:
                yield _decoded(text, start + phase, covered)
        if end - whole.end() < start:
            yield _decoded(text, end - whole.end(), covered)


def _beginning(text: Buffer, least: int, end: int) -> int:
    """Where the run on this line begins, not before ``least``."""
    at = end
    while at > least:
        first = max(least, at - _LONG)
        line = _LINE.match(bytes(text[first:at])[::-1])
        assert line
        at -= line.end()
        if at > first:
            break
    return at


def _readable(text: Buffer, end: int) -> Sequence[int]:
    """Where groups may begin that give something readable around a hit; empty if none does.

    Fonts and programs are hit by chance.
    """
    before = _LINE.match(bytes(text[max(0, end - _BESIDE) : end])[::-1])
    assert before
    start = end - before.end()
    beside = bytes(text[start : end + _BESIDE])
    phases = range(_GROUP)
    if before.end() < _BESIDE or len(beside.translate(None, _STRAY)) < len(beside):
        return [start + at for at in phases]  # near an end of the run, or a wrap
    return [
        start + at for at in phases if _READABLE.search(pybase64.b64decode(_whole(beside[at:])))
    ]


def _whole(run: bytes) -> bytes:
    return run[: len(run) // _GROUP * _GROUP].translate(_URL_SAFE)


def behind(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """Base64 of compressed bytes: the whole run, from the line's beginning or the hit's own."""
    covered = 0
    for end in ends:
        if end <= covered:
            continue
        backwards = bytes(text[max(0, end - 128) : end])[::-1]
        line = _LINE.match(backwards)
        found = _RUN.match(text, end)
        assert line
        covered = found.end() if found else end
        yield _decoded(text, end - line.end(), covered)


def near(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """Base64 near a word that speaks of it: runs that hold a text or something compressed."""
    covered = 0
    for start, stop in _long_runs(text, ends, _IS_BASE64, _LEAST_RUN):
        if start < covered:
            continue
        if not _may_be_text(bytes(text[start:stop])):
            continue
        found = _RUN.match(text, start)
        covered = found.end() if found else stop
        piece = _decoded(text, start, covered)
        if is_plausible(piece.text):
            yield piece


def _may_be_text(run: bytes) -> bool:
    """Whether an encoder can have made a run out of what ``is_plausible`` takes; cheap if not.

    Of every four characters the first holds the high bits of a byte: few letters are those of text.
    A third of a text in two or four bytes a character is zero, and its code is full of ``A``.
    """
    firsts = run[::_GROUP]
    if (
        len(firsts.translate(None, _HIGH_BITS_OF_TEXT)) * _STRANGE > 3 * len(firsts)
        and not run.startswith(_MAGIC_ENCODED)
        and run.count(b"A") * _FEW_ZEROS < len(run)
    ):
        return False
    return run not in (run.lower(), run.upper())  # a name or a path, not the work of an encoder


def _long_runs(
    text: Buffer, ends: Sequence[int], table: bytes, least: int
) -> Iterator[tuple[int, int]]:
    """Runs of an alphabet: ten times as fast in these steps as an expression is."""
    sought = b"a" * least
    for first, last in windows(len(text), ends, _NEAR):
        marked = bytes(text[first:last]).translate(table)
        start = marked.find(sought)
        while start >= 0:
            stop = marked.find(b" ", start + least)
            stop = len(marked) if stop < 0 else stop
            yield first + start, first + stop
            start = marked.find(sought, stop)


def windows(size: int, ends: Sequence[int], reach: int) -> Iterator[tuple[int, int]]:
    """Stretches around hits, merged; a small text is one."""
    if size <= _WHOLE:
        yield 0, size
        return
    first, last = 0, -1
    for end in ends:
        if end - reach > last:
            if last > 0:
                yield first, last
            first = max(0, end - reach)
        last = min(size, end + reach)
    if last > 0:
        yield first, last


def is_plausible(text: bytes) -> bool:
    """Whether decoded bytes are a text, of either width, or a container."""
    strange = len(text.translate(None, _PLAIN_BYTES))
    if strange * _STRANGE <= len(text):
        return True
    return text.startswith(_MAGIC) or text.count(0) * 3 > len(text)


def _decoded(text: Buffer, start: int, stop: int) -> Piece:
    raw = bytes(text[start:stop]).rstrip(b"=")
    clean = raw.translate(_URL_SAFE, _STRAY)
    runs = None
    if len(clean) != len(raw):
        clean = _WRAPS.sub(b"", raw).translate(_URL_SAFE)
        runs = partial(_joints, start, raw)
    if len(clean) % _GROUP == 1:  # cut in the middle of a group: six bits say nothing
        clean = clean[:-1]
    value = pybase64.b64decode(clean + b"=" * (-len(clean) % _GROUP))
    return Piece("base64", (start, stop), value, step=4, unit=3, runs=runs)


def _joints(start: int, raw: bytes) -> list[Span]:
    return joints(start, _WRAPS.finditer(raw))


def base32(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """Base32: the runs in which a rule's literal was seen encoded."""
    for start, stop in _runs(text, ends, _BASE32):
        clean = bytes(text[start:stop])
        clean = clean[: len(clean) // 8 * 8 + (0, 0, 2, 2, 4, 5, 5, 7)[len(clean) % 8]]
        try:
            from base64 import b32decode

            value = b32decode(clean + b"=" * (-len(clean) % 8))
        except binascii.Error:
            continue
        yield Piece("base32", (start, stop), value, step=8, unit=5)


def hexadecimal(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """Pairs of hex digits: the runs with a rule's literal encoded, at both alignments."""
    for start, stop in _runs(text, ends, _HEX):
        for shift in (0, 1) if stop > start + 1 else ():
            yield _unhexed(text, start + shift, stop)


def near_hexadecimal(text: Buffer, ends: Sequence[int]) -> Iterator[Piece]:
    """Pairs of hex digits near a word that undoes them."""
    for start, stop in _long_runs(text, ends, _IS_HEX, _LEAST_HEX):
        piece = _unhexed(text, start, stop)
        if is_plausible(piece.text):
            yield piece


def _unhexed(text: Buffer, start: int, stop: int) -> Piece:
    stop -= (stop - start) & 1
    return Piece("hex", (start, stop), binascii.unhexlify(bytes(text[start:stop])), step=2, unit=1)


def _runs(
    text: Buffer, ends: Sequence[int], alphabet: re.Pattern[bytes]
) -> Iterator[tuple[int, int]]:
    """The runs of an alphabet around hits, bounded to both sides."""
    covered = 0
    for end in ends:
        if end <= covered:
            continue
        first = max(0, end - _LONG)
        before = alphabet.match(bytes(text[first:end])[::-1])
        behind = alphabet.match(text, end, min(len(text), end + _LONG))
        covered = behind.end() if behind else end
        yield end - (before.end() if before else 0), covered
