"""Prints of real files: what changes them and what does not."""

from __future__ import annotations

import marshal
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.private_code import code_names
from monitor.private_code.fingerprint import MAX_LITERALS, fingerprint, fingerprints
from monitor.private_code.hygiene import REASONS, hygiene
from monitor.private_code.languages import language
from monitor.private_code.prints import Channel, FilePrints, Text
from monitor.private_code.suffixes import suffix

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "tests" / "servers" / "node_modules"
PYTHON_SOURCE = (ROOT / "monitor" / "archive" / "marshalled.py").read_bytes()
SCRIPT = (MODULES / "acorn" / "dist" / "acorn.js").read_bytes()
INTERPRETERS = [
    Path(sys.executable),
    *sorted(Path.home().glob(".pyenv/versions/3.*/bin/python")),
]


def told(path: str, content: bytes, *, for_index: bool = False) -> FilePrints:
    found = fingerprint(path, content, for_index=for_index)
    assert found is not None
    return found


def shared(one: FilePrints, other: FilePrints, channel: Channel) -> float:
    """The share of the first one's prints that the second has too."""
    own = one.channels[channel].hashes
    return float(np.isin(own, other.channels[channel].hashes).mean())


def test_every_channel_of_a_script() -> None:
    prints = told("acorn.js", SCRIPT)
    assert prints.language == "javascript"
    assert prints.lines == SCRIPT.count(b"\n")
    assert set(prints.channels) == {Channel.TOKENS, Channel.SKELETON, Channel.LITERALS}
    for one in prints.channels.values():
        assert len(one.hashes) == len(one.lines) == len(np.unique(one.hashes))
        assert one.lines.min() >= 1
        assert one.lines.max() <= prints.lines
    assert len(prints.channels[Channel.LITERALS].hashes) <= MAX_LITERALS
    assert (np.diff(prints.channels[Channel.TOKENS].lines.astype(int)) >= 0).all()


def test_layout_comments_and_local_names_do_not_matter() -> None:
    text = b"function area(box, scale) {\n  // of it\n  const w = box.width * scale;\n"
    text += b"  return { area: w * box.height, unit: 'px', name: box.label || 'none' };\n}\n"
    other = text.replace(b"// of it", b"/* none */").replace(b"scale", b"s").replace(b"box", b"b")
    other = other.replace(b"\n  ", b"\n\t").replace(b"'px'", b'"px"').replace(b"const", b"let")
    one, two = told("a.js", text), told("b.ts", other)
    assert one.normal == two.normal
    assert one.content != two.content
    hashes = one.channels[Channel.TOKENS].hashes
    assert len(hashes) > 2
    assert hashes.tolist() == two.channels[Channel.TOKENS].hashes.tolist()


def test_a_batch_gives_what_single_files_give() -> None:
    paths = [path for path in sorted(MODULES.rglob("*.js")) if path.is_file()][::97]
    paths += sorted((ROOT / "monitor" / "archive").glob("*.py"))[::5]
    texts = [Text(str(path), path.read_bytes()) for path in paths]
    texts.insert(3, Text("x.png", b"\x89PNG\0\0"))
    together = fingerprints(texts)
    assert together[3] is None
    assert len(together) > 40
    for text, prints in zip(texts, together, strict=True):
        alone = fingerprint(text.path, text.content)
        assert (alone is None) == (prints is None)
        if alone is None or prints is None:
            continue
        assert (alone.normal, alone.tokens) == (prints.normal, prints.tokens)
        for channel, one in alone.channels.items():
            assert one.hashes.tolist() == prints.channels[channel].hashes.tolist()
            assert one.lines.tolist() == prints.channels[channel].lines.tolist()


def test_a_large_file_keeps_its_prints_across_sections() -> None:
    once = told("a.js", SCRIPT)
    many = told("a.js", SCRIPT * 6)
    assert shared(once, many, Channel.TOKENS) > 0.98
    assert len(many.channels[Channel.TOKENS].hashes) < 1.2 * len(
        once.channels[Channel.TOKENS].hashes
    )


def test_repetition_and_tables_of_numbers_leave_no_prints() -> None:
    table = b"x = [" + b"".join(b"%d, " % (n * 37 % 1009) for n in range(3000)) + b"]\n"
    assert Channel.TOKENS not in told("t.js", table).channels
    assert Channel.TOKENS not in told("f.js", b"f(a, b);\n" * 5000).channels


