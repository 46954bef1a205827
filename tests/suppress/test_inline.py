"""Ignores beside the secret: only for a value, only with a reason, only where it is trusted."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.suppress import Suppressions, apply
from monitor.suppress.inline import folder_lines, inline_ignores, parse_inline
from tests.report.samples import VALUE, secret_finding

if TYPE_CHECKING:
    from pathlib import Path

_FINDING = replace(secret_finding(), path="src/a.py", line=2)
assert _FINDING.secret is not None
_PRINT = _FINDING.secret.fingerprint
_LINE = f'token = "{VALUE}"  # leakmon:ignore {_PRINT} revoked in May'
_TODAY = date(2026, 11, 23)


def _folder(tmp_path: Path, line: str = _LINE) -> str:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(f"import os\n{line}\n{line}\n")
    return str(tmp_path)


def test_it_hides_its_value_in_its_line(tmp_path: Path) -> None:
    ignores = inline_ignores([_FINDING], folder_lines(_folder(tmp_path)), honour_inline=True)
    elsewhere = replace(_FINDING, line=3)
    kept, hidden = apply([_FINDING, elsewhere], Suppressions(ignores=ignores), _TODAY)
    assert kept == [elsewhere]
    assert (hidden[0].by, hidden[0].explanation) == ("inline", "revoked in May (src/a.py:2)")


def test_a_package_cannot_silence_the_scan(tmp_path: Path) -> None:
    read_line = folder_lines(_folder(tmp_path))
    assert inline_ignores([_FINDING], read_line, honour_inline=False) == ()
    nested = replace(_FINDING, path="a.tgz!/src/a.py")
    assert inline_ignores([nested], read_line, honour_inline=True) == ()
    finding_print = _LINE.replace(_PRINT, _FINDING.fingerprint)
    ignores = tuple(parse_inline(finding_print.encode(), "src/a.py", 2))
    assert len(ignores) == 1
    assert apply([_FINDING], Suppressions(ignores=ignores), _TODAY)[0] == [_FINDING]


_LINES = [
    ("leakmon:ignore {} why", ("why", None)),
    ("/* leakmon:ignore {} why not */", ("why not", None)),
    ("<!-- leakmon:ignore {} why -->", ("why", None)),
    ("leakmon:ignore {} until=2027-01-31 why", ("why", date(2027, 1, 31))),
    ("leakmon:ignore {} until=2027-13-31 why", None),
    ("leakmon:ignore {} until=soon why", None),
    ("leakmon:ignore {} until= why", None),
    ("leakmon:ignore {}", None),
    ("leakmon:ignore {} */", None),
    ("leakmon:ignore {}0 why", ("why", None)),
    ("leakmon:ignore why", None),
    ("leakmon:ignore", None),
]


@pytest.mark.parametrize(("line", "expected"), _LINES)
def test_its_form(line: str, expected: tuple[str, date | None] | None) -> None:
    assert _LINES
    found = parse_inline(line.format(_PRINT).encode(), "p", 1)
    assert [(ignore.reason, ignore.expires) for ignore in found] == ([expected] if expected else [])


@given(st.binary(max_size=200))
def test_any_bytes_may_follow(tail: bytes) -> None:
    for ignore in parse_inline(f"leakmon:ignore {_PRINT} ".encode() + tail, "p", 1):
        assert ignore.reason


def test_lines_are_read_from_inside_the_folder_only(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("secret\n")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(outside)
    (root / "a").write_bytes(b"x" * 100 + b"\nsecond\nthird")
    read_line = folder_lines(str(root), max_line_bytes=10)
    assert read_line("a", 1) == b"x" * 10
    assert read_line("a", 2) == b"second\n"
    assert read_line("a", 3) == b"third"
    assert read_line("a", 4) == b""
    for path in ("link", "../outside.txt", str(outside), ".", "absent", "a\0b", "a!/b"):
        assert read_line(path, 1) == b""
