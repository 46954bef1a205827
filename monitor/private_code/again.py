"""The second reading's own process: texts on standard input, their prints on standard output."""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING

import msgspec

from monitor.private_code.canonical import MIB, Canonicaliser, Limits
from monitor.private_code.fingerprint import fingerprints
from monitor.private_code.prints import Text
from monitor.private_code.taking import BATCH_BYTES, TakenText, taken_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIMITS = Limits(batch_seconds=10.0, futile_runs=8, file_bytes=8 * MIB)
_MEMORY_BYTES = 1024 * MIB
_CPU_SECONDS = 120
_ASKED = msgspec.msgpack.Decoder(list[TakenText])


def main(program: str) -> None:
    """Read, write, end."""
    asked = _ASKED.decode(sys.stdin.buffer.read())
    canonical = Canonicaliser(program, LIMITS).texts([(one.path, one.content) for one in asked])
    _confine()
    found = [
        Text(one.path, one.content, text)
        for one, text in zip(asked, canonical, strict=True)
        if text is not None
    ]
    read = [
        taken_file(text, prints)
        for batch in _batches(found)
        for text, prints in zip(batch, fingerprints(batch), strict=True)
        if prints is not None
    ]
    sys.stdout.buffer.write(msgspec.msgpack.encode(read))


def _batches(texts: Sequence[Text]) -> Iterator[list[Text]]:
    batch: list[Text] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text.content)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _confine() -> None:
    """From now on no file is written, and memory and time are bounded."""
    limits = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
    ]
    if sys.platform != "darwin":  # which refuses this one; the time limit then still holds
        limits.append((resource.RLIMIT_DATA, _MEMORY_BYTES))
    for kind, most in limits:
        _, ceiling = resource.getrlimit(kind)
        lowered = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
        resource.setrlimit(kind, (lowered, lowered))
