from __future__ import annotations

from monitor.detectors import Context
from monitor.detectors.source_maps import conclude
from monitor.detectors.source_maps.folding import MAX_ALONE
from monitor.model import (
    Finding,
    Inspection,
    NpmNames,
    Organisation,
    Severity,
    SourceMapRecord,
    SourceMapReference,
)
from tests.detectors.samples import OUTER, records, source_map

FULL = [(f"src/module{number}.ts", 1000 + number, 40, True, True) for number in range(30)]
VENDORED = [("node_modules/react/index.js", 900, 20, False, True)]


def _found(*maps: SourceMapRecord, paths: tuple[str, ...] = ()) -> list[Finding]:
    shown = [each.path for each in maps if each.origin == "file"]
    return list(conclude(Inspection(members=records(*shown, *paths), source_maps=list(maps))))


def _reference(url: str, path: str = OUTER + "cli.js") -> SourceMapReference:
    return SourceMapReference(path=path, url=url, line=3, column=1, byte_offset=99)


def _referenced(*urls: str, paths: tuple[str, ...] = ()) -> list[Finding]:
    inspection = Inspection(
        members=records(OUTER + "cli.js", *paths), map_references=[_reference(url) for url in urls]
    )
    return list(conclude(inspection))


def test_first_party_content_is_critical_and_counted() -> None:
    (finding,) = _found(source_map(OUTER + "cli.js.map", FULL + VENDORED))
    assert finding.rule == "source-map-first-party-content"
    assert finding.severity is Severity.CRITICAL
    assert finding.evidence["first_party_files"] == 30
    assert finding.evidence["first_party_lines"] == 1200
    assert finding.evidence["first_party_bytes"] == sum(each[1] for each in FULL)
    assert finding.evidence["first_party_share"] == round(30 / 31, 4)
    top = finding.evidence["top"]
    assert len(top) == 20
    assert top[0] == {"path": "src/module29.ts", "bytes": 1029, "lines": 40}


def test_inline_content_is_critical() -> None:
    (finding,) = _found(source_map(OUTER + "cli.mjs!/(inline)", FULL, origin="inline"))
    assert finding.rule == "source-map-inline"
    assert finding.severity is Severity.CRITICAL


def test_paths_only_is_medium_and_high_with_telling_names() -> None:
    (plain,) = _found(source_map(OUTER + "a.js.map", [("src/a.ts", 0, 0, True, False)]))
    telling = [("../../../packages/billing-core/a.ts", 0, 0, True, False)]
    (monorepo,) = _found(source_map(OUTER + "a.js.map", telling))
    assert (plain.rule, plain.severity) == ("source-map-paths-only", Severity.MEDIUM)
    assert (monorepo.rule, monorepo.severity) == ("source-map-paths-only", Severity.HIGH)
    assert "packages/billing-core" in monorepo.message


def test_an_internal_name_of_the_operator_is_telling() -> None:
    context = Context(organisation=Organisation(name="acme", internal_names=["@acme/lab-*"]))
    sources = [("../@acme/lab-x/a.ts", 0, 0, True, False)]
    inspection = Inspection(source_maps=[source_map(OUTER + "a.js.map", sources)])
    assert conclude(inspection, context)[0].severity is Severity.HIGH
    assert conclude(inspection)[0].severity is Severity.MEDIUM


def test_dependencies_only_is_one_low_finding() -> None:
    (finding,) = _found(*(source_map(f"{OUTER}{number}.js.map", VENDORED) for number in range(5)))
    assert (finding.rule, finding.severity) == ("source-map-dependencies-only", Severity.LOW)
    assert finding.evidence["maps"] == 5


def test_a_map_inside_a_bundled_dependency_is_the_dependency_s() -> None:
    path = OUTER + "node_modules/dep/dist/dep.js.map"
    (finding,) = _found(source_map(path, FULL))
    assert finding.rule == "source-map-dependencies-only"


def test_a_bundled_package_of_the_own_scope_is_first_party() -> None:
    context = Context(organisation=Organisation(name="acme", npm=NpmNames(scopes=["@acme"])))
    path = OUTER + "node_modules/@acme/core/core.js.map"
    sources = [("../node_modules/@acme/core/src/a.ts", 10, 1, False, True)]
    for place in (path, OUTER + "cli.js.map"):
        inspection = Inspection(source_maps=[source_map(place, sources)])
        assert conclude(inspection, context)[0].rule == "source-map-first-party-content"
        assert conclude(inspection)[0].rule == "source-map-dependencies-only"


