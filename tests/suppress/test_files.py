"""Baselines and ignore files: what is read, and what is refused with which words."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.errors import ConfigError
from monitor.report import RenderOptions, render
from monitor.suppress import Hidden
from monitor.suppress.files import parse_baseline, parse_ignores, read_baseline, read_ignores
from tests.report.samples import full_report, leaking_target, secret_finding

if TYPE_CHECKING:
    from pathlib import Path

_A, _B = "a" * 32, "0123456789abcdef" * 4


def test_a_plain_list_is_a_baseline() -> None:
    text = f"# known\n{_A}\n\n  {_B}  # since May\n"
    assert parse_baseline(text, "known.txt").fingerprints == {_A, _B}
    assert parse_baseline("", "empty").fingerprints == frozenset()


@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_our_reports_are_baselines_and_forget_nothing(name: str) -> None:
    known = Hidden(replace(secret_finding(), fingerprint="e" * 32), "baseline", "known")
    ignored = Hidden(replace(secret_finding(), fingerprint="f" * 32), "ignore", "revoked")
    text = render(name, full_report(), RenderOptions(hidden=((known, ignored),)))
    found = parse_baseline(text, "report").fingerprints
    assert found == {f.fingerprint for f in leaking_target().findings} | {"e" * 32}


_BAD_BASELINES = [
    ("hello world\n", "b: line 1: 'hello world' is not a fingerprint"),
    ('{"a": 1}', "b: schema: not a leakmon/scan/1 report"),
    ("{", "b: neither a report nor a list"),
    ('{"schema": "leakmon/scan/1", "targets": 7}', "b: not a well-formed leakmon/scan/1 report"),
    (
        '{"schema": "leakmon/scan/1", "targets": [{"findings": [{}]}]}',
        "b: not a well-formed leakmon/scan/1 report",
    ),
    (
        '{"schema": "leakmon/scan/1", "targets": [{"findings": [{"fingerprint": 1}]}]}',
        "b: not a well-formed leakmon/scan/1 report",
    ),
    ("{" + '"a":[' * 100_000, "b: neither a report nor a list"),
    ('{"schema": "leakmon/scan/1"}\n[]', "b: not a well-formed leakmon/scan/1 report"),
]


@pytest.mark.parametrize(("text", "words"), _BAD_BASELINES)
def test_what_is_no_baseline_is_refused(text: str, words: str) -> None:
    assert _BAD_BASELINES
    with pytest.raises(ConfigError) as caught:
        parse_baseline(text, "b")
    assert str(caught.value).startswith(words)


@given(st.text())
def test_any_text_is_a_baseline_or_refused(text: str) -> None:
    for parse in (parse_baseline, parse_ignores):
        with suppress(ConfigError):
            parse(text, "b")


def test_an_ignore_file_is_read() -> None:
    text = f"""
    [[ignore]]
    fingerprint = "{_A}"
    reason = "revoked in May"
    expires = 2027-03-31

    [[ignore]]
    rule = "dot-env-file"
    path = "package/examples/**"
    reason = "placeholders only"
    expires = "2027-04-01"
    """
    first, second = parse_ignores(text, "f.toml")
    assert (first.fingerprint, first.reason, first.expires) == (
        _A,
        "revoked in May",
        date(2027, 3, 31),
    )
    assert first.origin == "f.toml: ignore[1]"
    assert (second.rule, second.path) == ("dot-env-file", "package/examples/**")
    assert second.expires == date(2027, 4, 1)
    assert parse_ignores("", "f.toml") == ()


_BAD_IGNORES = [
    ("x = 1", "f: x: unknown key"),
    ("ignore = 1", "f: ignore: must be written as [[ignore]] tables"),
    ("[[ignore]]\nreson = 'x'", "f: ignore[1].reson: unknown key"),
    (f"[[ignore]]\nfingerprint = '{_A}'", "f: ignore[1].reason: is mandatory"),
    (f"[[ignore]]\nfingerprint = '{_A}'\nreason = ' '", "f: ignore[1].reason: is mandatory"),
    ("[[ignore]]\nreason = 'x'", "f: ignore[1]: needs fingerprint, or both rule and path"),
    ("[[ignore]]\nrule = 'x'\nreason = 'x'", "f: ignore[1]: needs fingerprint, or both"),
    (
        f"[[ignore]]\nfingerprint = '{_A}'\npath = 'x'\nreason = 'x'",
        "f: ignore[1]: take either fingerprint",
    ),
    ("[[ignore]]\nfingerprint = 'AB'\nreason = 'x'", "f: ignore[1].fingerprint: 'AB' is not"),
    ("[[ignore]]\nfingerprint = 1\nreason = 'x'", "f: ignore[1].fingerprint: must be a string"),
    (
        f"[[ignore]]\nfingerprint = '{_A}'\nreason = 'x'\nexpires = 'soon'",
        "f: ignore[1].expires: must be a date",
    ),
    (
        f"[[ignore]]\nfingerprint = '{_A}'\nreason = 'x'\nexpires = 7",
        "f: ignore[1].expires: must be a date",
    ),
    ("[[ignore]", "f: "),
]


@pytest.mark.parametrize(("text", "words"), _BAD_IGNORES)
def test_a_wrong_ignore_names_file_and_key(text: str, words: str) -> None:
    assert _BAD_IGNORES
    with pytest.raises(ConfigError) as caught:
        parse_ignores(text, "f")
    assert str(caught.value).startswith(words)


def test_unreadable_files_are_configuration_errors(tmp_path: Path) -> None:
    binary = tmp_path / "b"
    binary.write_bytes(b"\xff\xfe")
    for read in (read_baseline, read_ignores):
        with pytest.raises(ConfigError, match="is not UTF-8 text"):
            read(str(binary))
        with pytest.raises(ConfigError, match="No such file"):
            read(str(tmp_path / "absent"))
    binary.write_text(f"\ufeff{_A}\n")
    assert read_baseline(str(binary)).fingerprints == {_A}