def test_minified_code_has_canonical_prints() -> None:
    text = b"!function(e,t){var n=e.count,r=t.label;for(var i=0;i<n;i++)r.push(e.items[i].name);"
    text += b"return r.length?{first:r[0],last:r[n-1],total:n}:null}(a,b);"
    prints = told("x.js", text)
    assert Channel.CANONICAL in prints.channels
    assert Channel.AUGMENTED in prints.channels
    assert Channel.AUGMENTED not in told("x.js", text, for_index=True).channels
    assert Channel.CANONICAL not in told("acorn.js", SCRIPT).channels


def test_the_shape_outlives_renamed_properties() -> None:
    text = b"!function(e,t){for(var n=0;n<e.count;n++)t.push(e.items[n]!==null?n%2===1:typeof n);"
    text += b"if(t.size>>2||!e.open)throw new Error(e.name+'!');return t.done?{a:[1,e.b]}:void 0}()"
    other = text.replace(b"a:[1,e.b]", b"w:[1,e.x]")
    for name in (b"count", b"push", b"items", b"size", b"open", b"name", b"done"):
        other = other.replace(b"." + name, b"." + name[-1:])
    one = fingerprint("a.js", b"x;\n", canonical=text)
    two = fingerprint("b.js", b"y;\n", canonical=other)
    assert one is not None
    assert two is not None
    assert len(one.channels[Channel.SHAPE].hashes) > 2
    assert shared(one, two, Channel.SHAPE) == 1
    assert shared(one, two, Channel.CANONICAL) < 0.2


def test_canonical_text_brings_prints_with_lines_of_the_file() -> None:
    code = b"a.first(b.second,{third:1}),c.fourth(d.fifth,'x'),e.sixth(f.seventh,{eighth:2});\n"
    mapping = (
        b"eyJtYXBwaW5ncyI6IkFBQUEsQUFDQSxBQUNBLEFBQ0EifQ=="  # {"mappings":"AAAA,AACA,AACA,AACA"}
    )
    mark = b"//# sourceMappingURL=data:application/json;base64,"
    found = fingerprint("a.ts", b"x;\n" * 9, canonical=code + mark + mapping)
    assert found is not None
    assert found.channels[Channel.CANONICAL].lines.tolist() == [4] * len(
        found.channels[Channel.CANONICAL].hashes
    )
    without = fingerprint("a.ts", b"x;\n" * 9, canonical=code + mark + b"!!!")
    assert without is not None
    assert set(without.channels[Channel.CANONICAL].lines.tolist()) == {1}


def test_squeezed_python_matches_its_annotated_source() -> None:
    lines = [
        "def total(order: Order, rebate: float | None = None) -> float:",
        '    """What it costs."""',
        "    amount: float = sum(line.price * line.quantity for line in order.lines)",
        "    if rebate is not None and amount > order.minimum:",
        "        amount -= rebate * order.customer.grade('gold')",
        "    return round(amount, order.currency.digits)",
    ]
    source = "\n".join(lines * 3).encode()
    squeezed = re.sub(rb": (Order|float \| None|float)| -> float", b"", source)
    squeezed = squeezed.replace(b'    """What it costs."""\n', b"").replace(b"    ", b" ")
    for name in (b"order", b"rebate", b"amount", b"line"):
        squeezed = re.sub(rb"(?<!\.)\b" + name + rb"\b", name[:1], squeezed)
    index = told("a.py", source, for_index=True)
    found = told("b.py", squeezed)
    assert shared(found, index, Channel.AUGMENTED) > 0.6
    assert set(index.channels[Channel.AUGMENTED].lines.tolist()) <= set(range(1, 20))


@pytest.mark.parametrize("python", INTERPRETERS, ids=str)
def test_bytecode_matches_its_source(python: Path, tmp_path: Path) -> None:
    plain = tmp_path / "sample.py"
    plain.write_bytes(b"import re, os\n" + LEGACY)
    compiled = tmp_path / "sample.pyc"
    script = "import py_compile, sys; py_compile.compile(sys.argv[1], sys.argv[2], doraise=True)"
    subprocess.run([python, "-c", script, plain, compiled], check=True)
    index = told("sample.py", plain.read_bytes(), for_index=True)
    bytecode = told("sample.pyc", compiled.read_bytes())
    assert bytecode.language == "python-bytecode"
    assert shared(index, bytecode, Channel.BYTECODE) > 0.7
    assert shared(bytecode, index, Channel.BYTECODE) > 0.7
    assert bytecode.channels[Channel.BYTECODE].lines.max() <= index.lines


