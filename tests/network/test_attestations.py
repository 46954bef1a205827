"""Where attestations are asked for: always below the registry, whatever names or metadata say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.http.client import Client
from monitor.http.settings import HttpSettings
from monitor.model import Artifact
from monitor.registries.attestations import Attestations, digests_of
from monitor.registries.client_config import Index
from monitor.registries.settings import ProvenanceSettings

if TYPE_CHECKING:
    from pathlib import Path

REGISTRY = "https://npm.corp.example/api/"
SITES = [
    "https://index.corp.example/root/simple/",
    "https://mirror.example/flat/",
    "file:///srv/simple/",
]


def door() -> Attestations:
    return Attestations(
        Client(HttpSettings()),
        ProvenanceSettings(),
        registry_of=lambda _name: REGISTRY,
        indexes=[Index(url=url, source="test") for url in SITES],
    )


def artifact(ecosystem: str, name: str, version: str, filename: str = "f") -> Artifact:
    return Artifact(ecosystem=ecosystem, name=name, version=version, filename=filename, purl="")


ADDRESSES = [
    (artifact("npm", "left-pad", "1.0.0"), f"{REGISTRY}-/npm/v1/attestations/left-pad@1.0.0"),
    (artifact("npm", "@acme/cli", "1.0.0+x"),
     f"{REGISTRY}-/npm/v1/attestations/@acme%2fcli@1.0.0%2Bx"),
    (artifact("pypi", "Acme.Cli", "1!1.0", "acme_cli-1!1.0.tar.gz"),
     "https://index.corp.example/root/integrity/acme-cli/1%211.0/acme_cli-1%211.0.tar.gz/provenance"),
]  # fmt: skip


def test_the_address_is_made_of_the_registrys_own() -> None:
    assert ADDRESSES
    for one, address in ADDRESSES:
        assert door().addresses(one) == [address], "an index that is no site has no attestations"


NAMES = st.text(min_size=1) | st.sampled_from([".", "..", "../..", "a/../../b", "%2e%2e"])


@given(NAMES, NAMES, NAMES)
def test_no_name_leads_elsewhere(name: str, version: str, filename: str) -> None:
    (npm,) = door().addresses(artifact("npm", name, version))
    found = door().addresses(artifact("pypi", name, version, filename))
    (pypi,) = found or ["https://index.corp.example/root/integrity/"]
    assert npm.startswith(f"{REGISTRY}-/npm/v1/attestations/")
    assert npm.count("/") == f"{REGISTRY}-/npm/v1/attestations/".count("/")
    assert pypi.startswith("https://index.corp.example/root/integrity/")
    assert not {".", ".."} & {*npm.split("/"), *pypi.split("/")}
    for each in (npm, pypi):
        assert not set(each) & set("\\?# \n")


def test_the_digests_are_those_of_the_bytes(tmp_path: Path) -> None:
    import hashlib  # noqa: PLC0415 - beside what it is held against

    path = tmp_path / "a"
    path.write_bytes(b"bytes")
    sha256 = hashlib.sha256(b"bytes").hexdigest()
    found = digests_of(artifact("npm", "a", "1"), str(path), sha256)
    assert found == {"sha256": sha256, "sha512": hashlib.sha512(b"bytes").hexdigest()}
    assert digests_of(artifact("pypi", "a", "1"), str(path), sha256) == {"sha256": sha256}


@pytest.mark.parametrize("ecosystem", ["github", "git", "canary"])
async def test_other_places_have_none(ecosystem: str) -> None:
    assert await door().of(artifact(ecosystem, "a", "1"), {}) is None
