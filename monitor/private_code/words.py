"""Pairs of words: what of a text is compared before it is worth being lexed.

A word is six and more letters and digits in a row; minifiers keep those of properties, strings and
globals, and in their order. Two neighbouring words are one print of the channel WORDS. A text is
read as bytes, whatever language it is in, at tens of times the speed of a lexer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from monitor.private_code.prints import Channel, Prints
from monitor.private_code.winnowing import distinct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.private_code.lexing.hashing import Places
    from monitor.private_code.prints import FilePrints, Hashes, Text

    Flags = npt.NDArray[np.bool_]
    Octets = npt.NDArray[np.uint8]

LEAST_WORD = 6
_WORD_BYTES = 8
_LETTERS, _DIGITS = 26, 10
_AT_ONCE = 1 << 18  # bytes whose arrays fit the second-level cache
_MIX = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(3)
_BEHIND = bytes(2 * _WORD_BYTES)
_ONE = np.uint64(1)
_ONE_BIT = np.uint8(1)
_FIRST_BIT = np.array([max(0, (bits & -bits).bit_length() - 1) for bits in range(256)], np.int64)
_EACH = np.uint64(0x0101010101010101)
_LEAST = np.uint64((1 << 8 * LEAST_WORD) - 1)
_BUCKETS = np.uint64(48)
_MAP_COMMENT = b"//# sourceMappingURL="
_COMMON = (
    *(b"return", b"function", b"typeof", b"undefined", b"switch", b"default", b"export"),
    *(b"import", b"delete", b"continue", b"finally", b"static", b"extends", b"instanceof"),
    *(b"arguments", b"prototype", b"Object", b"length", b"require", b"constructor", b"exports"),
)
"""Stand between others in every text; compilers add and take them away."""


class Pairs(NamedTuple):
    """Pairs of several texts, in their order.

    ``starts`` are the bytes of its text at which each first word begins, ``counts`` how many pairs
    each text has.
    """

    hashes: Hashes
    starts: Places
    counts: Places


def pairs(texts: Sequence[bytes]) -> Pairs:
    """Every pair of neighbouring words. A word over the edge of some 256 KiB is cut in two.

    Small texts are read together: numpy's calls cost more than they do.
    """
    counts = np.zeros(len(texts), np.int64)
    words, starts = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for first, below, padded, edges in _pieces(texts):
        found, kept = _kept_words(padded)
        own = np.diff(np.searchsorted(found, edges))
        starts.append(found + np.repeat(below - edges[:-1], own))
        words.append(kept)
        counts[first : first + len(own)] += own
    return _neighbours(np.concatenate(words), np.concatenate(starts), counts)


def _neighbours(words: Hashes, starts: Places, counts: Places) -> Pairs:
    """Each word with the next one of its text; ``counts`` are each text's words."""
    is_followed = np.ones(len(words), np.bool_)
    is_followed[np.cumsum(counts)[counts > 0] - 1] = False
    hashes = words[:-1] * _STEP
    hashes += words[1:]
    hashes *= _MIX
    return Pairs(hashes[is_followed[:-1]], starts[is_followed], np.maximum(counts - 1, 0))


def _pieces(texts: Sequence[bytes]) -> Iterator[tuple[int, int, bytes, Places]]:
    """Texts one after the other, or a piece of one.

    Gives the first's number, the byte of it at which the piece begins, the bytes with what
    ``_words`` wants around them, and where in them each text begins and the last one ends.
    """
    number = 0
    while number < len(texts):
        last, size = number, 0
        while last < len(texts) and size + len(texts[last]) < _AT_ONCE:
            size += len(texts[last]) + 1
            last += 1
        if last > number:
            together = texts[number:last]
            edges = np.cumsum([0, *(len(text) + 1 for text in together)])
            yield number, 0, b"\0".join([b"", *together, _BEHIND]), edges
            number = last
            continue
        text = texts[number]
        for below in range(0, len(text), _AT_ONCE):
            piece = text[below : below + _AT_ONCE]
            yield number, below, b"\0".join([b"", piece, _BEHIND]), np.array([0, len(piece) + 1])
        number += 1


def prints_of(hashes: Hashes) -> Prints:
    """Pairs as prints: each once, at no line."""
    return distinct(hashes, np.zeros(len(hashes), np.int64))


def with_words(
    files: Sequence[Text], prints: Sequence[FilePrints | None]
) -> Iterator[FilePrints | None]:
    """The prints with those of WORDS, of each text and of what the canonicaliser made of it."""
    for file, one in zip(files, prints, strict=True):
        if one is None or one.language == "python-bytecode":
            yield one
            continue
        made = [_without_map(text) for text in (file.canonical, file.augmented) if text]
        words = prints_of(pairs((file.content, *made)).hashes)
        yield replace(one, channels=one.channels | {Channel.WORDS: words})


def _without_map(text: bytes) -> bytes:
    return text[: text.rfind(_MAP_COMMENT)] if _MAP_COMMENT in text else text


def _kept_words(padded: bytes) -> tuple[Places, Hashes]:
    """Where the words begin that are not everybody's, and what tells them apart."""
    starts, words = _words(padded)
    kept = np.flatnonzero(_IS_KEPT.take((words >> _BUCKETS).view(np.int64)))
    return starts.take(kept), words.take(kept)


def _words(padded: bytes) -> tuple[Places, Hashes]:
    """Where words begin, and what tells them apart: their first fourteen bytes.

    The text stands between a zero, from behind which bytes are counted, and ``_BEHIND``.
    """
    octets = np.frombuffer(padded, np.uint8)
    is_letter = _letters(octets)
    two = is_letter[:-1] & is_letter[1:]
    four = two[:-2] & two[2:]
    six = four[:-2] & two[4:]
    starts = _places(six[1:] > six[:-1])
    beyond = ~_eights(is_letter, 1 + LEAST_WORD)[starts] & _EACH
    behind = beyond & (~beyond + _ONE)  # the byte behind the word, if one of these is
    later = _eights(octets, 1 + LEAST_WORD)[starts] & (behind - _ONE)
    words = _eights(octets, 1)[starts] & _LEAST
    words *= _MIX
    words ^= words >> np.uint64(29)
    words += later
    words *= _MIX
    words ^= words >> np.uint64(31)
    return starts, words


def _places(is_start: Flags) -> Places:
    """Where words start, as ``numpy.flatnonzero`` tells it, which takes four times as long.

    Of eight bytes in a row only the first and the last can both be the start of a word.
    """
    eights = np.packbits(is_start, bitorder="little")
    rows = np.flatnonzero(eights != 0)
    bits = eights[rows]
    starts = (rows << 3) + _FIRST_BIT[bits]
    both = np.flatnonzero(bits & (bits - _ONE_BIT))
    return np.insert(starts, both + 1, (rows[both] << 3) + 7) if len(both) else starts


def _eights(octets: Octets | Flags, offset: int) -> Hashes:
    """Eight bytes as a number, from each byte on; a view."""
    return np.ndarray((len(octets) - offset - _WORD_BYTES + 1,), "<u8", octets, offset, (1,))


def _letters(octets: Octets) -> Flags:
    lower = octets | np.uint8(0x20)
    lower -= np.uint8(ord("a"))
    found: Flags = lower < _LETTERS
    found |= octets - np.uint8(ord("0")) < _DIGITS
    return found


def _kept() -> Flags:
    kept = np.ones(1 << 16, np.bool_)
    kept[_words(b"\0" + b" ".join(_COMMON) + _BEHIND)[1] >> _BUCKETS] = False
    return kept


_IS_KEPT = _kept()
