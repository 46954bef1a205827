"""Whose a package is by who built it, through real registries, proofs and databases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from msgspec.structs import replace
from pypi_attestations import AttestationType

from monitor import service
from monitor.model import NpmNames, Organisation, PostureValue, Severity
from monitor.provenance import TrustRoot
from monitor.registries.settings import ProvenanceSettings
from monitor.service.polling import Feed
from monitor.watchers.perimeter import Perimeter
from tests.provenance.authority import (
    GITLAB,
    Authority,
    claims,
    npm_answer,
    pypi_answer,
)
from tests.service.conftest import worked, worked_until_idle

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from monitor.service.parts import Parts
    from tests.provenance.authority import Json
    from tests.watch_servers.npm import NpmServer
    from tests.watch_servers.pypi import PypiServer

    Opened = Callable[..., AbstractAsyncContextManager[Parts]]

ACME = Organisation(
    name="acme",
    posture=PostureValue.PROPRIETARY,
    repositories=["github:acme"],
    github_owner_ids=[123],
    gitlab_namespace_ids=[55],
)
OURS: dict[str, Any] = {"repository": "github:acme/cli"}
NOTHING: dict[str, Any] = {}
LEAK = {"index.js": "1;\n", ".env": "A=1\n", "src/index.ts": "export const a = 1;\n"}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def trusting(authority: Authority, tmp_path: Path, opened: Opened) -> Opened:
    """``opened``, its daemon believing the authority."""
    path = tmp_path / "trusted_root.json"
    path.write_text(json.dumps(authority.trusted_root()), encoding="utf-8")
    root = TrustRoot(str(path))

    def believing(*arguments: object) -> AbstractAsyncContextManager[Parts]:
        return _believing(opened(*arguments), root)

    return believing


class _believing:  # noqa: N801 - a context manager that reads as a verb
    def __init__(self, inner: AbstractAsyncContextManager[Parts], root: TrustRoot) -> None:
        self._inner, self._root = inner, root

    async def __aenter__(self) -> Parts:
        parts = await self._inner.__aenter__()
        parts.network.attestations._root = self._root
        return parts

    async def __aexit__(self, *raised: object) -> bool | None:
        return await self._inner.__aexit__(*raised)  # type: ignore[arg-type]  # passed through


async def feed_of(parts: Parts, ecosystem: str) -> Feed:
    from monitor.service.backfilling import primary  # noqa: PLC0415 - only here

    feed = Feed(ecosystem, primary(parts)[ecosystem], parts, is_primary=True)
    await feed.start()
    return feed


def built(
    authority: Authority, npm: NpmServer, name: str, version: str, told: dict[str, str]
) -> Json:
    one = f"{name}@{version}"
    return authority.bundle(f"pkg:npm/{one}", {"sha512": npm.sha512[one]}, told=told)


async def seen(parts: Parts, feed: Feed) -> dict[str, str]:
    """Everything that is ours now, and why."""
    await feed.poll()
    await worked(parts, ["stranger", "resolve"])
    return {name: own.reason for (_, name), own in (await parts.store.owners()).items()}


async def test_a_package_of_another_name_from_our_build_is_ours_and_inspected(
    trusting: Opened, npm: NpmServer, authority: Authority
) -> None:
    async with trusting(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("unrelated-name", "1.0.0", LEAK, repository="https://github.com/moved/cli")
        answer = npm_answer(built(authority, npm, "unrelated-name", "1.0.0", claims("moved/cli")))
        npm.attest("unrelated-name", "1.0.0", answer, url="http://127.0.0.1:9/never")
        assert await seen(parts, feed) == {}, "its words rule it out: with a hint it is not asked"
        npm.put("from-ours", "1.0.0", LEAK, **OURS)
        npm.attest(
            "from-ours", "1.0.0", npm_answer(built(authority, npm, "from-ours", "1.0.0", claims()))
        )
        reason = "provenance: github:acme (id 123), verified"
        assert await seen(parts, feed) == {"from-ours": reason}
        await worked(parts)
        (past,) = await parts.store.history("npm", "from-ours")
        assert (past.profile["provenance"], past.profile["builder"]) == (
            "verified",
            "github:acme/cli",
        )
        (incident, *_) = await parts.store.incidents()
        assert incident.organisation == "acme"


async def test_with_all_even_a_package_that_names_another_repository_is_found(
    trusting: Opened, npm: NpmServer, authority: Authority
) -> None:
    async with trusting(npm, None, [ACME]) as parts:
        parts.perimeter = Perimeter([ACME], "all")
        feed = await feed_of(parts, "npm")
        npm.put("renamed-owner", "1.0.0", repository="https://github.com/moved/cli")
        told = claims("moved/cli")  # renamed since: the number is what stays
        npm.attest(
            "renamed-owner",
            "1.0.0",
            npm_answer(built(authority, npm, "renamed-owner", "1.0.0", told)),
        )
        reason = "provenance: github:moved (id 123), verified"
        assert await seen(parts, feed) == {"renamed-owner": reason}


async def test_what_only_claims_our_build_is_not_ours(
    trusting: Opened, npm: NpmServer, authority: Authority
) -> None:
    own = replace(ACME, repositories=["gitlab:acme"], gitlab_namespace_ids=[])
    async with trusting(npm, None, [own]) as parts:
        feed = await feed_of(parts, "npm")
        names = ("tampered-build", "squatted-owner", "other-bytes", "forged-build", "no-build")
        for name in names:
            npm.put(name, "1.0.0", LEAK)
        good = {name: built(authority, npm, name, "1.0.0", claims()) for name in names}
        broken = good["tampered-build"]
        broken["dsseEnvelope"]["signatures"][0]["sig"] = good["no-build"]["dsseEnvelope"][
            "signatures"
        ][0]["sig"]
        npm.attest("tampered-build", "1.0.0", npm_answer(broken))
        squatter = built(authority, npm, "squatted-owner", "1.0.0", claims("acme/cli", "666"))
        npm.attest("squatted-owner", "1.0.0", npm_answer(squatter))
        npm.attest("other-bytes", "1.0.0", npm_answer(good["no-build"]))
        forged = built(Authority(), npm, "forged-build", "1.0.0", claims())
        npm.attest("forged-build", "1.0.0", npm_answer(forged))
        npm.attest("no-build", "1.0.0", npm_answer())
        npm.asked.clear()
        assert await seen(parts, feed) == {}
        assert sorted(npm.asked) == sorted(f"{name}@1.0.0" for name in names)
        assert await parts.store.incidents() == []


async def test_a_claim_of_our_repository_keeps_the_word_that_it_is_not_proven(
    trusting: Opened, npm: NpmServer, authority: Authority
) -> None:
    async with trusting(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        for name in ("claims-only", "claims-another"):
            npm.put(name, "1.0.0", **OURS)
        told = claims("evil/cli", "666")
        npm.attest(
            "claims-another",
            "1.0.0",
            npm_answer(built(authority, npm, "claims-another", "1.0.0", told)),
        )
        claim = "repository github:acme (github:acme/cli)"
        assert await seen(parts, feed) == {
            "claims-only": claim,
            "claims-another": f"{claim}, claimed: it is built by github:evil (id 666)",
        }


async def test_a_later_version_without_proof_stays_ours_and_is_told(
    trusting: Opened, npm: NpmServer, authority: Authority
) -> None:
    async with trusting(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("loses-proof", "1.0.0")
        npm.attest(
            "loses-proof",
            "1.0.0",
            npm_answer(built(authority, npm, "loses-proof", "1.0.0", claims())),
        )
        await feed.poll()
        await worked(parts)
        npm.put("loses-proof", "1.0.1")
        await feed.poll()
        await worked(parts)
        past = await parts.store.history("npm", "loses-proof")
        assert {each.version: each.profile["provenance"] for each in past} == {
            "1.0.0": "verified",
            "1.0.1": "absent",
        }
        told = [each.title for each in await parts.store.incidents()]
        assert any("No provenance, where 1 of the 1 versions before had one" in one for one in told)


async def test_our_own_package_with_a_proof_of_other_bytes_is_an_incident(
    trusting: Opened, npm: NpmServer, authority: Authority
) -> None:
    own = replace(ACME, npm=NpmNames(packages=["owned-*"]))
    async with trusting(npm, None, [own]) as parts:
        feed = await feed_of(parts, "npm")
        for name in ("owned-good", "owned-bad"):
            npm.put(name, "1.0.0", license="UNLICENSED")
        good = built(authority, npm, "owned-good", "1.0.0", claims())
        npm.attest("owned-good", "1.0.0", npm_answer(good))
        bad = authority.bundle(
            "pkg:npm/owned-bad@1.0.0", {"sha512": npm.sha512["owned-good@1.0.0"]}
        )
        npm.attest("owned-bad", "1.0.0", npm_answer(bad))
        await feed.poll()
        await worked(parts)
        (incident,) = await parts.store.incidents()
        assert "the signed digest is not that of the bytes" in incident.title
        assert incident.severity is Severity.HIGH


async def test_a_proof_that_cannot_be_had_is_asked_for_again(
    trusting: Opened, npm: NpmServer, authority: Authority
) -> None:
    async with trusting(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        npm.put("slow-proof", "1.0.0")
        npm.attest(
            "slow-proof",
            "1.0.0",
            npm_answer(built(authority, npm, "slow-proof", "1.0.0", claims())),
        )
        npm.faults.switch_on("unavailable", r"attestations/slow-proof", 12)
        assert "slow-proof" not in await seen(parts, feed)
        await worked_until_idle(parts, ["stranger", "resolve"])
        owners = {name: own.reason for (_, name), own in (await parts.store.owners()).items()}
        assert owners["slow-proof"] == "provenance: github:acme (id 123), verified"


async def test_a_registry_that_never_answers_holds_no_inspection_up(
    trusting: Opened, npm: NpmServer, authority: Authority
) -> None:
    own = replace(ACME, npm=NpmNames(packages=["patient-*"]))
    async with trusting(npm, None, [own]) as parts:
        feed = await feed_of(parts, "npm")
        parts.network.attestations.patience = 0.1
        npm.put("patient-one", "1.0.0")
        npm.attest(
            "patient-one",
            "1.0.0",
            npm_answer(built(authority, npm, "patient-one", "1.0.0", claims())),
        )
        npm.faults.switch_on("slow-loris", r"attestations/patient-one", 100)
        await feed.poll()
        await worked(parts)
        (past,) = await parts.store.history("npm", "patient-one")
        assert past.status == "complete"
        assert past.profile.get("provenance", "") == "", "an outage is neither proof nor drift"


async def test_a_pypi_project_of_another_name_from_our_build_is_ours(
    trusting: Opened, pypi: PypiServer, authority: Authority
) -> None:
    kind = AttestationType.PYPI_PUBLISH_V1.value

    def bundle(filename: str, told: dict[str, str]) -> Json:
        digest = {"sha256": pypi.journal.digests[filename]}
        return authority.bundle(filename, digest, predicate=kind, told=told)

    async with trusting(None, pypi, [ACME]) as parts:
        feed = await feed_of(parts, "pypi")
        (ours,) = pypi.put("provunrelated", "1.0", "w")
        (theirs,) = pypi.put("provstranger", "1.0", "w")
        pypi.put("provnothing", "1.0", "w")
        told = claims("acme/team/cli", "55", GITLAB)
        pypi.attest(
            ours.name,
            pypi_answer(bundle(ours.name, told), repository="acme/team/cli", kind="GitLab"),
        )
        other = bundle(theirs.name, claims("evil/cli", "666"))
        pypi.attest(theirs.name, pypi_answer(other, repository="evil/cli"))
        reason = "provenance: gitlab:acme/team (id 55), verified"
        assert await seen(parts, feed) == {"provunrelated": reason}
        await worked(parts)
        (past,) = await parts.store.history("pypi", "provunrelated")
        assert past.profile["builder"] == "gitlab:acme/team/cli"


async def test_off_asks_nobody(trusting: Opened, npm: NpmServer, authority: Authority) -> None:
    async with trusting(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        parts.perimeter = Perimeter([ACME], "off")
        parts.network.attestations.settings = ProvenanceSettings(ask="off")
        assert not Perimeter([replace(ACME, repositories=[])], "off").is_on("npm")
        for name, words in (("not-asked", NOTHING), ("only-claims", OURS)):
            npm.put(name, "1.0.0", **words)
            npm.attest(name, "1.0.0", npm_answer(built(authority, npm, name, "1.0.0", claims())))
        npm.asked.clear()
        assert list(await seen(parts, feed)) == ["only-claims"]
        await worked(parts)
        assert npm.asked == []
        (past,) = await parts.store.history("npm", "only-claims")
        assert past.profile.get("provenance", "") == ""


async def test_the_daemon_says_that_it_cannot_prove_builds(
    trusting: Opened, npm: NpmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.provenance.trust.find_spec", lambda _name: None)
    async with trusting(npm, None, [ACME]) as parts:
        with structlog.testing.capture_logs() as said:
            service._greet(parts)
        (warned,) = (line for line in said if line.get("reason") == "not-installed")
        assert "leakmon[provenance]" in warned["event"]
        parts.perimeter = Perimeter([ACME], "off")
        with structlog.testing.capture_logs() as said:
            service._greet(parts)
        assert not [line for line in said if line.get("reason") == "not-installed"]
