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
    Probe("map-json", r'"sourcesContent"\s*:'),  # a map that was cut short has only these two
    Probe("map-json", r'"sources"\s*:'),
    # the custom section of WebAssembly: the name behind its length, however long that is written
    Probe("wasm-map-url", r"(?:\x10|\x90(?:\x80){0,3}\x00)sourceMappingURL"),
    # What follows calls decoders (``monitor.decoders``). Each is a plain literal or a short run:
    # a repeat in front, or a mark of one or two bytes that code is full of, costs the whole scan.
    Probe("compressed", r"H4sI[A-Za-z0-9+/_-]{16}"),
    Probe("compressed", r"UEsDB[A-Za-z0-9+/_-]{16}"),
    Probe("base64-word", r"atob\("),
    Probe("base64-word", r"[bB]ase64"),
    Probe("base64-word", r"b64[dD]ecode"),
    Probe("base64-word", r"kind: Secret"),
    Probe("base64-word", r"[pP]ower[sS]hell"),
    Probe("base64-word", r"EncodedCommand"),
    Probe("hex-word", r"fromhex\("),
    Probe("hex-word", r"unhexlify\("),
    Probe("hex-word", r"[\"']hex[\"']"),
    Probe("escape", r"(?:\\x[0-9a-fA-F]{2}){6}"),
    Probe("escape", r"(?:\\\\x[0-9a-fA-F]{2}){6}"),
    Probe("escape", r"(?:\\u00[0-9a-fA-F]{2}){6}"),
    Probe("escape", r"(?:\\\\u00[0-9a-fA-F]{2}){6}"),
    Probe("escape", r"\\u\{[0-9a-fA-F]{2}\}\\u\{[0-9a-fA-F]{2}\}\\u\{[0-9a-fA-F]{2}\}"),
    Probe("escape", r"\\1[0-7]{2}\\[0-1]?[0-7]{2}\\1[0-7]{2}\\[0-1]?[0-7]{2}"),
    Probe("escape", r"(?:\\U000000[0-9a-fA-F]{2}){3}"),
    Probe("css-escape", r"(?:\\[2-7][0-9a-fA-F] ){4}"),
    Probe("percent", r"%[2-7][0-9a-fA-F]%[2-7][0-9a-fA-F]%[2-7][0-9a-fA-F]%[2-7][0-9a-fA-F]"),
    Probe("percent", r"%25[2-7][0-9a-fA-F]%25[2-7][0-9a-fA-F]%25"),
    Probe("html", r"&#1?[0-9]{2};&#1?[0-9]{2};&#1?[0-9]{2};"),
    Probe("html", r"&#[xX][2-7][0-9A-Fa-f];&#[xX][2-7][0-9A-Fa-f];&#[xX]"),
    Probe("html", r"&#1?[0-9]{2}&#1?[0-9]{2}&#1?[0-9]{2}&#"),
    Probe("html", r"&#[xX][2-7][0-9A-Fa-f]&#[xX][2-7][0-9A-Fa-f]&#[xX]"),
    Probe("escape", r"\\(?:x|u00)5[fF]"),
    Probe("percent", r"%5[fF]"),
    Probe("percent", r"%3[dD]"),
    Probe("html", r"&lowbar;"),
    Probe("html", r"&#95;"),
    Probe("html", r"&#[xX]5[fF];"),
    Probe("joint", r"\"\+\""),
    Probe("joint", r"'\+'"),
    Probe("joint", r"\" \+ \""),
    Probe("joint", r"' \+ '"),
    Probe("joint", r"\" \. \""),
    Probe("joint", r"' \. '"),
    Probe("joint", r"\"\+\n"),
    Probe("joint", r"'\+\n"),
    Probe("joint", r"\" \+\r?\n"),
    Probe("joint", r"' \+\r?\n"),
    Probe("joint", r"\n *\+ \""),
    Probe("joint", r"\n *\+ '"),
    Probe("joint", r"\" \+ /\*"),
    Probe("joint", r"' \+ /\*"),
    Probe("joint", r"\$\{\""),
    Probe("joint", r"\$\{'"),
    Probe("joint", r"\"\.concat\(\""),
    Probe("joint", r"'\.concat\('"),
    Probe("list", r"\.join\(\"\"\)"),
    Probe("list", r"\.join\(''\)"),
    Probe("list", r"\"\"\.join\([\[(]"),
    Probe("list", r"''\.join\([\[(]"),
    Probe("list", r"\.join\(\"(?:[_.\-]|\\n)\"\)"),
    Probe("list", r"\.join\('(?:[_.\-]|\\n)'\)"),
    Probe("list", r"\"(?:[_.\-]|\\n)\"\.join\([\[(]"),
    Probe("list", r"'(?:[_.\-]|\\n)'\.join\([\[(]"),
    Probe("codes", r"fromCharCode\("),
    Probe("codes", r"fromCodePoint\("),
    Probe("codes", r"fromCharCode\.apply\("),
    Probe("codes", r"fromCodePoint\.apply\("),
    Probe("codes", r"fromCharCode\(\.\.\.\["),
    Probe("codes", r"map\(chr, ?[\[(]"),
    Probe("codes", r"chr\([a-z]{1,4}\) for [a-z]{1,4} in [\[(]"),
    Probe("codes", r"\[\](?:byte|uint8|rune)\{"),
    Probe("codes", r"\[\] ?= ?\{"),
    Probe("codes", r"bytes\(\["),
    Probe("codes", r"bytearray\(\["),
    Probe("codes", r"Uint8Array\(\["),
    Probe("codes", r"Array\.from\(\["),
    Probe("codes", r"Buffer\.from\(\["),
    Probe("codes", r"chr\([0-9]{2,3}\) ?[+.&] ?chr\("),
    Probe("full-width", r"\xef\xbc\xbf"),  # the low line
    Probe("full-width", r"\xef\xbc\x8d"),  # the hyphen
    Probe("rot13", r"[rR][oO][tT]_?13"),
    Probe("turned", r"\.reverse\(\)"),
    Probe("turned", r"\[::-1\]"),
    Probe("turned", r"strrev\("),
    Probe("markup", r"</w:t>"),
    Probe("markup", r"</a:t>"),
    Probe("markup", r"</text:p>"),
    Probe("quoted-printable", r"quoted-printable"),
    Probe("quoted-printable", r"=3D[A-Za-z0-9_\-]"),
)

DERIVED: tuple[str, ...] = (
    "base64", "base32", "hex", "utf16", "split", "assigned", "reversed",
)  # fmt: skip
"""Names of probes whose expressions are made from the rules (``monitor.rules.encoded``)."""

NAMES: tuple[str, ...] = (*(probe.name for probe in PROBES), *DERIVED)
"""What the ids behind those of the rules stand for."""
