from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.archive.manifests import NAMES, read

if TYPE_CHECKING:
    from monitor.model import Manifest

PACKAGE = "acme.tgz!/package/package.json"


def _npm(**content: Any) -> Manifest:
    found = read(PACKAGE, json.dumps(content).encode())
    assert found is not None
    return found


def test_package_json() -> None:
    found = _npm(
        name="@acme/cli",
        version="1.2.0",
        license="UNLICENSED",
        repository={"type": "git", "url": "git+https://git.acme.example/cli.git"},
        private=True,
        publishConfig={"registry": "https://npm.corp.acme.example/"},
        scripts={"build": "tsc"},
    )
    assert (found.name, found.version, found.licence) == ("@acme/cli", "1.2.0", "UNLICENSED")
    assert found.repository == "git+https://git.acme.example/cli.git"
    assert found.publish_registry == "https://npm.corp.acme.example/"
    assert found.is_private
    assert found.raw == {"scripts": {"build": "tsc"}}


@pytest.mark.parametrize(
    ("content", "licence"),
    [
        ({"license": "MIT"}, "MIT"),
        ({"license": {"type": "ISC"}}, "ISC"),
        ({"licenses": [{"type": "MIT"}, {"type": "BSD"}]}, "MIT OR BSD"),
        ({"licence": "MIT"}, "MIT"),
        ({"license": 5}, ""),
        ({}, ""),
    ],
)
def test_the_forms_of_an_npm_licence(content: dict[str, Any], licence: str) -> None:
    assert _npm(**content).licence == licence


METADATA = b"""Metadata-Version: 2.4\r
Name: acme-cli\r
Version: 2.0\r
License-Expression: Apache-2.0\r
Classifier: Private :: Do Not Upload\r
Project-URL: Documentation, https://docs.acme.example\r
Project-URL: Source Code, https://git.acme.example/cli\r
Description: first\r
        second\r
\r
License: not a header\r
"""


def test_core_metadata() -> None:
    found = read("acme.whl!/acme_cli-2.0.dist-info/METADATA", METADATA)
    assert found is not None
    assert (found.ecosystem, found.name, found.version) == ("pypi", "acme-cli", "2.0")
    assert found.licence == "Apache-2.0"
    assert found.repository == "https://git.acme.example/cli"
    assert found.is_private
    assert read("acme-2.0.tar.gz!/acme-2.0/PKG-INFO", METADATA) is not None


def test_classifiers_name_the_licence_where_nothing_else_does() -> None:
    content = b"Name: a\nClassifier: License :: OSI Approved :: MIT License\n"
    found = read("a.whl!/a-1.dist-info/METADATA", content)
    assert found is not None
    assert found.licence == "MIT License"


def test_a_wheel_s_record() -> None:
    content = b'a/b.py,sha256=abc,12\n"a/odd,name.py",sha256=x,3\na-1.dist-info/RECORD,,\n'
    found = read("a.whl!/a-1.dist-info/RECORD", content)
    assert found is not None
    assert found.raw["record"] == {"a/b.py": 12, "a/odd,name.py": 3, "a-1.dist-info/RECORD": -1}


@pytest.mark.parametrize(
    "path",
    [
        "acme.tgz!/package/node_modules/dep/package.json",
        "acme.whl!/acme/_vendor/dep-1.dist-info/METADATA",
        "acme-1.tar.gz!/acme-1/acme.egg-info/PKG-INFO",
        "acme.whl!/acme/METADATA",
        "acme.whl!/docs/RECORD",
        "acme.tgz!/package/index.js",
    ],
)
def test_other_packages_manifests_are_not_read(path: str) -> None:
    assert read(path, METADATA) is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_broken_manifest_says_so(content: bytes) -> None:
    found = read(PACKAGE, content)
    assert found is not None
    assert found.raw == {"problem": "unparsable"}


def test_a_huge_manifest_is_not_read() -> None:
    found = read(PACKAGE, b" " * (5 << 20))
    assert found is not None
    assert found.raw == {"problem": "over-bytes"}


@given(st.sampled_from(sorted(NAMES)), st.binary(max_size=300))
def test_no_content_raises(name: str, content: bytes) -> None:
    folder = "a-1.dist-info/" if name in {"METADATA", "RECORD"} else "package/"
    assert read(f"a.whl!/{folder}{name}", content) is not None
