"""Reads texts for their prints, whole or only the stretches that a gate lets pass."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from monitor.archive.pyc import version
from monitor.private_code.fingerprint import Text, fingerprints
from monitor.private_code.prints import Channel, FilePrints
from monitor.private_code.winnowing import united
from monitor.private_code.words import prints_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.private_code.gate import Gate, Passed

_HEAD = 16


def read(texts: Sequence[Text], gate: Gate | None) -> Iterator[tuple[Text, FilePrints | None]]:
    """Each text with its prints; without those in which the gate sees nothing of ours.

    Bytecode is read whole: its names are no words of a text.
    """
    if gate is None:
        yield from zip(texts, fingerprints(texts), strict=True)
        return
    plain: list[Text] = []
    compiled: list[Text] = []
    for text in texts:
        (plain if version(text.content[:_HEAD]) is None else compiled).append(text)
    yield from zip(compiled, fingerprints(compiled), strict=True)
    passed = gate.passed([text.content for text in plain])
    chosen = [(text, one) for text, one in zip(plain, passed, strict=True) if one is not None]
    pieces = [
        Text(text.path, text.content[low:high])
        for text, one in chosen
        for low, high in one.stretches
    ]
    found = iter(fingerprints(pieces))
    for text, one in chosen:
        own = [next(found) for _ in one.stretches]
        yield text, _joined(text, one, own)


def _joined(text: Text, passed: Passed, parts: Sequence[FilePrints | None]) -> FilePrints | None:
    """The prints of a text from those of its stretches, with the words that are ours."""
    read = [
        (one, text.content.count(b"\n", 0, low))
        for one, (low, _) in zip(parts, passed.stretches, strict=True)
        if one is not None
    ]
    if not read:
        return None
    channels = {Channel.WORDS: prints_of(passed.words)}
    for channel in dict.fromkeys(each for one, _ in read for each in one.channels):
        own = [(one.channels[channel], above) for one, above in read if channel in one.channels]
        channels[channel] = united(
            [(each.hashes, each.lines.astype(np.int64) + above) for each, above in own]
        )
    whole = len(text.content)
    is_whole = passed.stretches == [(0, whole)]
    first = read[0][0]
    return replace(
        first,
        lines=sum(one.lines for one, _ in read),
        tokens=sum(one.tokens for one, _ in read),
        content=hashlib.blake2b(text.content, digest_size=16).digest(),
        normal=first.normal if is_whole else b"",
        channels=channels,
        coverage=sum(high - low for low, high in passed.stretches) / whole,
    )
