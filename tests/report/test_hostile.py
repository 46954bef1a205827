"""Whatever a package writes into a report stays text, in every format."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator

from monitor.model import (
    Confidence,
    Finding,
    Posture,
    PostureValue,
    ScanReport,
    Secret,
    Severity,
    Skipped,
    Status,
    TargetReport,
    Verdict,
)
from monitor.report import FORMATS, RenderOptions, render
from monitor.report.schema import line_schema, scan_schema
from monitor.suppress import Hidden
from tests.report.samples import digest
from tests.report.test_html import Page

_NASTY = [
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://x.example\x07click\x1b]8;;\x07",
    "\x9b31m",
    "\u202etxt.exe\u2066",
    "\u200b\ufeff\u2028\u2029\x85",
    "\ud800",
    "\udcff",
    "\U000e0041",
    "[red]x[/red]",
    "[/]",
    ":smile:",
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</style></title><b>",
    "{{ 7 * 7 }}{% raw %}",
    "a\r\nb\tc\x00d",
    "](https://x.example)[",
    "../../etc/passwd",
    "acme-1.0.tgz!/package/日本/ü.js",
    "\x08\x7f",
]
_text = st.one_of(
    st.sampled_from(_NASTY),
    st.text(max_size=30),
    st.text(st.characters(), max_size=10),  # with surrogates
    st.lists(st.sampled_from(_NASTY), min_size=2, max_size=4).map("".join),
)
_texts = st.lists(_text, max_size=2)
_natural = st.integers(0, 2**40)
_evidence = st.dictionaries(
    _text,
    st.recursive(
        st.one_of(_text, st.integers(), st.floats(), st.booleans(), st.none()),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)
_secrets = st.builds(
    Secret, redacted=_text, fingerprint=_text, checksum=st.sampled_from([None, "valid", "invalid"])
)
_findings = st.builds(
    Finding,
    rule=_text,
    detector=_text,
    kind=_text,
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    message=_text,
    path=_text,
    fingerprint=_text,
    line=_natural,
    column=_natural,
    end_line=_natural,
    end_column=_natural,
    byte_offset=_natural,
    decoded=_texts,
    secret=st.none() | _secrets,
    evidence=_evidence,
    references=_texts | st.just(['https://x.example/"><b>\x1b\ud800[x]']),
    advice=st.none() | _text,
)
_targets = st.builds(
    TargetReport,
    target=_text,
    status=st.sampled_from(Status),
    bytes=_natural,
    members=_natural,
    inspected_bytes=_natural,
    purl=st.none() | _text,
    filename=st.none() | _text,
    sha256=st.none() | _text.map(lambda text: digest(repr(text))),
    skipped=st.lists(st.builds(Skipped, _text, _text), max_size=3),
    posture=st.builds(Posture, st.sampled_from(PostureValue), _texts),
    verdict=st.builds(Verdict, st.sampled_from(Severity), _text, _texts),
    findings=st.lists(_findings, max_size=3),
)
_reports = st.builds(
    ScanReport,
    targets=st.lists(_targets, max_size=2),
    rules_digest=_text,
    version=_text,
    seconds=st.floats(0, 1e6),
)
_hidden = st.lists(
    st.lists(
        st.builds(Hidden, _findings, st.sampled_from(["baseline", "ignore", "inline"]), _text),
        max_size=2,
    ).map(tuple),
    max_size=2,
).map(tuple)
_options = st.builds(
    RenderOptions,
    hidden=_hidden,
    notes=_texts.map(tuple),
    width=st.none() | st.integers(1, 200),
    encoding=st.sampled_from(["utf-8", "ascii", "latin-1"]),
    min_severity=st.sampled_from(Severity),
    show_secrets=st.booleans(),
)

_unsafe = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
_own_styles = re.compile("\x1b\\[[0-9;]*m")
_sarif = Draft4Validator(json.loads(Path(__file__).with_name("sarif-2.1.0-rtm.5.json").read_text()))
_scan = Draft202012Validator(scan_schema())
_line = Draft202012Validator(line_schema())
_tries = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@_tries
@given(_reports, _options)
def test_no_format_lets_a_control_character_through(
    report: ScanReport, options: RenderOptions
) -> None:
    assert FORMATS
    for name in FORMATS:
        text = render(name, report, options)
        found = _unsafe.search(text)
        assert found is None, (name, found)
        text.encode("utf-8")


@_tries
@given(_reports, _options)
def test_json_is_valid_and_keeps_every_character(
    report: ScanReport, options: RenderOptions
) -> None:
    told = json.loads(render("json", report, options))
    _scan.validate(told)
    for target, source in zip(told["targets"], report.targets, strict=True):
        if not re.search("[\ud800-\udfff]", source.target):
            assert target["target"] == source.target
    for line in render("jsonl", report, options).splitlines():
        _line.validate(json.loads(line))


@_tries
@given(_reports, _options)
def test_sarif_is_valid(report: ScanReport, options: RenderOptions) -> None:
    _sarif.validate(json.loads(render("sarif", report, options)))


@_tries
@given(_reports, _options)
def test_html_gets_no_element_from_a_package(report: ScanReport, options: RenderOptions) -> None:
    template = files("monitor.report").joinpath("scan.html.j2").read_text()
    tags = set(re.findall(r"<([a-z][a-z0-9]*)", template))
    names = set(re.findall(r'([a-z-]+)="', template)) | {"checked", "disabled"}
    assert {"article", "code"} <= tags
    for tag, attributes in Page(render("html", report, options)).elements:
        assert tag in tags, tag
        assert set(attributes) <= names, attributes


@_tries
@given(_reports, st.integers(1, 200))
def test_every_escape_in_a_coloured_table_is_ours(report: ScanReport, width: int) -> None:
    text = render("table", report, RenderOptions(colour=True, width=width))
    assert "\x1b" not in _own_styles.sub("", text)
    assert "\x1b[31mred" not in text
