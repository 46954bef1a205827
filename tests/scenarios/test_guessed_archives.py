"""Base64 that begins like an archive: a guess until it opens, and then as good as any other."""

from __future__ import annotations

import base64
import io
import random
import time
import zipfile
from typing import TYPE_CHECKING

from monitor.archive.budget import Limits
from monitor.detectors import Context
from monitor.inspection import Inspector
from monitor.rules import bundled_rules_folder, compiled

if TYPE_CHECKING:
    from pathlib import Path


def reasons(tmp_path: Path, packed: bytes) -> set[str]:
    path = tmp_path / "a.js"
    path.write_bytes(b'x = atob("' + base64.b64encode(packed) + b'")\n')
    matcher = compiled([bundled_rules_folder()], str(tmp_path / "cache"))
    inspector = Inspector(matcher, Limits(), clock=time.monotonic)
    return {gap.reason for gap in inspector.inspect_files([(str(path), "a.js")], Context()).skipped}


def test_one_member_that_is_cut_short_is_a_gap(tmp_path: Path) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", random.Random(1).randbytes(60_000).hex())
    packed = whole.getvalue()
    assert reasons(tmp_path, packed[: len(packed) // 2]) - reasons(tmp_path, packed)


def test_what_only_looks_like_an_archive_is_none(tmp_path: Path) -> None:
    assert reasons(tmp_path, b"PK\3\4" + bytes(range(256)) * 40) == set()
