"""Texts are cut and read as real parsers read them, in linear time, whatever they hold."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.private_code.languages import plain_text
from monitor.private_code.lexing.families import (
    C_FAMILY,
    JAVASCRIPT,
    PLAIN,
    PYTHON,
    SECTION,
    Family,
    sections,
)
from monitor.private_code.lexing.hashing import MAX_WINDOW, Vocabulary, spans, texts
from monitor.private_code.lexing.kinds import Code, Kind, joined
from monitor.private_code.lexing.pieces import MAX_PIECE, WINDOW, Piece, windows
from tests.private_code.literals import MODULES, Literal, acorns, ours

FAMILIES = (JAVASCRIPT, PYTHON, C_FAMILY, PLAIN)
MiB = 1 << 20


def kinds(text: bytes, family: Family = JAVASCRIPT) -> list[tuple[str, int]]:
    """The kind and the line (from 0) of each token."""
    tokens = joined(list(sections([text], family)))
    pairs = zip(tokens.kinds.tolist(), tokens.lines.tolist(), tokens.codes.tolist(), strict=True)
    return [(Kind(kind).name, line) for kind, line, code in pairs if code != Code.BORDER]


def hashes(text: bytes, family: Family = JAVASCRIPT) -> list[int]:
    found: list[int] = joined(list(sections([text], family))).hashes[1:].tolist()
    return found


def test_javascript_is_cut_where_a_real_parser_cuts_it() -> None:
    paths = sorted(path for path in MODULES.rglob("*.js") if path.is_file())
    paths = [path for path in paths if path.stat().st_size < 200_000][::9]
    assert len(paths) > 300
    seen = wrong = 0
    for path, literals in acorns(paths).items():
        if literals is None or any(end - start > MAX_PIECE for _, start, end in literals):
            continue
        text = path.read_bytes()
        shift = len(text) - len(plain_text(text) or b"")
        expected = {(kind, start - shift, end - shift) for kind, start, end in literals}
        seen += len(expected)
        wrong += len(expected ^ set(ours(text[shift:])))
    assert seen > 10_000
    assert wrong <= seen // 2_000


IDENTIFIERS = st.sampled_from(["a", "b1", "$x", "_y", "returned", "of", "x.y"])
REGEXES = st.sampled_from(
    ["/a/", "/[/\"'`]/g", r"/\//", r"/[\]/]+/u", "/'/", '/"/y', "/`/", "/(?:)/", r"/[^\\/]*/i"]
)
STRINGS = st.sampled_from(['"a"', "'b'", r'"\""', r"'\\'", '"/*"', "'//'", '"`${"', '""', "'${'"])


def _wrapped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} / {})".format, inner, inner),
        st.builds("({}/{}/{})".format, IDENTIFIERS, IDENTIFIERS, IDENTIFIERS),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("(x => {})".format, inner),
        st.builds("`a${{{}}}b/'\"{{${{{}}}`".format, inner, inner),
        st.builds("`${{{{k: {}}}}}`".format, inner),
        st.builds("f(/* ' ` / */{}, // \" ` ${{\n{})".format, inner, inner),
        st.builds("(typeof {})".format, inner),
        st.builds("(() => {{ if (a) {{ return {} }} }})".format, inner),
    )


EXPRESSIONS = st.recursive(st.one_of(IDENTIFIERS, REGEXES, STRINGS), _wrapped, max_leaves=12)


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[bytes, list[Literal]]:
    """Random programs, and what acorn finds in them: one process for all of them."""
    folder = tmp_path_factory.mktemp("programs")
    programs: list[str] = []

    @settings(max_examples=250, database=None, deadline=None)
    @given(EXPRESSIONS)
    def gather(program: str) -> None:
        programs.append(f"x = {program};\n")

    gather()
    paths = [folder / f"{number}.js" for number in range(len(programs))]
    for path, program in zip(paths, programs, strict=True):
        path.write_text(program)
    return {
        path.read_bytes(): literals
        for path, literals in acorns(paths).items()
        if literals is not None
    }


def test_random_regular_expressions_and_nested_templates(
    parsed: dict[bytes, list[Literal]],
) -> None:
    assert len(parsed) > 120
    assert sum(program.count(b"${") > 1 for program in parsed) > 20
    for program, literals in parsed.items():
        ends = [one for one in literals if one[0] != "template" or one[1] < one[2]]
        found = [one for one in ours(program) if one[0] != "template" or one[1] < one[2]]
        assert found == ends, program


SIGNS = rb"""' " ` / /* */ // \ ${ } { ( ) [ ] a 1.5 # = return ."""
PIECES_OF_TEXT = st.lists(
    st.sampled_from([*SIGNS.split(), b'"""', b"\n", b" ", b"\0", b"\xc3\xa9"]), max_size=60
).map(b"".join)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@given(text=PIECES_OF_TEXT)
@settings(max_examples=150, deadline=None)
def test_pieces_tile_any_text(family: Family, text: bytes) -> None:
    found = list(windows([text], family.grammar))
    assert b"".join(window.octets.tobytes() for window in found) == b"\0" + text
    assert sum(int(window.lengths.sum()) for window in found) == len(text) + 1
    for tokens in sections([text], family):
        assert (np.diff(tokens.places) > 0).all()
        assert int(tokens.lines.max()) <= text.count(b"\n")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@given(data=st.lists(PIECES_OF_TEXT, min_size=2, max_size=5))
