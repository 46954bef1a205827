"""What holds for every format: the table of formats, laziness, secrets, filters."""

from __future__ import annotations

import io
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from msgspec.structs import replace

import monitor.report
from monitor.errors import UsageError
from monitor.model import Severity
from monitor.report import FORMATS, RenderOptions, render, stream_options
from monitor.suppress import Hidden
from tests.report.samples import (
    VALUE,
    clean_target,
    full_report,
    leaking_target,
    noisy_findings,
    report,
    secret_finding,
)

_shared = {"__init__", "fold", "page", "schema", "text", "wire", "words"}


def test_table_and_folder_agree() -> None:
    modules = {path.stem for path in Path(monitor.report.__file__).parent.glob("*.py")}
    assert {format_.module.rpartition(".")[2] for format_ in FORMATS.values()} == modules - _shared
    for format_ in FORMATS.values():
        assert callable(import_module(format_.module).render)


def test_importing_the_package_loads_no_format() -> None:
    code = (
        "import sys, monitor.report; "
        "print([m for m in ('rich', 'jinja2', 'json', 'tomllib') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"


def test_an_unknown_format_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"--format: 'pdf' is none of table, json"):
        render("pdf", full_report())


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_ends_with_one_line_break(name: str) -> None:
    assert FORMATS
    text = render(name, full_report())
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_report_renders(name: str) -> None:
    assert render(name, report())


@pytest.mark.parametrize("name", FORMATS)
def test_the_value_is_shown_only_on_request(name: str) -> None:
    finding = replace(
        secret_finding(value=VALUE),
        message=f"token {VALUE} in a file",
        evidence={"line": f"let t = '{VALUE}'", "deep": [{VALUE: VALUE}]},
        path=f"a.tgz!/{VALUE}.txt",
        advice=f"revoke {VALUE}",
        references=[f"https://docs.example/{VALUE}"],
    )
    target = replace(clean_target(), findings=[finding])
    hidden = ((Hidden(finding, "baseline", "known"),),)
    shown = render(name, report(target), RenderOptions(show_secrets=True, hidden=hidden))
    told = render(name, report(target), RenderOptions(hidden=hidden))
    assert VALUE in shown
    assert VALUE not in told
    assert "q7R8" in told


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_left_out_is_counted(name: str) -> None:
    hidden = tuple(Hidden(finding, "baseline", "known") for finding in noisy_findings()[:12])
    options = RenderOptions(
        min_severity=Severity.HIGH, hidden=(hidden,), notes=("an ignore has expired",)
    )
    told = render(name, report(leaking_target()), options)
    assert "home-path" not in told or name in {"json", "jsonl", "sarif", "html"}
    assert "an ignore has expired" in told
    if name in {"table", "html", "sarif"}:
        assert "12 known findings hidden by the baseline" in told
        assert "41 findings below --min-severity not shown" in told
    if name in {"json", "jsonl"}:
        assert "".join(told.split()).count('"hidden":{"baseline":12,"min-severity":41}') == 1


class _Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_colours_and_width_only_on_a_terminal() -> None:
    assert stream_options(io.StringIO(), {}) == (None, False, "utf-8")
    assert stream_options(io.StringIO(), {"FORCE_COLOR": "1"}) == (None, True, "utf-8")
    assert stream_options(_Terminal(), {"COLUMNS": "132"}) == (132, True, "utf-8")
    assert stream_options(_Terminal(), {"COLUMNS": "x"}) == (80, True, "utf-8")
    assert stream_options(_Terminal(), {"NO_COLOR": "1"}) == (80, False, "utf-8")
    assert stream_options(_Terminal(), {"NO_COLOR": ""}) == (80, True, "utf-8")
    assert stream_options(_Terminal(), {"TERM": "dumb"}) == (80, False, "utf-8")
    assert stream_options(_Terminal(), {"NO_COLOR": "1", "FORCE_COLOR": "1"})[1] is False
