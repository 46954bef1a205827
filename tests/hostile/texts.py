"""Hostile content for what lies behind the archives: matcher, decoders, source maps, manifests.

Each is one file as a package would ship it; nothing needs to be found in it, everything survived.
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING

from tests.hostile.case import Case
from tests.hostile.makers import plain_zip
from tests.scenarios.builders import inline, npm, random_text

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20


def _packed(name: str, content: Callable[[], bytes]) -> Case:
    return Case(f"text-{name}", lambda: npm({name: content()}), see=b"")


def _flat(count: int) -> bytes:
    return json.dumps(
        {"version": 3, "sources": ["a.js"] * count, "sourcesContent": ["x"] * count, "mappings": ""}
    ).encode()


def _sections(depth: int) -> bytes:
    inner = b'{"version":3,"sources":["a.ts"],"sourcesContent":["x"],"mappings":""}'
    head = b'{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":'
    return head * depth + inner + b"}]}" * depth


def _in_each_other(depth: int) -> bytes:
    """A map whose source has an inline map whose source has one, and so on."""
    text = "let a = 1\n"
    for _ in range(depth):
        text = inline(_map_of(text))
    return text.encode()


def _map_of(text: str) -> bytes:
    return json.dumps(
        {"version": 3, "sources": ["a.ts"], "sourcesContent": [text], "mappings": ""}
    ).encode()


def _escapes(unit: bytes, size: int) -> bytes:
    return b'a = "' + unit * (size // len(unit)) + b'"\n'


def _based(levels: int) -> bytes:
    body = b"token = " + random_text(40).encode()
    for _ in range(levels):
        body = b'x = atob("' + base64.b64encode(body) + b'")\n'
    return body


def _zips_in_text() -> bytes:
    coded = base64.b64encode(plain_zip(b"a", b"b"))
    return b"".join(b'x%d = atob("%s")\n' % (number, coded) for number in range(2_000))


def texts() -> list[Case]:
    words = {
        "joints.js": lambda: _escapes(b'"+"', MIB // 4),
        "joined.js": lambda: _escapes(b"'+\n'", MIB // 4),
        "unicode.js": lambda: _escapes(b"\\u0041", MIB),
        "hexadecimal.js": lambda: _escapes(b"\\x41", MIB),
        "octal.js": lambda: _escapes(b"\\101\\102", MIB),
        "percent.txt": lambda: _escapes(b"%41%42%43%44", MIB),
        "entities.html": lambda: _escapes(b"&#65;&#66;&#67;", MIB),
        "backslashes.json": lambda: _escapes(b"\\\\\\\\", MIB),
        "quotes.js": lambda: b"\"'" * MIB,
        "brackets.json": lambda: b"[" * (2 * MIB),
        "objects.json": lambda: b'{"sources":' * (MIB // 8),
        "based.js": lambda: _based(12),
        "zips.js": _zips_in_text,
        "codes.js": lambda: b"String.fromCharCode(" + b"65," * (MIB // 3) + b"65)\n",
        "reversed.js": lambda: b'"' + b"_phg" * (MIB // 4) + b'".split("").reverse().join("")\n',
        "wide.txt": lambda: ("token = " + "\uff21" * (MIB // 4)).encode("utf-16"),
        "prefixes.txt": lambda: b"ghp_AKIA" * (MIB // 8),
        "keys.pem": lambda: (b"-----BEGIN PRIVATE " + b"KEY-----\n") * 30_000,
        "one-line.js": lambda: random_text(2 * MIB).encode(),
        "nul.bin": lambda: bytes(8 * MIB),
        "many.js.map": lambda: _flat(200_500),
        "deep.js.map": lambda: _sections(20_000),
        "sections.js.map": lambda: _sections(6),
        "chained.js": lambda: _in_each_other(9),
        "cut.js.map": lambda: _flat(40_000)[:300_000],
        "commas.js.map": lambda: (
            b'{"version":3,"sources":[' + b"," * (3 * MIB) + b'],"mappings":""}'
        ),
        "quoted.js.map": lambda: _map_of("\\\u2028\"'\n\t" * 100_000),
        "remarks.js": lambda: b"//# sourceMappingURL=a.map\n" * 60_000,
        "inlines.js": lambda: (inline(_map_of("a")).encode() + b"\n") * 5_000,
        "sections.wasm": lambda: b"\0asm\1\0\0\0" + b"\x10sourceMappingURL\x7f" * 50_000,
        "package-lock.json": lambda: b'{"packages":' * 100_000,
        "METADATA": lambda: b"Name: a\n" * 200_000,
        ".env": lambda: b"A_TOKEN=" + random_text(30).encode() * 30_000,
        ".npmrc": lambda: b"//a/:_authToken=${A}\n" * 60_000,
        "gzip.gz": lambda: gzip.compress(_escapes(b'"+"', MIB // 4)),
        "notes.ipynb": lambda: b'{"cells":[' + b'{"source":["a"]},' * 60_000,
    }
    return [_packed(name, content) for name, content in words.items()]
