from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detectors.fingerprints import of_finding, of_secret, stable_path


def test_a_secret_s_identity_is_as_documented() -> None:
    expected = hashlib.sha256(b"leakmon/secret/1\0value").hexdigest()[:32]
    assert of_secret(b"value") == expected


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("acme-1.2.0.tgz!/package/a.js", "acme-1.10.3-beta.2.tgz!/package/a.js"),
        ("acme-1.0rc1/a.py", "acme-1.0/a.py"),
        ("dist/index-4f3a9c1b.js", "dist/index-00ab12cd.js"),
        ("dist/index-BxK3a9_z.js.map", "dist/index-Q0aZkk1-.js.map"),
        ("chunks/123.js", "chunks/99.js"),
        ("a.mjs!/(inline map at byte 12)", "a.mjs!/(inline map at byte 4711)"),
    ],
)
def test_builds_of_one_file_share_a_path(one: str, two: str) -> None:
    assert stable_path(one) == stable_path(two)


@pytest.mark.parametrize(
    ("one", "two"),
    [("src/client.ts", "src/server.ts"), ("lib/a.js", "lib/b.js"), ("a/x.js", "b/x.js"),
     ("billing-internal.js", "billing-external.js")],
)  # fmt: skip
def test_different_files_keep_different_paths(one: str, two: str) -> None:
    assert stable_path(one) != stable_path(two)


@given(st.text(max_size=200))
def test_any_path_has_an_identity(path: str) -> None:
    assert len(of_finding("rule", stable_path(path))) == 32


def test_subjects_do_not_run_together() -> None:
    assert of_finding("a", "bc") != of_finding("ab", "c")
