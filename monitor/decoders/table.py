"""Which decoder is called by which probe.

To add one: write it, its line here, its probe in ``monitor.rules.probes`` (or ``encoded``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.decoders import based, escapes, joined, markup, mirrored, variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from monitor.decoders.piece import Buffer, Piece


class Decoder(NamedTuple):
    """What is called with the hits of a probe; a noisy one's finds need rules that are sure."""

    probe: str
    decode: Callable[[Buffer, Sequence[int]], Iterator[Piece]]
    is_noisy: bool = False


DECODERS: tuple[Decoder, ...] = (
    Decoder("base64", based.around),
    Decoder("compressed", based.behind),
    Decoder("base64-word", based.near),
    Decoder("base32", based.base32, is_noisy=True),
    Decoder("hex", based.hexadecimal, is_noisy=True),
    Decoder("hex-word", based.near_hexadecimal, is_noisy=True),
    Decoder("escape", escapes.backslash),
    Decoder("css-escape", escapes.css),
    Decoder("percent", escapes.percent),
    Decoder("html", escapes.entities),
    Decoder("quoted-printable", escapes.quoted_printable, is_noisy=True),
    Decoder("markup", markup.paragraphs, is_noisy=True),
    Decoder("joint", joined.concatenated, is_noisy=True),
    Decoder("list", joined.listed, is_noisy=True),
    Decoder("split", joined.wrapped, is_noisy=True),
    Decoder("assigned", variables.composed, is_noisy=True),
    Decoder("codes", joined.codes),
    Decoder("reversed", mirrored.reversed_literals, is_noisy=True),
    Decoder("turned", mirrored.reversed_by_call, is_noisy=True),
    Decoder("rot13", mirrored.rot13, is_noisy=True),
    Decoder("full-width", mirrored.full_width),
    Decoder("utf16", mirrored.embedded_utf16),
)
