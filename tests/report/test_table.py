"""The table: what a person reads, in which order, on which terminal."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from monitor.model import Finding, Severity, Status, TargetReport, Verdict
from monitor.report import RenderOptions, render
from tests.report.samples import (
    clean_target,
    failed_target,
    full_report,
    leaking_target,
    report,
    secret_finding,
)


def _table(*targets: TargetReport, options: RenderOptions | None = None) -> str:
    return render("table", report(*targets), options)


def test_the_verdict_comes_first_then_the_worst() -> None:
    lines = _table(leaking_target()).splitlines()
    assert lines[0].split() == ["CRITICAL", "npm:@acme/cli@2.1.88"]
    text = "\n".join(lines)
    order = [
        "1,897 first-party source files and a live-shaped",
        "posture   proprietary: licence is UNLICENSED",
        "because   source-map-first-party",
        "CRITICAL · 16 findings",
        "MEDIUM · 1 finding ",
        "LOW · 40 findings",
        "NOT FULLY INSPECTED · 3 members",
        "leakmon 0.1.0 · 1 target · 2,114 members · 23.1 MB · 1.83 s",
        "leakmon-ignore.toml",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_one_path_is_not_told_twice() -> None:
    bare = replace(secret_finding(), secret=None)
    one = replace(bare, path="a.log", evidence={"count": 1, "paths": ["a.log"]})
    two = replace(one, path="b.log", message="m", evidence={"count": 2, "paths": ["b.log", "c"]})
    target = replace(leaking_target(), findings=[one, two])
    for name in ("table", "html"):
        text = render(name, report(target), RenderOptions())
        assert text.count("a.log") == 1, name
        assert text.count("b.log") == 2, name


def test_the_files_of_one_release_are_told_apart() -> None:
    files = ("acme-1.0.tar.gz", "acme-1.0-py3-none-any.whl")
    release = [replace(leaking_target(), target="pypi:acme==1.0", filename=name) for name in files]
    alone = replace(leaking_target(), target="pypi:other==2.0", filename="other-2.0.tar.gz")
    report = replace(full_report(), targets=[*release, alone])
    text = render("table", report, RenderOptions())
    heads = [line.split() for line in text.splitlines() if line.startswith(" CRITICAL  pypi")]
    assert heads == [
        ["CRITICAL", "pypi:acme==1.0", files[0]],
        ["CRITICAL", "pypi:acme==1.0", files[1]],
        ["CRITICAL", "pypi:other==2.0"],
    ]
    page = render("html", report, RenderOptions())
    for name in files:
        assert f'<span class="name">{name}</span></h1>' in page
    assert '<span class="name">other-2.0.tar.gz</span>' not in page


def test_one_secret_in_many_places_is_told_once() -> None:
    text = _table(leaking_target())
    assert text.count("GitHub personal access token") == 1
    assert text.count("chunk-00") == 3
    assert "and 12 more places" in text


def test_the_maps_of_a_package_are_told_together() -> None:
    maps = [
        replace(
            secret_finding(),
            rule="source-map-first-party-content",
            detector="source-maps",
            secret=None,
            path=f"a.tgz!/dist/{number}.js.map",
            message=f"The source map carries {number} first-party source files in full text.",
            evidence={"first_party_files": number},
        )
        for number in range(1, 52)
    ]
    target = replace(clean_target(), findings=maps)
    text = _table(target)
    assert text.count("in full text") == 1
    assert "51 source maps of this package, 1,326 first-party source files in all." in text
    assert "and 48 more places" in text
    page = render("html", report(target))
    assert page.count("<article") == 1
    assert "51 source maps of this package" in page
    told = json.loads(render("json", report(target)))["targets"][0]["findings"]
    assert len(told) == 51
    alone = _table(replace(target, findings=maps[:1]))
    assert "of this package" not in alone


def test_a_noisy_rule_is_counted() -> None:
    text = _table(leaking_target())
    assert text.count("Absolute path") == 3
    assert "and 37 more findings of rule home-path, in 37 places" in text


@pytest.mark.parametrize("width", [None, 40, 80, 132])
def test_paths_values_and_addresses_are_never_broken(width: int | None) -> None:
    target = replace(clean_target(), findings=[secret_finding(number) for number in range(3)])
    lines = _table(target, options=RenderOptions(width=width)).splitlines()
    for finding in target.findings:
        assert any(f"{finding.path}:{finding.line}:{finding.column}" in line for line in lines)
        assert any(finding.references[0] in line for line in lines)
        assert finding.secret is not None
        assert any(finding.secret.redacted in line for line in lines)
        assert any(finding.fingerprint in line for line in lines)


def test_prose_fits_80_columns() -> None:
    lines = _table(leaking_target(), options=RenderOptions(width=80)).splitlines()
    long = [line for line in lines if len(line) > 80 and "chunk-00" not in line]
    assert long == []


def test_without_a_terminal_a_sentence_is_one_line() -> None:
    text = _table(leaking_target())
    assert f"  {leaking_target().verdict.summary}\n" in text
    assert "\x1b" not in text


def test_clear_is_only_said_of_what_was_inspected_in_full() -> None:
    partial = replace(clean_target(), status=Status.PARTIAL)
    assert _table(clean_target()).startswith(" CLEAR ")
    assert _table(partial).startswith(" PARTIAL ")
    failed = _table(failed_target())
    assert failed.startswith(" FAILED ")
    assert "the bytes are not those that the registry announced" in failed
    every = render("table", full_report())
    assert every.count("CLEAR") == 2
    assert every.count("FAILED") == 2


def test_a_target_without_a_summary_gets_a_sentence() -> None:
    bare = replace(clean_target(), verdict=Verdict())
    assert "Nothing found." in _table(bare)
    assert "could not be inspected" in _table(failed_target())
    partial = replace(bare, status=Status.PARTIAL)
    assert "Nothing found, but not everything could be inspected." in _table(partial)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "no-such-encoding"])
def test_a_poor_encoding_gets_what_it_can_print(encoding: str) -> None:
    odd = replace(secret_finding(), path="a.tgz!/päckage/日本.js", severity=Severity.HIGH)
    text = _table(
        replace(leaking_target(), findings=[odd]), options=RenderOptions(encoding=encoding)
    )
    text.encode("ascii" if encoding == "no-such-encoding" else encoding)
    assert "-> Revoke" in text
    assert "\\u65e5\\u672c.js" in text


def test_evidence_is_told_in_words() -> None:
    evidence = {
        "is_new": True,
        "share": 0.5,
        "top": [{"path": "src/a.ts", "bytes": 1352, "lines": 47}],
        "a_b": [],
    }
    text = _table(replace(clean_target(), findings=[replace(secret_finding(), evidence=evidence)]))
    assert "    is new yes · share 0.50\n    top:\n      src/a.ts, bytes 1,352, lines 47\n" in text


def test_a_reason_that_repeats_the_summary_is_left_out() -> None:
    verdict = Verdict(Severity.LOW, "One thing.", ["low: One thing. Twice", "another thing"])
    text = _table(replace(clean_target(), verdict=verdict))
    assert "because   another thing\n" in text
    assert "Twice" not in text


def test_markup_in_a_package_is_text() -> None:
    finding = Finding(
        rule="x[red]",
        detector="markers",
        kind="marker",
        severity=Severity.HIGH,
        confidence=replace(secret_finding()).confidence,
        message="[bold]bold[/] :smile: [link=https://x.example]y[/link]",
        path="a[/red].js",
        fingerprint="f",
    )
    text = _table(replace(clean_target(), findings=[finding]), options=RenderOptions(colour=True))
    assert "[bold]bold[/] :smile: [link=https://x.example]y[/link]" in text
    assert "a[/red].js" in text


def test_where_there_are_no_lines_the_byte_is_told() -> None:
    text = _table(leaking_target())
    assert "libacme-1.node  (byte 1,007)" in text
    assert "(inside base64)" in text
