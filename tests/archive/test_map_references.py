"""``sourceMappingURL`` wherever it stands: comments, styles, string literals, WebAssembly."""

from __future__ import annotations

import base64
import json
import marshal
import re
from urllib.parse import quote, quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.archive.source_maps import (
    all_references,
    data_uri,
    read,
    references,
    wasm_references,
)

MAP = json.dumps(
    {"version": 3, "sources": ["a.ts"], "sourcesContent": ["let a = '~'; // ???\n"], "mappings": ""}
).encode()
B64 = base64.b64encode(MAP).decode()
URL_SAFE = base64.urlsafe_b64encode(MAP).decode()
FOLDED = "\n ".join(B64[at : at + 60] for at in range(0, len(B64), 60))
MARK = "source" + "MappingURL="


@pytest.mark.parametrize(
    "text",
    [
        f"//# {MARK}data:application/json;base64,{B64}",
        f"//@ {MARK}data:application/json;charset=utf-8;base64,{B64}\nvar b;",
        f"/*# {MARK}data:application/json;base64;charset=utf-8,{B64} */ .a{{}}",
        f"/*# {MARK}data:;BASE64,{FOLDED} */ body",
        f"//# {MARK}data:text/plain;base64,{B64.rstrip('=')}\nvar b",
        f"//# {MARK}data:x/y;base64,{URL_SAFE}\r\nvar b",
        f"//# {MARK}data:application/json;base64,{quote(B64, safe='')}",
        f"//# {MARK}data:application/json;base64, {B64}",
        f'eval("a();\\n//# {MARK}data:;charset=utf-8;base64,{B64}\\n//# sourceURL=x\\n")',
        f"eval('a();\\n//# {MARK}data:application/json;base64,{B64}')",
        '{"css": "/*# '
        + MARK
        + "data:application\\/json;base64,"
        + B64.replace("/", "\\/")
        + ' */"}',
        "x = '//# " + MARK + "data:application/json;base64," + B64.replace("+", "\\u002b") + "'",
        f"//# {MARK}data:application/json,{quote(MAP)}",
        f"//# {MARK}data:application/json;charset=utf-8,{quote(MAP, safe='')}\nvar b;",
        f"x = '//# {MARK}data:application/json,{quote(MAP)}'; y()",
        f"//# {MARK}data:application/json,{MAP.decode()}\nnext()",
    ],
)
def test_a_map_inside_the_code_is_decoded(text: str) -> None:
    found = list(references(text.encode()))
    assert [reference.kind for reference in found] == ["data"]
    opened = read("x.js", found[0].content, origin="inline")
    assert opened is not None
    assert opened.contents == [("a.ts", b"let a = '~'; // ???\n")]
    assert opened.record.problem is None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (f"//# {MARK}cli.js.map", "cli.js.map"),
        (f"//# {MARK} cli.js.map \n", "cli.js.map"),
        (f"/*# {MARK}app.css.map*/", "app.css.map"),
        (f"/*# {MARK}app.css.map?v=1 */", "app.css.map?v=1"),
        (f'"//# {MARK}x.map\\n"', "x.map"),
        (f"//# {MARK}https://maps.example/x.map?sig=a%20b", "https://maps.example/x.map?sig=a%20b"),
    ],
)
def test_an_address_is_told(text: str, url: str) -> None:
    (found,) = references(text.encode())
    assert (found.kind, found.url) == ("url", url)
    assert text.encode()[found.offset :].startswith(url.encode()[:3])


@pytest.mark.parametrize(
    "text",
    [
        f'"{MARK}" + name',
        f"`{MARK}${{name}}`",
        f"{MARK}",
        f"/{MARK}(\\S+)/",
        f"{MARK}data:x;base64,\n",
    ],
)
def test_code_about_maps_is_no_reference(text: str) -> None:
    assert list(references(text.encode())) == []


def test_every_occurrence_counts_and_positions_can_be_given() -> None:
    text = f"a //# {MARK}a.map\nb //# {MARK}data:;base64,{B64}\nc //# {MARK}c.map\n".encode()
    assert [reference.kind for reference in references(text)] == ["url", "data", "url"]
    last = text.rindex(MARK.encode()) + len(MARK)
    assert [reference.url for reference in references(memoryview(text), [last])] == ["c.map"]


def leb128(number: int) -> bytes:
    more = number >> 7
    return bytes([number & 127 | 128]) + leb128(more) if more else bytes([number])


def section(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + leb128(len(body)) + body


def custom(name: bytes, value: bytes) -> bytes:
    return section(0, leb128(len(name)) + name + leb128(len(value)) + value)


def test_wasm_modules_point_to_their_maps() -> None:
    name = MARK[:-1].encode()
    module = (
        b"\0asm\1\0\0\0"
        + section(1, b"\0" * 200)
        + custom(b"name", b"x")
        + custom(name, b"a.wasm.map")
    )
    assert [(found.kind, found.url) for found in wasm_references(module)] == [("url", "a.wasm.map")]
    inline = b"\0asm\1\0\0\0" + custom(name, f"data:application/json;base64,{B64}".encode())
    assert [found.content for found in wasm_references(inline)] == [MAP]
    assert list(wasm_references(b"plain")) == []


def test_a_section_is_told_once_whatever_its_length_looks_like() -> None:
    for length in (1, 60, 61, 62, 127, 128, 300):
        address = ("maps/" * 60)[: length - 1] + "m"
        module = b"\0asm\1\0\0\0" + custom(MARK[:-1].encode(), address.encode())
        section_at = [found.end() for found in re.finditer(MARK[:-1].encode(), module)]
        comment_at = [found.end() for found in re.finditer(MARK.encode(), module)]
        found = list(all_references(module, comment_at, section_at))
        assert [(each.kind, each.url) for each in found] == [("url", address)]


def test_a_constant_of_bytecode_is_no_section() -> None:
    code = marshal.dumps((MARK[:-1], b"\1\2", 7, "x" * 300))
    assert b"\x10" + MARK[:-1].encode() in code
    assert list(wasm_references(code)) == []


@given(st.binary(max_size=300))
def test_percent_encoding_agrees_with_the_library(raw: bytes) -> None:
    assert (data_uri(b"data:," + quote_from_bytes(raw, safe="").encode()) or b"") == raw


@given(st.binary(max_size=300))
def test_base64_comes_back(raw: bytes) -> None:
    assert (data_uri(b"data:;base64," + base64.b64encode(raw)) or b"") == raw


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            [b"data:", b";base64,", b"\\", b"%", b"%7", b"/*# ", b"=", b"\n", b"A", b","]
        )
        | st.binary(max_size=3)
    )
)
def test_nothing_behind_the_mark_raises(pieces: list[bytes]) -> None:
    text = b"//# " + MARK.encode() + b"".join(pieces)
    list(references(text))
    list(references(text, [0, 1, len(text), len(text) + 5]))


@given(st.binary(max_size=80))
def test_any_wasm_is_answered(rest: bytes) -> None:
    list(wasm_references(b"\0asm\1\0\0\0" + rest))
