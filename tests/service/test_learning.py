"""What strangers publish is learnt as everybody's; an incident or our own name forbids it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from monitor import incidents
from monitor.config import cache_folder, environment
from monitor.errors import ConfigError
from monitor.model import Notice, NpmNames, Organisation, Ownership
from monitor.pipeline import learning as pipeline_learning
from monitor.pipeline.private_code import PrivateCode
from monitor.private_code.index.public import PublicPrints
from monitor.rules import bundled_rules_folder
from monitor.sandbox import Sandbox
from monitor.sandbox import Settings as SandboxSettings
from monitor.service import learning
from monitor.service.resolved import Look
from monitor.service.resolving import LOOKS
from tests.contract import samples
from tests.e2e.daemon import token
from tests.private_code.code import CLIENT, other
from tests.private_code.keeping import build, commit, hashes, source
from tests.private_code.keeping import opened as opened_index
from tests.service.conftest import worked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from monitor.model import Finding, Incident, IncidentChange
    from monitor.private_code.index.reader import OpenIndex
    from monitor.service.parts import Parts
    from tests.service.conftest import MovedClock
    from tests.watch_servers.npm import NpmServer

    Opened = Callable[..., AbstractAsyncContextManager[Parts]]

ACME = Organisation(name="acme", npm=NpmNames(scopes=["@acme"], maintainers=["acme-*"]))
SEEN = Ownership(organisation="acme", reason="looks like acme's")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    settings = SandboxSettings(
        rule_folders=(bundled_rules_folder(),),
        cache_folder=cache_folder(environment()),
        has_prints=True,
    )
    with Sandbox(settings) as made:
        yield made


@pytest.fixture
def index(tmp_path: Path) -> OpenIndex:
    commit(tmp_path / "billing", {"src/client.ts": CLIENT, "src/x.js": other(7)})
    build(tmp_path / "index", source(tmp_path / "billing"))
    return opened_index(tmp_path / "index")


class Town:
    """A registry with strangers in it, and a daemon that looks at what they publish."""

    def __init__(self, parts: Parts, npm: NpmServer, index: OpenIndex) -> None:
        self.parts, self.npm, self.index = parts, npm, index
        parts.look_for(PrivateCode([index]))

    async def publish(self, name: str, by: str, text: str, version: str = "1.0.0") -> list[Finding]:
        """Somebody publishes, and it is inspected; what was found of private code in it."""
        self.npm.put(name, version, {"index.js": text}, maintainers=[{"name": by}], license="MIT")
        await self._inspect(name, version)
        (found,) = [
            one for one in await self.parts.store.history("npm", name) if one.version == version
        ]
        findings = await self.parts.store.findings(found.artifact_id)
        return [one for one in findings if one.detector == "private-code"]

    async def leak(self, name: str, by: str, files: dict[str, str]) -> None:
        """Somebody publishes a secret of ours."""
        self.npm.put(name, "1.0.0", files, maintainers=[{"name": by}])
        await self._inspect(name, "1.0.0")
        assert await self.parts.store.known_incidents("npm", name)

    async def decide(self, package: str, kind: str) -> None:
        def change(standing: Incident) -> IncidentChange:
            at = self.parts.clock.now()
            return incidents.acted(standing, kind, at=at, actor="kim", reason="it is everybody's")

        for one in await self.parts.store.known_incidents("npm", package):
            await self.parts.store.change_incident(one.id, change, actor="kim", action=kind)

    async def _inspect(self, name: str, version: str) -> None:
        notice = Notice(
            ecosystem="npm", name=name, version=version, action="published", position="1"
        )
        look = Look(notice=notice, ownership=SEEN, attempts=0)
        for release in (await LOOKS["npm"](look, self.parts)).releases:
            await self.parts.store.announce(release, SEEN)
        await worked(self.parts)

    def learnt(self) -> list[str]:
        with PublicPrints(self.index) as public:
            return [one.name for one in public.sources()]


async def test_a_leak_teaches_nothing_until_a_person_says_that_it_is_none(
    opened: Opened, npm: NpmServer, index: OpenIndex
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        town = Town(parts, npm, index)
        (leak,) = await town.publish("learn-one", "kim", CLIENT)
        assert leak.rule == "private-code-copy"
        await learning.settle(parts)
        assert town.learnt() == []
        await town.decide("learn-one", "false-positive")
        assert await town.publish("learn-one", "kim", CLIENT + "// 2\n", "1.0.1")
        await learning.settle(parts)
        assert town.learnt() == ["npm:learn-one"], "one publisher proves nothing yet"
        # A second one, who has nothing to do with the first, is told for the last time.
        assert await town.publish("learn-two", "robin", CLIENT + "// r\n")
        await town.decide("learn-two", "false-positive")
        assert await town.publish("learn-two", "robin", CLIENT + "// r2\n", "1.0.1")
        await learning.settle(parts)
        assert await town.publish("learn-three", "sam", CLIENT + "// 3\n") == []


async def test_an_incident_that_opens_later_takes_it_back(
    opened: Opened, npm: NpmServer, index: OpenIndex
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        town = Town(parts, npm, index)
        for name, by in (("back-one", "kim"), ("back-two", "robin")):
            await town.publish(name, by, CLIENT + f"// {by}\n")
            await town.decide(name, "false-positive")
            await town.publish(name, by, CLIENT + f"// {by} 2\n", "1.0.1")
        await learning.settle(parts)
        index.refresh()
        assert len(index.lookup(hashes(CLIENT, "client.ts")).query) == 0
        # Robin is caught with another package: the two have but their publisher in common.
        files = {"index.js": other(1), ".env": f"GITHUB_TOKEN={token('back')}\n"}
        await town.leak("back-other", "robin", files)
        await learning.settle(parts)
        assert town.learnt() == ["npm:back-one"]
        (found,) = await town.publish("back-four", "lee", CLIENT + "// 4\n")
        assert found.rule == "private-code-copy"


async def test_what_is_ours_is_never_noted(
    opened: Opened, npm: NpmServer, index: OpenIndex
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        town = Town(parts, npm, index)
        assert parts.learning is not None
        await town.publish("@acme/never", "kim", other(7))
        await town.publish("never-two", "acme-bot", other(7))
        assert len(parts.learning) == 0
        await town.publish("somebody", "kim", other(7))
        assert len(parts.learning) == 1


async def test_what_was_published_before_our_first_commit_is_public_at_once(
    opened: Opened, npm: NpmServer, tmp_path: Path, clock: MovedClock
) -> None:
    at = int((clock.now() + timedelta(days=1)).timestamp())
    commit(tmp_path / "billing", {"src/vendored.js": other(3)}, at=at)
    build(tmp_path / "index", source(tmp_path / "billing"))
    index = opened_index(tmp_path / "index")
    async with opened(npm, None, [ACME]) as parts:
        town = Town(parts, npm, index)
        assert await town.publish("older", "kim", other(3))
        await town.decide("older", "false-positive")
        assert await town.publish("older", "kim", other(3) + "// 2\n", "1.0.1")
        await learning.settle(parts)
        assert await town.publish("older-user", "robin", other(3) + "// r\n") == []


async def test_it_waits_while_another_process_learns(
    opened: Opened, npm: NpmServer, index: OpenIndex
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        town = Town(parts, npm, index)
        assert parts.learning is not None
        await town.publish("waits", "kim", other(8))
        with PublicPrints(index), pytest.raises(ConfigError, match="at work here"):
            await learning.settle(parts)
        assert len(parts.learning) == 1
        await learning.settle(parts)
        assert len(parts.learning) == 0


def test_what_waits_is_bounded(index: OpenIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_learning, "MAX_WAITING_BYTES", 1000)
    made = pipeline_learning.Learning([index], [ACME])
    release = samples.release(name="stranger")
    release = replace(release, maintainers=["kim"], publisher="kim")
    (artifact,) = release.artifacts
    assert made.note(release, artifact, [b"x" * 600], [])
    assert not made.note(release, artifact, [b"x" * 600], [])
    assert not made.note(release, artifact, [b""], [])
    assert len(made) == 1