def test_shipped_sources_count_as_content() -> None:
    sources = [("../src/a.ts", 0, 0, True, False), ("../src/b.ts", 0, 0, True, False)]
    (finding,) = _found(
        source_map(OUTER + "dist/a.js.map", sources),
        paths=(OUTER + "src/a.ts", OUTER + "dist/a.js"),
    )
    assert (finding.rule, finding.severity) == ("source-map-sources-shipped", Severity.CRITICAL)
    assert finding.evidence["top"] == [OUTER + "src/a.ts"]


def test_a_declaration_map_without_its_source_is_quiet() -> None:
    sources = [("../src/a.ts", 0, 0, True, False)]
    assert _found(source_map(OUTER + "dist/a.d.ts.map", sources)) == []
    (finding,) = _found(source_map(OUTER + "dist/a.d.ts.map", sources), paths=(OUTER + "src/a.ts",))
    assert finding.rule == "source-map-sources-shipped"


def test_a_remote_root_is_high_and_shows_its_host_only() -> None:
    remote = ["https://maps.s3.amazonaws.com/builds/9/?build=secret-name"]
    found = _found(source_map(OUTER + "a.js.map", [("src/a.ts", 0, 0, True, False)], remote=remote))
    (finding,) = [each for each in found if each.rule == "source-map-remote"]
    assert finding.severity is Severity.HIGH
    assert finding.evidence["hosts"] == ["maps.s3.amazonaws.com"]
    assert finding.evidence["storage"] is True
    assert "secret-name" not in repr(finding)


def test_a_signed_address_is_critical_and_never_repeated() -> None:
    signature = "a1b2c3d4" * 8
    (finding,) = _referenced(f"https://x.example/a.map?X-Amz-Signature={signature}")
    assert (finding.severity, finding.kind) == (Severity.CRITICAL, "signed-url")
    assert signature not in repr(finding)
    assert (finding.line, finding.byte_offset) == (3, 99)


def test_a_loopback_address_is_no_more_than_low() -> None:
    (finding,) = _referenced("http://localhost:8080/a.js.map")
    assert finding.severity is Severity.LOW


def test_dangling_comments_are_one_finding_of_info() -> None:
    (finding,) = _referenced("cli.js.map", "other.js.map")
    assert (finding.rule, finding.severity) == ("source-map-dangling", Severity.INFO)
    assert finding.evidence["count"] == 2


def test_a_comment_whose_map_is_there_is_quiet() -> None:
    for url in ("cli.js.map", "./cli.js.map?v=1", "cli%2Ejs.map", "/package/cli.js.map"):
        assert _referenced(url, paths=(OUTER + "cli.js.map",)) == [], url
    assert _referenced("cli.js.map", paths=(OUTER + "cli.js.map.gz!/cli.js.map",)) == []


def test_a_map_with_a_problem_is_told_as_not_inspected() -> None:
    found = _found(source_map(OUTER + "a.js.map", FULL, problem="truncated"))
    assert [each.rule for each in found] == [
        "source-map-not-inspected",
        "source-map-first-party-content",
    ]
    assert found[0].severity is Severity.MEDIUM
    assert found[0].kind == "not-inspected"


def test_a_flood_of_maps_is_folded_and_counted() -> None:
    maps = [source_map(f"{OUTER}{number}.js.map", FULL[:1]) for number in range(MAX_ALONE + 5)]
    found = _found(*maps)
    assert len(found) == MAX_ALONE + 1
    assert found[-1].fingerprint != found[0].fingerprint
    rest = found[-1]
    assert rest.severity is Severity.CRITICAL
    assert rest.evidence["places"] == 5
    assert rest.evidence["first_party_files"] == 5


def test_the_fingerprint_outlives_a_version_and_a_build_hash() -> None:
    (one,) = _found(source_map("acme-1.2.0.tgz!/package/cli-4f3a9c1b.js.map", FULL))
    (two,) = _found(source_map("acme-1.10.3.tgz!/package/cli-99ab37de.js.map", FULL[:3]))
    (other,) = _found(source_map("acme-1.2.0.tgz!/package/server-4f3a9c1b.js.map", FULL))
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != other.fingerprint