@settings(max_examples=60, deadline=None)
def test_a_text_reads_the_same_whatever_its_neighbours(family: Family, data: list[bytes]) -> None:
    together = joined(list(sections(data, family)))
    borders = np.flatnonzero(together.codes == Code.BORDER)
    parts = np.split(np.arange(len(together.codes)), borders[1:])
    assert len(parts) == len(data)
    for part, text in zip(parts, data, strict=True):
        alone = joined(list(sections([text], family)))
        assert together.hashes[part].tolist() == alone.hashes.tolist()
        assert together.kinds[part].tolist() == alone.kinds.tolist()


def _hostile(size: int) -> dict[str, bytes]:
    count = size // 33
    return {
        "one line": b"a=b+c(d,e);" * (size // 11),
        "tiny functions": b"".join(b"function f%d(){return %d}" % (n, n) for n in range(count)),
        "open strings": b'"\\' * (size // 2),
        "quotes": b"'" * size,
        "slashes": b" /[" * (size // 3),
        "classes": b"(/[" * (size // 3),
        "open comments": b"/*" * (size // 2),
        "templates": b"`${" * (size // 3),
        "closed templates": b"`${`" * (size // 4),
        "braces": b"`${" + b"{" * size,
        "parentheses": b"(" * size,
        "backslashes": b"\\" * size,
        "one word": b"a" * size,
        "numbers": b"".join(b"%d," % n for n in range(size // 7)),
        "triple quotes": b'"""' * (size // 3),
        "stars": b"/*" + b"*" * size,
        "spaces": b"( " + b" " * size + b"/a/",
        "newlines": b"\n" * size,
    }


SMALL = _hostile(MiB // 5)


@pytest.mark.parametrize("name", SMALL)
def test_hostile_text_is_read_to_its_end(name: str) -> None:
    for family in FAMILIES:
        found = list(sections([SMALL[name], b"end"], family))
        assert sum(int((tokens.codes == Code.BORDER).sum()) for tokens in found) == 2
        assert found[-1].sizes[-1] == 3


@pytest.mark.parametrize("name", ["one line", "tiny functions", "slashes"])
def test_memory_does_not_grow_with_a_text(name: str) -> None:
    peaks = []
    for size in (MiB, 2 * MiB):
        text = _hostile(size)[name]
        tracemalloc.start()
        try:
            assert all(len(tokens.kinds) <= 3 * SECTION for tokens in sections([text], JAVASCRIPT))
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + 10 * MiB  # a copy of the text, and known numbers
    assert peaks[1] < 100 * MiB


def test_locals_keys_properties_and_methods() -> None:
    found = kinds(b"class A { async go(x) {\n return this.y.z({k: x, 'q': 1}) } }")
    assert [kind for kind, _ in found if kind not in ("SIGN", "KEYWORD")] == [
        *("LOCAL", "KEY", "LOCAL", "PROPERTY", "PROPERTY", "KEY", "LOCAL", "STRING", "NUMBER"),
    ]
    assert found[-1][1] == 1


def test_signs_do_not_depend_on_spaces() -> None:
    assert hashes(b"x=!a&&-b") == hashes(b"x = ! a && - b")
    assert hashes(b"a.b?.c(1e3,.5)") == hashes(b"a . b ?. c ( 1000 , 0.5 )")


def test_strings_are_known_by_their_content() -> None:
    assert hashes(rb'"A\u00e9\n"') == hashes("'A\u00e9\\n'".encode()) == hashes("`Aé\n`".encode())
    assert hashes(rb'"\ud83d\ude00"') == hashes('"\U0001f600"'.encode())


def test_python_prefixes_docstrings_and_fields() -> None:
    assert hashes(b"x = rb'a\\n' + b\"b\"", PYTHON) == hashes(b"x = b'a\\\\n' + 'b'", PYTHON)
    documented = b'def f(a):\n    """What it does."""\n    return {"k":\n      "v"}\n'
    plain = b'def f(a):\n    return {"k": "v"}\n'
    assert hashes(documented, PYTHON) == hashes(plain, PYTHON)
    assert hashes(b"f'{a} of {b}'", PYTHON) == hashes(b"f'{first} of {last}'", PYTHON)
    found = dict.fromkeys(
        kind for kind, _ in kinds(b"def go(x, *, k=1): y = x.z(k=len(x))", PYTHON)
    )
    assert list(found) == [
        "KEYWORD",
        "DEFINED",
        "SIGN",
        "LOCAL",
        "KEY",
        "NUMBER",
        "PROPERTY",
        "GLOBAL",
    ]


def test_types_calls_and_members_of_the_c_family() -> None:
    found = kinds(
        b"fn go<'a>(x: &'a Thing) -> u8 { run(x.y) + Kind::new('\\n') } // it's", C_FAMILY
    )
    assert [kind for kind, _ in found].count("STRING") == 1
    assert {"KEY", "GLOBAL", "PROPERTY", "LOCAL"} <= {kind for kind, _ in found}


def test_lines_behind_a_string_that_is_cut_short() -> None:
    text = b"a\n`" + b"x\n" * MAX_PIECE + b"`\nb"
    assert kinds(text)[-1] == ("LOCAL", MAX_PIECE + 2)


def test_windows_begin_where_a_piece_does() -> None:
    text = b"x = 'abc'; // d\n" * (WINDOW // 4)
    found = list(windows([text], JAVASCRIPT.grammar))
    assert len(found) > 2
    assert {int(kind) for window in found for kind in window.kinds} == {
        *(Piece.CODE, Piece.STRING, Piece.COMMENT, Piece.BORDER),
    }
    assert len({bytes(window.octets[:1]) for window in found[1:]} - {b"x", b"'", b"/", b"\n"}) <= 1


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("size", [1, 5, 9, 17])
def test_a_window_stays_small_behind_a_long_piece(family: Family, size: int) -> None:
    long = b"a" * (size * WINDOW // 2)
    code = b"x.y(z); // c\n" * (WINDOW // 2)
    for opening in (b'"%s"', b"/*%s*/", b"`%s`", b"%s ", b"`${1}%s`"):
        text = b"b = 1;\n" + opening % long + code
        found = list(windows([text, text], family.grammar))
        assert max(len(window.octets) for window in found) <= MAX_WINDOW
        assert len(list(sections([text], family))) >= 1


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_a_hash_depends_on_nothing_but_the_text(pieces: list[bytes]) -> None:
    octets = np.frombuffer(b"".join(pieces), np.uint8)
    ends = np.cumsum(np.array([len(piece) for piece in pieces], np.int64))
    starts = ends - np.array([len(piece) for piece in pieces], np.int64)
    assert spans(octets, starts, ends).tolist() == texts(pieces).tolist()
    assert len(set(texts(pieces).tolist())) == len(set(pieces))


def test_a_vocabulary_knows_its_words_alone() -> None:
    vocabulary = Vocabulary({1: ["if", "else"], 2: [";"]})
    assert vocabulary.codes(texts([b"if", b";", b"else", b"i", b""])).tolist() == [1, 2, 1, 0, 0]


def test_the_modules_of_the_oracle_are_there() -> None:
    assert (Path(MODULES) / "acorn" / "package.json").is_file()