LEGACY = b'''
class Store(object):
    """Keeps things."""

    def __init__(self, folder, limit=10):
        self.folder = folder
        self.limit = limit
        self.entries = {}

    def load(self, name):
        path = os.path.join(self.folder, name.strip().lower())
        if not os.path.exists(path):
            raise KeyError(name)
        with open(path) as stream:
            self.entries[name] = [re.sub(r"x+", "y", line) for line in stream.readlines()]
        return self.entries.get(name).copy()

    def save(self, name):
        for key, value in sorted(self.entries.items()):
            if len(self.entries) > self.limit and key.startswith(name):
                self.entries.pop(key)
        print(os.getcwd(), self.folder, re.escape(name), isinstance(name, str))
'''


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_broken_bytecode_is_no_error(junk: bytes) -> None:
    head = struct.pack("<HHIII", 3495, 0x0A0D, 0, 0, 0)
    code = marshal.dumps(compile("a.b.c(d.e, f.g)", "x", "exec"))
    for content in (head + junk, head + code[: len(junk)] + junk, junk):
        fingerprint("x.pyc", content)
        code_names.bytecode(content)


@given(st.binary(max_size=400), st.sampled_from(["a.js", "a.py", "a.rs", "a", "LICENSE", "x.css"]))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_answered(content: bytes, path: str) -> None:
    fingerprint(path, content, for_index=True)
    assert hygiene(path, content) in (None, *REASONS)


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("src/a.tsx", b"", "javascript"),
        ("a.min.js.txt", b"", "javascript"),
        ("a/b.PY", b"", "python"),
        ("run", b"#!/usr/bin/env python3\nx\n", "python"),
        ("cli", b"#!/usr/bin/env -S node --x\n", "javascript"),
        ("bundle.dat", b"const a = 1; let b = () => a === 2; export default b\n", "javascript"),
        ("noname", b"def f(a):\n    self.x = a\n\nclass B(object):\n    pass\n", "python"),
        ("main.go", b"", "go"),
        ("readme.md", b"const a = () => 1; let b = () => a === 2\n", "text"),
        ("x", b"plain words that say nothing", "text"),
    ],
)
def test_languages(path: str, content: bytes, expected: str) -> None:
    assert language(path, content) == expected


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("node_modules/a/index.js", b"x", "vendored"),
        ("docs/_static/jquery-3.6.0.js", b"x", "vendored"),
        ("docs/lib.js", b"/*! Thing v1.2.3\n * Released under the MIT license */ x", "vendored"),
        ("web/dist/app.js", b"x", "build-output"),
        ("yarn.lock", b"x", "lock-file"),
        ("LICENSE", b"x", "licence-text"),
        ("a/thing_pb2.py", b"x", "generated"),
        ("a.go", b"// Code generated by stringer. DO NOT EDIT.\n", "generated"),
        ("a.js", b"a=1;" * 900, "minified"),
        ("a.py", b" \n", "empty"),
        ("src/chart.js", b"export const a = 1\n", None),
        ("src/licence.py", b"x = 1\n", None),
        ("deploy/notes.md", b"# Notes\n", None),
    ],
)
def test_what_is_not_the_owners_writing(path: str, content: bytes, expected: str | None) -> None:
    assert hygiene(path, content) == expected
    assert expected is None or expected in REASONS


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/net/client.ts", "src/net/client.ts"),
        ("/home/jo/work/app/src/net/client.ts", "src/net/client.ts"),
        ("webpack://acme/./src/net/client.ts?1a2b", "src/net/client.ts"),
        ("webpack:///src/net/client.ts", "src/net/client.ts"),
        ("turbopack:///[project]/src/net/client.ts", "src/net/client.ts"),
        ("../../src/net/client.ts", "src/net/client.ts"),
        ("C:\\work\\src\\net\\client.ts", "src/net/client.ts"),
        ("a-1.tgz!/package/cli.js.map!/src/net/client.ts", "src/net/client.ts"),
        ("lib/a.ts", "lib/a.ts"),
        ("a.ts", ""),
        ("", ""),
    ],
)
def test_suffixes(path: str, expected: str) -> None:
    assert suffix(path) == expected
