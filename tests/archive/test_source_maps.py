"""Source maps in every shape that bundlers, and people who rename things, give them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.archive import map_json, map_layers, source_maps

if TYPE_CHECKING:
    from monitor.archive.source_maps import SourceMap

CODE = "export const answer = 42;\nexport default answer;\n"


def flat(**fields: Any) -> dict[str, Any]:
    return {"version": 3, "sources": ["../src/a.ts"], "names": [], "mappings": "AAAA"} | fields


def read(document: object, **how: Any) -> SourceMap:
    raw = document if isinstance(document, bytes) else json.dumps(document, **how).encode()
    found = source_maps.read("x.js.map", raw, origin="file")
    assert found is not None
    return found


def test_content_is_recovered_with_its_counts() -> None:
    found = read(flat(sourcesContent=[CODE], file="x.js", sourceRoot=""))
    assert found.contents == [("../src/a.ts", CODE.encode())]
    assert found.record.sources == [("../src/a.ts", len(CODE), 2, True, True)]
    assert found.record.file == "x.js"
    assert found.record.problem is None


def test_content_beyond_the_sources_is_recovered_and_first_party() -> None:
    found = read(flat(sources=[], sourcesContent=[CODE, "second\n"]))
    assert found.contents == [("(unnamed 1)", CODE.encode()), ("(unnamed 2)", b"second\n")]
    assert all(is_first_party for _, _, _, is_first_party, _ in found.record.sources)


def test_null_names_and_null_contents() -> None:
    found = read(flat(sources=[None, "b.ts", "c.ts"], sourcesContent=[CODE, None, ""]))
    assert found.contents == [("(unnamed 1)", CODE.encode())]
    assert [source[4] for source in found.record.sources] == [True, False, False]


def test_the_same_name_twice_keeps_both_contents_and_drops_a_copy() -> None:
    found = read(flat(sources=["a", "a", "a"], sourcesContent=["one", "two", "one"]))
    assert found.contents == [("a", b"one"), ("a#2", b"two")]
    assert len(found.record.sources) == 2


def test_sections_nested_in_sections() -> None:
    inner = {"version": 3, "sections": [{"offset": {}, "map": flat(sourcesContent=[CODE])}]}
    found = read({"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "map": inner}]})
    assert found.contents == [("../src/a.ts", CODE.encode())]


def test_sections_deeper_than_allowed_are_read_and_said() -> None:
    document: dict[str, Any] = flat(sourcesContent=[CODE])
    for _ in range(40):
        document = {"version": 3, "sections": [{"offset": {}, "map": document}]}
    found = read(document)
    assert found.record.problem == "over-depth"
    assert (("../src/a.ts", CODE.encode())) in found.contents


def test_a_section_by_address_is_remote_and_one_by_data_uri_is_read() -> None:
    inner = "data:application/json," + json.dumps(flat(sourcesContent=[CODE])).replace(" ", "%20")
    sections = [{"offset": {}, "url": "https://maps.example/x.map"}, {"offset": {}, "url": inner}]
    found = read({"version": 3, "sections": sections})
    assert found.record.remote == ["https://maps.example/x.map"]
    assert found.contents == [("../src/a.ts", CODE.encode())]


@pytest.mark.parametrize(
    "lead",
    [
        b")]}'\n",
        b")]}',\n",
        b")]}'",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf)]}'\n",
        b")]}'\n\xef\xbb\xbf",
        b" \n\t",
    ],
)
def test_prefixes_against_inclusion_and_byte_order_marks(lead: bytes) -> None:
    found = read(lead + json.dumps(flat(sourcesContent=[CODE])).encode())
    assert found.contents == [("../src/a.ts", CODE.encode())]
    assert found.record.problem is None


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    found = read(
        (mark + json.dumps(flat(sourcesContent=["ключ\n"]), ensure_ascii=False)).encode(encoding)
    )
    assert found.contents == [("../src/a.ts", "ключ\n".encode())]


def test_a_truncated_map_gives_what_is_left() -> None:
    raw = json.dumps(
        flat(sources=["a", "b", "c"], sourcesContent=[CODE, CODE, "third\n" * 9])
    ).encode()
    cut = raw.replace(b'"mappings": "AAAA", ', b"", 1)
    found = read(cut[: cut.rindex(b"third")])
    assert found.record.problem == "truncated"
    assert [name for name, _ in found.contents] == ["a", "b", "c"]
    assert found.contents[2][1] == b"third\n" * 8


@pytest.mark.parametrize("tail", [b"';", b'"', b"\n\n", b"\0\0\0"])
def test_a_few_bytes_behind_the_map_are_no_problem(tail: bytes) -> None:
    found = read(json.dumps(flat(sourcesContent=[CODE])).encode() + tail)
    assert found.contents == [("../src/a.ts", CODE.encode())]
    assert found.record.problem is None


def test_much_behind_the_map_is_said() -> None:
    assert (
        read(json.dumps(flat(sourcesContent=[CODE])).encode() + b"x" * 99).record.problem
        == "trailing-bytes"
    )


def test_malformed_json_gives_its_strings() -> None:
    raw = b'{"version":3,"sources":["a\\u0041\nb",,],"sourcesContent":["x\xff\ty",7,{"k":[]}],"m'
    found = read(raw)
    assert found.contents[0] == ("aA\\x0ab", b"x\xff\ty")
    assert found.record.problem is not None


def test_lone_surrogates_and_broken_utf_8_cost_nothing_else() -> None:
    contents = b'"\\ud800 key","\xff\\ud83d\\ude00"'
    raw = b'{"mappings":"","sources":["a","b"],"sourcesContent":[' + contents + b"]}"
    assert read(raw).contents == [("a", "\ufffd key".encode()), ("b", b"\xff" + "😀".encode())]


def test_contents_that_are_no_strings_are_still_delivered() -> None:
    found = read(flat(sources=[1, {"a": 2}], sourcesContent=[{"key": "value"}, 12]))
    assert [content for _, content in found.contents] == [b'{"key": "value"}', b"12"]


class Nothing(msgspec.Struct):
    """Whatever a document holds is passed over."""


def test_deep_json_is_survived() -> None:
    found = read(b'{"version":3,"sources":["a"],"sourcesContent":["kept"],"x":' + b"[" * 200_000)
    assert found.contents == [("a", b"kept")]
    # How deep the library's reader goes is the interpreter's affair: at its limit, or to the end.
    with pytest.raises((RecursionError, msgspec.DecodeError)) as stopped:
        msgspec.json.decode(b'{"x":' + b"[" * 200_000, type=Nothing)
    is_too_deep = stopped.type is RecursionError
    assert found.record.problem == ("malformed" if is_too_deep else "truncated")


def test_a_flood_of_items_is_bounded() -> None:
    raw = b'{"version":3,"mappings":"","sourcesContent":[' + b"0," * 1_500_000 + b"0]}"
    parsed = map_json.parse(raw)
    assert parsed is not None
    assert parsed.problem == "over-members"
    assert len(parsed.layers[0].contents) == map_layers.MAX_SOURCES


def test_many_short_contents_are_bounded() -> None:
    items = b",".join([b'"a"'] * (map_layers.MAX_SOURCES + 5))
    found = read(b'{"version":3,"mappings":"","sourcesContent":[' + items + b"]}")
    assert found.record.problem == "over-members"
    assert len(found.contents) == map_layers.MAX_SOURCES


@pytest.mark.parametrize("item", [b'{"map":{"sources":["a"],"mappings":""}}', b'"sources":["a"]'])
def test_a_flood_of_sections_is_bounded(item: bytes) -> None:
    raw = b'{"version":3,"mappings":"","sections":[' + b",".join([item] * 60_000) + b"]}"
    assert read(raw).record.problem in {"over-members", "malformed"}
    assert len(read(raw).record.sources) <= 60_000


def test_a_large_index_map_with_many_commas_is_read_whole() -> None:
    code = "f(a,b,c,d,e,f,g,h);\n" * 2_000
    sections = [
        {"offset": {}, "map": flat(sources=[f"{n}.ts"], sourcesContent=[code + str(n)])}
        for n in range(80)
    ]
    found = read({"version": 3, "sections": sections})
    assert len(found.contents) == 80
    assert found.contents[79] == ("79.ts", (code + "79").encode())
    assert found.record.problem is None


def test_the_ignore_list_is_only_noted() -> None:
    for key in ("ignoreList", "x_google_ignoreList"):
        found = read(flat(sourcesContent=[CODE], **{key: [0]}))
        assert found.record.has_ignore_list
        assert found.record.sources[0][3] is True
    assert not read(flat(ignoreList=[])).record.has_ignore_list


@pytest.mark.parametrize(
    "document",
    [
        {"version": 8, "layers": [], "tilesets": []},
        {"mappings": {"properties": {}}, "settings": {}, "version": 7},
        {"sections": [{"title": "a", "text": "b"}]},
        {"name": "x", "version": "3.0.0", "files": ["dist"]},
        {"sections": []},
        ["version", "mappings"],
    ],
)
def test_other_json_is_no_map(document: object) -> None:
    assert source_maps.read("x.map", json.dumps(document).encode(), origin="file") is None


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"Archive member included to satisfy reference by file\n", b"\xff\xfe", b")]}'"],
)
def test_other_bytes_are_no_map(raw: bytes) -> None:
    assert not source_maps.looks_like_map(raw)
    assert source_maps.read("x.map", raw, origin="file") is None


def test_a_memoryview_is_as_good() -> None:
    raw = memoryview(json.dumps(flat(sourcesContent=[CODE])).encode())
    assert source_maps.looks_like_map(raw)
    assert read(bytes(raw)).contents == [("../src/a.ts", CODE.encode())]


def test_the_root_is_a_prefix_that_counts() -> None:
    found = read(flat(sourceRoot="node_modules/dep/", sources=["i.js"], sourcesContent=[CODE]))
    assert found.record.sources[0][0] == "node_modules/dep/i.js"
    assert found.record.sources[0][3] is False


def test_addresses_are_noted_once_a_host_and_with_every_signature() -> None:
    signed = "https://bucket.s3.example/a.zip?X-Amz-Signature=1"
    sources = [
        "https://cdn.example/a.ts",
        "https://cdn.example/b.ts",
        signed,
        "//build.corp.example/x.ts",
    ]
    found = read(flat(sourceRoot="s3://acme-maps/prod/", sources=sources))
    assert found.record.remote == [
        "s3://acme-maps/prod/",
        "https://cdn.example/a.ts",
        signed,
        "//build.corp.example/x.ts",
    ]
    assert "Signature" not in found.record.sources[2][0]


JSON = st.recursive(
    st.sampled_from([None, True, 3, -1.5, "", "a.ts", "https://x.example/", "data:,{}"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["version", "sources", "sourcesContent", "sections", "map", "url", "mappings"]
            ),
            inner,
            max_size=7,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["sources", "sourcesContent", "sections", "mappings"]), JSON)
)
def test_any_json_is_answered(fields: dict[str, Any]) -> None:
    source_maps.read("x.map", json.dumps({"version": 3} | fields).encode(), origin="file")


@settings(max_examples=300)
@given(
    st.lists(st.text(max_size=30), min_size=1, max_size=5),
    st.integers(0, 400),
    st.binary(max_size=4),
    st.sampled_from([b"", b"\xff\xfe", b")]}'\n"]),
)
def test_mutated_bytes_never_raise(contents: list[str], at: int, patch: bytes, lead: bytes) -> None:
    raw = lead + msgspec.json.encode(flat(sourcesContent=contents))
    source_maps.read("x.map", raw[:at] + patch + raw[at + len(patch) :], origin="file")
    source_maps.read("x.map", raw[:at], origin="file")


@given(st.lists(st.text(max_size=50), max_size=8))
def test_contents_come_back_exactly(contents: list[str]) -> None:
    found = read(flat(sources=[f"{n}.ts" for n in range(len(contents))], sourcesContent=contents))
    expected = [text.encode() for text in contents if text]
    assert [content for _, content in found.contents] == expected


@given(st.lists(st.text(max_size=50).filter(lambda text: text.isascii()), min_size=1, max_size=8))
def test_salvage_agrees_with_the_parser(contents: list[str]) -> None:
    names = [f"{n}.ts" for n in range(len(contents))]
    raw = json.dumps(flat(sources=names, sourcesContent=contents)).encode()
    assert read(raw[:-1]).contents == read(raw).contents
