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

    from monitor.private_code.fingerprint import Text
    from monitor.private_code.lexing.hashing import Places
    from monitor.private_code.prints import FilePrints, Hashes

    Flags = npt.NDArray[np.bool_]
    Octets = npt.NDArray[np.uint8]

LEAST_WORD = 6
_WORD_BYTES = 8
_LETTERS, _DIGITS = 26, 10
_AT_ONCE = 1 << 18  # bytes whose arrays fit the second-level cache
_MIX = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(3)
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(_WORD_BYTES)] + [2**64 - 1], np.uint64)
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
    """Every pair of neighbouring words. Pairs over the edges of some 256 KiB are left out.

    Small texts are read together: numpy's calls cost more than they do.
    """
    counts = np.zeros(len(texts), np.int64)
    hashes, starts = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for first, below, joined, edges in _pieces(texts):
        found, first_words, second_words = _pairs(joined)
        own = np.searchsorted(edges, first_words, "right") - 1
        is_one = second_words < edges[own + 1]
        own = own[is_one]
        hashes.append(found[is_one])
        starts.append(first_words[is_one] - edges[own] + below)
        counts[first : first + len(edges) - 1] += np.bincount(own, minlength=len(edges) - 1)
    return Pairs(np.concatenate(hashes), np.concatenate(starts), counts)


def _pieces(texts: Sequence[bytes]) -> Iterator[tuple[int, int, bytes, Places]]:
    """Texts one after the other, or a piece of one.

    Gives the first's number, the byte of it at which the piece begins, the bytes, and where in them
    each text begins and the last one ends.
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
            yield number, 0, b"\0".join(together), edges
            number = last
            continue
        text = texts[number]
        for below in range(0, len(text), _AT_ONCE):
            piece = text[below : below + _AT_ONCE]
            yield number, below, piece, np.array([0, len(piece) + 1])
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


def _pairs(content: bytes) -> tuple[Hashes, Places, Places]:
    """Pairs, and where the first and the second word of each begin."""
    starts, words = _words(content)
    is_kept = _IS_KEPT[words >> _BUCKETS]
    starts, words = starts[is_kept], words[is_kept]
    hashes = words[:-1] * _STEP + words[1:]
    hashes *= _MIX
    return hashes, starts[:-1], starts[1:]


def _words(content: bytes) -> tuple[Places, Hashes]:
    """Where words begin, and what tells them apart: their first eight bytes and their length."""
    octets = np.frombuffer(b"\0" + content + bytes(_WORD_BYTES + 1), np.uint8)
    is_letter = _letters(octets)
    two = is_letter[:-1] & is_letter[1:]
    four = two[:-2] & two[2:]
    six = four[:-2] & two[4:]
    edges = np.flatnonzero(six[1:] != six[:-1])
    starts = edges[0::2]
    sizes = edges[1::2] - starts + (LEAST_WORD - 1)
    ahead: Hashes = np.ndarray((len(octets) - _WORD_BYTES,), "<u8", octets, 1, (1,))
    words = ahead[starts] & _MASKS[np.minimum(sizes, _WORD_BYTES)]
    words ^= sizes.astype(np.uint64) << np.uint64(56)
    words *= _MIX
    words ^= words >> np.uint64(29)
    words *= _MIX
    return starts, words


def _letters(octets: Octets) -> Flags:
    lower = octets | np.uint8(0x20)
    lower -= np.uint8(ord("a"))
    found: Flags = lower < _LETTERS
    found |= octets - np.uint8(ord("0")) < _DIGITS
    return found


def _kept() -> Flags:
    kept = np.ones(1 << 16, np.bool_)
    kept[_words(b" ".join(_COMMON))[1] >> _BUCKETS] = False
    return kept


_IS_KEPT = _kept()
