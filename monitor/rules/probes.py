"""What the one scan looks for besides the rules: named probes whose hits readers of formats use.

A probe is an expression in Hyperscan's syntax (byte semantics, no flags) that must end at something
fixed, so that one occurrence raises one hit. Its hits are the offsets behind each occurrence.
"""

from __future__ import annotations

from typing import NamedTuple


class Probe(NamedTuple):
    """A name that users of ``Matcher.probe_hits`` know, and what to look for."""

    name: str
    expression: str


PROBES: tuple[Probe, ...] = (
    Probe("source-map-url", r"sourceMappingURL(?:=|\\{1,7}(?:u00|x)3[dD])"),
    Probe("map-json", r'"mappings"\s*:'),
    Probe("map-json", r'"sections"\s*:'),
)
