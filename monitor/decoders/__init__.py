"""Decoders: what hides a token is undone, again and again, where probes point to it.

A decoder (``table``) takes a text and the offsets behind the hits of its probe and gives pieces:
stretches read otherwise, and where each byte of them comes from. It is pure, and its work is linear
in the text. ``unfold`` runs them all over one member and the rules over what they give. This module
imports none of them: most members need none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.decoders.piece import Buffer

DECODER_PROBES = frozenset(
    {"base64", "compressed", "base64-word", "base32", "hex", "hex-word", "escape", "css-escape"}
    | {
        "percent",
        "html",
        "quoted-printable",
        "joint",
        "list",
        "split",
        "assigned",
        "codes",
        "reversed",
    }
    | {"turned", "rot13", "full-width", "utf16", "markup"}
)
"""The probes that concern decoders; ``table.DECODERS`` has a line for each."""


def may_be_wide(text: Buffer) -> bool:
    """Whether a text begins as one in UTF-16 or UTF-32 can; decides for most that it does not."""
    head = bytes(text[:4])
    return 0 in head or head[:1] in (b"\xff", b"\xfe")
