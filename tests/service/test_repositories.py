"""A look at a repository: real git, a real database; which commits become work, and when."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from monitor.config import Settings
from monitor.evidence.keys import Keyring
from monitor.http.pace import Clock
from monitor.http.settings import HttpSettings
from monitor.jobs.embedded import EmbeddedQueue
from monitor.model import Checkpoint, CommitMark, Notice, Organisation, Ownership
from monitor.registries import network
from monitor.registries.client_config import Machine
from monitor.registries.settings import GithubSettings, NetworkSettings
from monitor.service import repositories
from monitor.service.parts import Parts
from monitor.service.polling import since_of
from monitor.store import Store, migrations
from monitor.watchers import actions
from tests.watch_servers import github as fake

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

OWNER = Ownership(organisation="acme", reason="repository acme/*")
BEGAN = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
"""The commits of these tests are made at 03:04:05 of that day."""


class StandingClock(Clock):
    def __init__(self) -> None:
        self.time = BEGAN

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class World:
    """A GitHub, a database, and the parts of a daemon that looks at it."""

    def __init__(self, parts: Parts, site: fake.Github, folder: Path) -> None:
        self.parts = parts
        self.site = site
        self.folder = folder
        self.clock = parts.clock
        site.create("acme/app")
        self.work = fake.Checkout(folder / "work", f"{site.url}acme/app.git")
        self._count = 0

    async def look(self, action: str, name: str = "acme/app", **more: Any) -> str:
        self._count += 1
        at = self.parts.clock.now()
        notice = Notice(
            ecosystem="github", name=name, action=action, position=str(self._count), occurred_at=at
        )
        return await repositories.look(replace(notice, **more), OWNER, 0, self.parts)

    async def commits(self) -> list[list[CommitMark]]:
        """What is to be inspected, artifact by artifact."""
        jobs = [job for job in await self.parts.store.unfinished() if job.kind == "artifact"]
        return [await self.parts.store.commit_marks(job.payload["artifact"]) for job in jobs]

    async def ids(self) -> list[list[str]]:
        return [[each.commit for each in some] for some in await self.commits()]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[fake.Github]:
    with fake.running(tmp_path / "github") as made:
        yield made


@pytest.fixture
async def world(site: fake.Github, tmp_path: Path) -> AsyncIterator[World]:
    clock = StandingClock()
    url = f"sqlite:///{tmp_path / 'leakmon.db'}"
    migrations.upgrade(url)
    store = Store.open(url, clock=clock.now)
    await store.unlock(Keyring([b"k" * 32]))
    told = NetworkSettings(
        http=HttpSettings(tries=2, allow_private=["127.0.0.1"]),
        github=GithubSettings(api=site.url, token=fake.TOKEN),
        repositories=["github:acme"],
    )
    home = str(tmp_path)
    machine = Machine(environ={"PATH": os.environ["PATH"]}, home=home, folder=home)
    organisation = Organisation(name="acme", repositories=["github:acme"])
    async with network.connect(told, machine, clock=clock) as net:
        parts = Parts(
            settings=Settings(organisations=[organisation]),
            registries=told,
            network=net,
            store=store,
            queue=EmbeddedQueue(store),
            evidence=None,  # type: ignore[arg-type] # a look keeps no bytes
            sandbox=None,  # type: ignore[arg-type] # and opens none
            another=lambda lost: lost,
            told=[],
            folder=str(tmp_path),
            clock=clock,
        )
        await store.set_checkpoint(
            Checkpoint(feed=since_of("github"), position=BEGAN.isoformat(), moved_at=BEGAN)
        )
        yield World(parts, site, tmp_path)
    await store.close()


async def test_what_was_there_before_is_only_put_on_record(world: World) -> None:
    head = world.work.commit({"a": "1\n"})
    world.work.push()
    long_ago = BEGAN - timedelta(days=9)
    assert await world.look(actions.TRACKED, occurred_at=long_ago) == "nothing-new"
    known = await world.parts.store.repository("github", "acme/app")
    assert known is not None
    assert known.refs == {"refs/heads/main": head}
    assert await world.ids() == []
    new = world.work.commit({"a": "2\n"})
    world.work.push()
    world.clock.time += timedelta(days=1)  # type: ignore[attr-defined]
    assert await world.look(actions.CHANGED) == "announced"
    assert await world.ids() == [[new]]
    assert await world.look(actions.CHANGED) == "nothing-new"


async def test_a_push_that_the_first_look_came_too_late_for_is_not_lost(world: World) -> None:
    """Listed, then pushed to, then looked at for the first time: the refs show the push already."""
    new = world.work.commit({"a": "1\n"})
    world.work.push()
    listed = BEGAN - timedelta(days=9)
    world.clock.time = BEGAN + timedelta(minutes=10)  # type: ignore[attr-defined]
    assert await world.look(actions.TRACKED, occurred_at=listed) == "nothing-new"
    pushed = BEGAN + timedelta(minutes=5)
    assert await world.look(actions.CHANGED, occurred_at=pushed) == "announced"
    assert await world.ids() == [[new]]


async def test_a_push_within_the_second_of_the_first_look(world: World) -> None:
    """The forge's times are whole seconds: a later push may seem to be from before the look.

    Its commits are older than the watch, so that only the refs tell that they are new.
    """
    began = BEGAN + timedelta(days=1)
    await world.parts.store.set_checkpoint(
        Checkpoint(feed=since_of("github"), position=began.isoformat(), moved_at=began),
        is_forced=True,
    )
    world.clock.time = began  # type: ignore[attr-defined]
    world.work.commit({"a": "1\n"})
    world.work.push()
    await world.look(actions.TRACKED, occurred_at=BEGAN)
    new = world.work.commit({"a": "2\n"})
    world.work.push()
    assert await world.look(actions.CHANGED, occurred_at=began) == "announced"
    assert await world.ids() == [[new]]


async def test_a_new_repository_is_looked_at_from_its_first_commit(world: World) -> None:
    commits = [world.work.commit({"a": f"{number}\n"}) for number in range(3)]
    world.work.push()
    assert await world.look(actions.FOUND) == "announced"
    assert await world.ids() == [commits]
    assert await world.look(actions.FOUND) == "nothing-new"


async def test_a_long_history_is_several_artifacts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repositories, "COMMITS_OF_A_PUSH", 2)
    commits = [world.work.commit({"a": f"{number}\n"}) for number in range(5)]
    world.work.push()
    await world.look(actions.FOUND)
    assert await world.ids() == [commits[:2], commits[2:4], commits[4:]]


async def test_a_commit_on_two_branches_is_looked_at_once(world: World) -> None:
    first = world.work.commit({"a": "1\n"})
    world.work.push()
    await world.look(actions.FOUND)
    world.work.push("origin", "HEAD:refs/heads/twin")
    assert await world.look(actions.CHANGED) == "nothing-new"
    second = world.work.commit({"a": "2\n"})
    world.work.push("origin", "HEAD:refs/heads/twin")
    world.work.git("tag", "-a", "v1", "-m", "v1")
    world.work.push("origin", "v1")
    assert await world.look(actions.CHANGED) == "announced"
    assert await world.ids() == [[first], [second]]


async def test_what_pushes_threw_away_is_looked_at_by_its_id(world: World) -> None:
    world.work.commit({"a": "1\n"})
    world.work.push()
    await world.look(actions.FOUND)
    clean = world.work.git("rev-parse", "HEAD")
    lost = world.work.commit({"key": "x\n"})
    world.work.push()
    world.work.git("reset", "-q", "--hard", clean)
    world.work.push("--force", "origin", "HEAD:main")
    assert await world.look(actions.CHANGED) == "announced"
    (_, marks) = await world.commits()
    assert marks == [CommitMark(commit=lost, ref="refs/heads/main", is_away=True)]


async def test_an_event_tells_of_what_was_thrown_away_where_nothing_else_does(
    world: World,
) -> None:
    world.site.has_activity = False
    world.work.commit({"a": "1\n"})
    world.work.push()
    await world.look(actions.FOUND)
    clean = world.work.git("rev-parse", "HEAD")
    lost = world.work.commit({"key": "x\n"})
    world.work.push()
    world.work.git("reset", "-q", "--hard", clean)
    world.work.push("--force", "origin", "HEAD:main")
    assert await world.look(actions.CHANGED) == "nothing-new"
    hint = {"revision": lost, "filename": "refs/heads/main"}
    assert await world.look(actions.PUSHED, **hint) == "announced"
    assert (await world.ids())[1:] == [[lost]]
    assert await world.look(actions.PUSHED, **hint) == "nothing-new"
    assert await world.look(actions.PUSHED, revision="f" * 40) == "nothing-new"
    assert await world.look(actions.PUSHED, revision="--upload-pack=x") == "nothing-new"


async def test_a_commit_that_is_left_behind_is_marked(world: World) -> None:
    base = world.work.commit({"a": "1\n"})
    lost = world.work.commit({"a": "2\n"})
    world.work.push()
    await world.look(actions.FOUND)
    world.work.git("reset", "-q", "--hard", base)
    world.work.push("--force", "origin", "HEAD:main")
    await world.look(actions.CHANGED)
    (marks,) = await world.commits()
    assert [(each.commit, each.is_away) for each in marks] == [(base, False), (lost, True)]


async def test_the_past_is_asked_for_by_its_dates(world: World) -> None:
    head = world.work.commit({"a": "1\n"})
    world.work.push()
    await world.look(actions.TRACKED, occurred_at=BEGAN - timedelta(days=9))
    later = (BEGAN + timedelta(days=1)).isoformat()
    assert await world.look(actions.HISTORY, revision=later) == "nothing-new"
    assert await world.look(actions.HISTORY, revision="") == "announced"
    assert await world.ids() == [[head]]


async def test_a_repository_that_is_not_there_is_withdrawn(world: World) -> None:
    assert await world.look(actions.CHANGED, name="acme/none") == "withdrawn"
    world.work.commit({"a": "1\n"})
    world.work.push()
    assert await world.look(actions.REMOVED) == "announced", "it is there, whatever was said"


async def test_a_repository_above_a_limit_is_set_aside_and_said_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.work.commit({"a": "1\n"})
    world.work.push()
    monkeypatch.setattr(repositories, "MAX_REFS", 0)
    assert await world.look(actions.FOUND) == "over-refs"
    assert await world.parts.store.repository("github", "acme/app") is None


async def test_releases_are_announced_once_with_their_assets(world: World) -> None:
    world.work.commit({"a": "1\n"})
    world.work.push()
    await world.look(actions.FOUND)
    world.site.release("acme/app", "v1", {"a.zip": b"a", "b.zip": b"b"})
    world.site.release("acme/app", "v2", {"c.zip": b"c"}, draft=True)
    assert await world.look(actions.CHANGED) == "announced"
    assert await world.look(actions.CHANGED) == "nothing-new"
    versions = await world.parts.store.versions("github", "acme/app")
    assert "v1" in versions
    assert "v2" not in versions


async def test_whether_a_commit_is_still_served(world: World) -> None:
    base = world.work.commit({"a": "1\n"})
    lost = world.work.commit({"a": "2\n"})
    world.work.push()
    await world.look(actions.FOUND)
    world.work.git("reset", "-q", "--hard", base)
    world.work.push("--force", "origin", "HEAD:main")
    served = repositories.is_served
    assert await served("github", "acme/app", [lost], world.parts)
    assert not await served("github", "acme/app", ["f" * 40, "v1"], world.parts)
    world.site.delete("acme/app")
    assert not await served("github", "acme/app", [lost], world.parts)
