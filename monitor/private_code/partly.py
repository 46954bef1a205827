"""Reads texts for their prints, whole or only the stretches that a gate lets pass."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from monitor.archive.pyc import version
from monitor.private_code.gate import Passed
from monitor.private_code.prints import Channel, FilePrints, Text
from monitor.private_code.winnowing import united
from monitor.private_code.words import prints_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.private_code.gate import Gate

_HEAD = 16


def read(texts: Sequence[Text], gate: Gate | None) -> list[FilePrints | None]:
    """Each text's prints; None for one in which the gate sees nothing of ours.

    Bytecode is read whole: its names are no words of a text.
    """
    if gate is None:
        return _fingerprints(texts)
    is_plain = [version(text.content[:_HEAD]) is None for text in texts]
    plain = list(itertools.compress(texts, is_plain))
    chosen = iter(gate.passed([text.content for text in plain]))
    passed = [
        next(chosen) if one else _whole(text) for one, text in zip(is_plain, texts, strict=True)
    ]
    if not any(passed):
        return [None] * len(texts)
    pieces = [
        Text(text.path, text.content[low:high])
        for text, one in zip(texts, passed, strict=True)
        if one is not None
        for low, high in one.stretches
    ]
    found = iter(_fingerprints(pieces))
    return [
        None if one is None else _joined(text, one, [next(found) for _ in one.stretches])
        for text, one in zip(texts, passed, strict=True)
    ]


def _fingerprints(texts: Sequence[Text]) -> list[FilePrints | None]:
    """Loaded when there is something to read: of most packages nothing is."""
    from monitor.private_code.fingerprint import fingerprints

    return fingerprints(texts)


def _whole(text: Text) -> Passed:
    return Passed([(0, len(text.content))], np.empty(0, np.uint64))


def _joined(text: Text, passed: Passed, parts: Sequence[FilePrints | None]) -> FilePrints | None:
    """The prints of a text from those of its stretches, with the words that are ours."""
    found = zip(parts, _lines_above(text.content, passed.stretches), strict=True)
    read = [(one, above) for one, above in found if one is not None]
    if not read:
        return None
    channels = {Channel.WORDS: prints_of(passed.words)} if len(passed.words) else {}
    for channel in dict.fromkeys(each for one, _ in read for each in one.channels):
        own = [(one.channels[channel], above) for one, above in read if channel in one.channels]
        channels[channel] = united(
            [(each.hashes, each.lines.astype(np.int64) + above) for each, above in own]
        )
    first, size = read[0][0], len(text.content)
    is_whole = passed.stretches == [(0, size)]
    return replace(
        first,
        lines=sum(one.lines for one, _ in read),
        tokens=sum(one.tokens for one, _ in read),
        # What is read in part is identical to no private file: that would have passed whole.
        content=first.content if is_whole else b"",
        normal=first.normal if is_whole else b"",
        channels=channels,
        coverage=sum(high - low for low, high in passed.stretches) / size,
    )


def _lines_above(content: bytes, stretches: Sequence[tuple[int, int]]) -> Iterator[int]:
    above = at = 0
    for low, _ in stretches:
        above += content.count(b"\n", at, low)
        at = low
        yield above
