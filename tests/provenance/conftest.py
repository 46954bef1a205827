"""One authority for all tests of this folder, and the file of its trusted root."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from monitor.provenance import TrustRoot
from tests.provenance.authority import Authority
from tests.watchers.conftest import npm, npm_site

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["npm", "npm_site"]


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def root_file(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("trust") / "trusted_root.json"
    path.write_text(json.dumps(authority.trusted_root()), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def root(root_file: Path) -> TrustRoot:
    return TrustRoot(str(root_file))
