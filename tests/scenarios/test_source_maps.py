"""Leaks through source maps: the numbers are those of the project's list of scenarios."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from monitor.archive import Limits
from monitor.model import Organisation, PostureValue, Severity
from tests.scenarios.builders import (
    dumped,
    github_token,
    inline,
    npm,
    open_package_json,
    own_sources,
    package_json,
    source,
    source_map,
    wasm,
    wheel,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.scenarios.conftest import Outcome

    Scan = Callable[..., Outcome]

BUNDLE = b"console.log(1)\n"


def test_01_an_external_map_of_1900_sources(scan: Scan) -> None:
    found = scan(npm({"cli.js": BUNDLE, "cli.js.map": dumped(source_map(own_sources(1900)))}))
    assert found.severity is Severity.CRITICAL
    assert found.posture.value is PostureValue.PROPRIETARY
    assert found.verdict.summary.startswith(
        "1,900 first-party source files in `package/cli.js.map`"
    )
    (finding,) = found.of("source-map-first-party-content")
    assert finding.evidence["first_party_lines"] == 1900 * 4
    assert len(finding.evidence["top"]) == 20
    assert finding.path == "acme-cli-1.2.0.tgz!/package/cli.js.map"


def test_02_the_same_inline_in_a_huge_module(scan: Scan) -> None:
    names = own_sources(1900)
    contents = [source(number) + "// padding\n" * 640 for number in range(1900)]
    carried = dumped(source_map(names, has_content=False, sourcesContent=contents))
    assert len(carried) > 13_000_000
    module = b"x();" * 1_100_000 + b"\n" + inline(carried).encode()
    started = time.process_time()
    found = scan(npm({"cli.mjs": module}))
    assert time.process_time() - started < 10
    assert found.severity is Severity.CRITICAL
    (finding,) = found.of("source-map-inline")
    assert finding.evidence["first_party_files"] == 1900
    assert "`package/cli.mjs`" in found.verdict.summary


def test_03_percent_encoded(scan: Scan) -> None:
    uri = quote(json.dumps(source_map(own_sources(3))))
    comment = f"//# sourceMappingURL=data:application/json,{uri}\n"
    assert scan(npm({"cli.js": BUNDLE + comment.encode()})).severity is Severity.CRITICAL


def test_04_renamed_and_without_a_comment(scan: Scan) -> None:
    found = scan(npm({"data.json": dumped(source_map(own_sources(3)))}))
    assert found.of("source-map-first-party-content")
    assert found.severity is Severity.CRITICAL


def test_05_content_in_a_nested_section_only(scan: Scan) -> None:
    inner = {"version": 3, "sections": [
        {"offset": {"line": 0, "column": 0}, "map": source_map(own_sources(3))}
    ]}  # fmt: skip
    outer = {"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "map": inner}]}
    assert scan(npm({"cli.js.map": dumped(outer)})).severity is Severity.CRITICAL


def test_06_contents_without_names(scan: Scan) -> None:
    full = source_map([], sourcesContent=[source(1), source(2)])
    found = scan(npm({"cli.js.map": dumped(full)}))
    assert found.severity is Severity.CRITICAL
    assert found.of("source-map-first-party-content")[0].evidence["first_party_files"] == 2


def test_07_prefixed_marked_and_compressed(scan: Scan) -> None:
    content = b"\xef\xbb\xbf)]}'\n" + dumped(source_map(own_sources(3)))
    found = scan(npm({"cli.js.map.gz": gzip.compress(content)}))
    assert found.severity is Severity.CRITICAL


def test_08_everything_on_the_ignore_list(scan: Scan) -> None:
    full = source_map(own_sources(3), ignoreList=[0, 1, 2])
    found = scan(npm({"cli.js.map": dumped(full)}))
    assert found.severity is Severity.CRITICAL
    assert "not trusted" in found.findings[0].evidence["ignore_list"]


def test_09_a_root_on_object_storage_is_told_and_not_fetched(scan: Scan) -> None:
    root = "https://acme-maps.s3.amazonaws.com/builds/1234/"
    remote = source_map(["src/a.ts"], has_content=False, sourceRoot=root)
    found = scan(npm({"cli.js.map": dumped(remote)}))
    (finding,) = found.of("source-map-remote")
    assert found.severity is Severity.HIGH
    assert finding.evidence["hosts"] == ["acme-maps.s3.amazonaws.com"]
    assert "not fetched" in finding.message


def test_09_a_signed_one_is_critical(scan: Scan) -> None:
    signature = "0123456789abcdef" * 4
    comment = f"//# sourceMappingURL=https://maps.acme.example/a.map?X-Amz-Signature={signature}\n"
    found = scan(npm({"cli.js": BUNDLE + comment.encode()}))
    (finding,) = found.of("source-map-remote")
    assert finding.severity is Severity.CRITICAL
    assert signature not in repr(finding)


def test_10_internal_paths_without_content(scan: Scan) -> None:
    named = source_map(["../../../packages/internal-billing/src/a.ts"], has_content=False)
    found = scan(npm({"cli.js.map": dumped(named)}))
    assert [each.rule for each in found.findings] == ["source-map-paths-only"]
    assert found.severity is Severity.HIGH


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_11_a_truncated_package(scan: Scan, share: float) -> None:
    whole = npm({"cli.js.map": dumped(source_map(own_sources(200)))})
    found = scan(whole[: int(len(whole) * share)])
    assert found.severity >= Severity.MEDIUM
    assert "not fully inspected" in (found.verdict.summary + str(found.verdict.reasons)).lower()


def test_11_a_truncated_map(scan: Scan) -> None:
    content = dumped(source_map(own_sources(50)))
    found = scan(npm({"cli.js.map": content[: len(content) - 900]}))
    assert found.severity >= Severity.MEDIUM
    assert found.of("source-map-not-inspected")


CUTS: dict[str, tuple[int | str, bool]] = {
    "in the contents": (4_000, True),
    "before the mappings": ('"mappings"', True),
    "in the names": (120, False),
    "before the contents": ('"sourcesContent"', False),
}


@pytest.mark.parametrize("case", CUTS)
def test_11_a_map_that_ends_before_its_mappings(scan: Scan, case: str) -> None:
    whole = dumped(
        {"version": 3, "sources": own_sources(50)}
        | {"sourcesContent": [source(number) for number in range(50)], "mappings": "AAAA"}
    )
    cut, has_content = CUTS[case]
    end = whole.index(cut.encode()) if isinstance(cut, str) else cut
    found = scan(npm({"cli.js.map": whole[:end]}))
    (gap,) = found.of("source-map-not-inspected")
    assert gap.severity is Severity.MEDIUM
    assert bool(found.of("source-map-first-party-content")) is has_content
    assert [gap.reason for gap in found.inspection.skipped] == ["truncated"]
    assert not found.of("not-fully-inspected"), "told once, of the map"


def test_11_a_map_that_ends_before_its_sources(scan: Scan) -> None:
    found = scan(npm({"cli.js.map": b'{"version":3,"file":"cli.js","mappings":"' + b"AACA;" * 900}))
    assert [each.rule for each in found.findings] == ["source-map-not-inspected"]


@pytest.mark.parametrize(
    "content",
    [
        b'{"version": 3, "sources": ["a.ts"]}',
        b'{"version": 3, "sources": ["a.ts"], // not yet\n"targets": []}',
        b'{"version": "3.1", "sources": ["a.ts", "b',
        b'{"version": 3, "sources": [{"url": "a"}, {"url": "b',
        b'{"version": 3, "mappings": {"a": "b", "c',
        b'{"sources": ["a.ts", "b.ts", "c',
    ],
)
def test_11_other_json_is_no_map(scan: Scan, content: bytes) -> None:
    found = scan(npm({"config.json": content}))
    assert found.findings == []
    assert found.inspection.skipped == []


def test_11_over_the_size_cap(scan: Scan) -> None:
    full = npm({"cli.js": b"x();\n" * 200_000, "b.js": BUNDLE})
    found = scan(full, limits=Limits(max_bytes=100_000))
    assert found.severity >= Severity.MEDIUM
    assert found.of("not-fully-inspected")


def test_the_map_of_a_wasm_module(scan: Scan) -> None:
    """The custom section of WebAssembly, with an address, a signed one, and the map itself."""
    found = scan(npm({"core.wasm": wasm(map_url="https://maps.acme.example/core.wasm.map")}))
    (finding,) = found.of("source-map-remote")
    assert finding.severity is Severity.HIGH
    assert finding.evidence["hosts"] == ["maps.acme.example"]
    signed = "https://maps.acme.example/core.wasm.map?sig=" + "0123abcd" * 8
    assert scan(npm({"core.wasm": wasm(map_url=signed)})).severity is Severity.CRITICAL
    uri = inline(dumped(source_map(own_sources(3)))).partition("=")[2]
    found = scan(npm({"core.wasm": wasm(map_url=uri)}))
    (finding,) = found.of("source-map-inline")
    assert finding.evidence["first_party_files"] == 3
    assert finding.severity is Severity.CRITICAL
    dangling = scan(npm({"core.wasm": wasm(map_url="core.wasm.map")}))
    assert dangling.of("source-map-dangling")


def test_12_maps_inside_eval_strings(scan: Scan) -> None:
    comment = inline(dumped(source_map(["webpack://acme/./src/a.ts"])))
    module = f'eval("run();\\n{comment}\\n//# sourceURL=webpack-internal:///./src/a.ts");\n'
    found = scan(npm({"main.js": module.encode()}))
    assert found.of("source-map-inline")
    assert found.severity is Severity.CRITICAL


def test_21_an_older_package_inside_the_package(scan: Scan) -> None:
    older = npm({"cli.js.map": dumped(source_map(own_sources(4)))})
    found = scan(npm({"acme-cli-0.9.0.tgz": older}))
    assert found.severity is Severity.CRITICAL
    (finding,) = found.of("source-map-first-party-content")
    inner = "package/acme-cli-0.9.0.tgz!/package/cli.js.map"
    assert finding.path.endswith(inner)
    assert inner in found.verdict.summary


def test_23_the_wrong_licence(scan: Scan) -> None:
    own = Organisation(name="acme", licence="BUSL-1.1")
    files = {"cli.js.map": dumped(source_map(own_sources(4)))}
    found = scan(npm(files, open_package_json()), organisation=own)
    assert found.severity is Severity.HIGH
    assert found.of("licence-mismatch")[0].evidence["declared"] == "MIT"


def test_31_32_an_open_project_with_maps(scan: Scan) -> None:
    files = {"dist/cli.js": BUNDLE, "dist/cli.js.map": dumped(source_map(own_sources(30)))}
    found = scan(npm(files, open_package_json()))
    assert found.posture.value is PostureValue.OPEN
    assert found.severity is Severity.INFO


def test_33_a_map_of_dependencies_only(scan: Scan) -> None:
    names = ["../node_modules/react/index.js", "webpack/runtime/define property getters"]
    found = scan(npm({"vendor.js.map": dumped(source_map(names))}))
    assert [each.rule for each in found.findings] == ["source-map-dependencies-only"]
    assert found.severity is Severity.LOW


def test_34_a_dangling_comment(scan: Scan) -> None:
    found = scan(npm({"cli.js": BUNDLE + b"//# sourceMappingURL=cli.js.map\n"}))
    assert [each.rule for each in found.findings] == ["source-map-dangling"]
    assert found.severity is Severity.INFO


def test_35_a_declaration_map_without_its_source(scan: Scan) -> None:
    named = source_map(["../src/index.ts"], has_content=False, file="index.d.ts")
    declarations = b"export {};\n//# sourceMappingURL=index.d.ts.map\n"
    files = {"dist/index.d.ts": declarations, "dist/index.d.ts.map": dumped(named)}
    assert scan(npm(files)).severity is Severity.NONE


def test_42_an_open_wheel_full_of_maps(scan: Scan) -> None:
    files = {
        f"acme/static/{number}.js.map": dumped(source_map(own_sources(3))) for number in range(40)
    }
    headers = ("License: BSD-3-Clause", "Project-URL: Source, https://git.acme.example/lab")
    found = scan(wheel(files, *headers), "acme-1.0-py3-none-any.whl")
    assert found.posture.value is PostureValue.OPEN
    assert found.severity is Severity.INFO


@pytest.mark.parametrize(
    "content",
    [
        b"Archive member included because of file (symbol)\n\n.text 0x00401000 0x1f3 main.o\n" * 9,
        b"q2 map\x00\x01\x02\x03" + bytes(200),
        b'{"width": 20, "layers": [{"data": [1, 2, 3]}], "version": 1.6, "tilesets": []}',
    ],
)
def test_43_other_kinds_of_maps(scan: Scan, content: bytes) -> None:
    assert scan(npm({"firmware.map": content})).severity is Severity.NONE


def test_47_hostile_source_names(scan: Scan, tmp_path: Path) -> None:
    names = ["../../../etc/cron.d/x", "C:\\Windows\\x", "%2e%2e/%2e%2e/y", "/abs/z", "a\0b"]
    before = set(tmp_path.rglob("*"))
    found = scan(npm({"cli.js.map": dumped(source_map(names))}))
    assert found.severity is Severity.CRITICAL
    assert {path.name for path in set(tmp_path.rglob("*")) - before} == {"acme-cli-1.2.0.tgz"}


def test_08_sources_that_ship_as_files(scan: Scan) -> None:
    named = source_map(["../src/a.ts", "../src/b.ts"], has_content=False)
    files = {"dist/a.js.map": dumped(named), "src/a.ts": b"export {}\n", "src/b.ts": b"export {}\n"}
    found = scan(npm(files, package_json()))
    assert found.of("source-map-sources-shipped")
    assert found.severity is Severity.CRITICAL


def test_a_source_that_several_maps_carry_counts_in_each(scan: Scan) -> None:
    """Dull ones are looked at once; what tells something is told of every place."""
    token = github_token(3)
    maps = {
        f"{name}.js.map": dumped(
            source_map(
                ["src/dull.ts", "src/key.ts"],
                has_content=False,
                sourcesContent=["export {}\n", f'const token = "{token}"\n'],
            )
        )
        for name in ("cjs", "esm", "umd")
    }
    found = scan(npm(maps))
    recovered = [each.path for each in found.inspection.members if "!/src/" in each.path]
    assert [path.rpartition("!/")[2] for path in recovered] == ["src/dull.ts", "src/key.ts"] * 3
    told = found.of("github-personal-access-token")
    assert {each.path.split("!/")[1] for each in told} == {f"package/{name}" for name in maps}
