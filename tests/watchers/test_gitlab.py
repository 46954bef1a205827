"""GitLab groups and plain addresses of git: lists by keyset pages, refs by the real git."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from monitor.errors import NotFoundError
from monitor.http.settings import HttpSettings
from monitor.registries import network
from monitor.registries.settings import GitlabSettings, NetworkSettings
from monitor.watchers import actions, git, gitlab
from monitor.watchers.interest import Interest
from tests.network import servers
from tests.network.conftest import serve

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.model import Checkpoint, Page
    from monitor.registries.client_config import Machine
    from monitor.watchers import Watcher
    from tests.network.conftest import Serve
    from tests.watchers.conftest import PatientClock

__all__ = ["serve"]
TOKEN = "glpat-" + "NobodysTokenForTests"


class Gitlab:
    """GitLab's API for groups and projects, and its repositories."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = ""
        self.projects: dict[str, dict[str, Any]] = {}
        self.releases: dict[str, list[dict[str, Any]]] = {}
        self.page_size = 100
        self.asked: list[str] = []
        self._cursors: dict[str, int] = {}

    def create(self, path: str, active_at: str = "2026-01-01T00:00:00Z", **more: Any) -> Path:
        folder = self.root / f"{path}.git"
        folder.mkdir(parents=True)
        servers.git(folder, "init", "-q", "--bare")
        servers.git(folder, "config", "uploadpack.allowFilter", "true")
        self.projects[path] = {
            "id": len(self.projects) + 1,
            "path_with_namespace": path,
            "visibility": "public",
            "last_activity_at": active_at,
            "http_url_to_repo": "https://evil.example/x.git",
        } | more
        return folder

    def commit(self, folder: Path, text: str) -> None:
        blob = servers.git(folder, "hash-object", "-w", "--stdin", stdin=text.encode())
        tree = servers.git(folder, "mktree", stdin=f"100644 blob {blob}\ta\n".encode())
        commit = servers.git(folder, "commit-tree", tree, "-m", text)
        servers.git(folder, "update-ref", "refs/heads/main", commit)

    def app(self) -> web.Application:
        backend = servers.git_backend(self.root)
        (route,) = backend.router.routes()

        async def answer(request: web.Request) -> web.StreamResponse:
            if ".git/" in request.path:
                found: web.StreamResponse = await route.handler(request)
                return found
            self.asked.append(request.path_qs)
            assert request.headers["Authorization"] == f"Bearer {TOKEN}"
            return self._api(request, request.raw_path.partition("?")[0])

        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", answer)
        return app

    def _api(self, request: web.Request, path: str) -> web.Response:
        words = path.removeprefix("/api/v4/").split("/")
        place = words[1].replace("%2F", "/")
        if words[0] == "groups" and place in {"acme", "acme/tools"}:
            assert request.query["include_subgroups"] == "true"
            rows = [row for name, row in self.projects.items() if name.startswith(f"{place}/")]
            return self._page(request, rows)
        if words[0] == "users" and place == "kim":
            return self._page(request, [self.projects[n] for n in self.projects if n[:4] == "kim/"])
        if words[0] == "projects" and words[2:] == ["releases"]:
            return self._page(request, self.releases.get(place, []))
        if words[0] == "projects" and place in self.projects:
            return web.json_response(self.projects[place])
        return web.json_response({"message": "404 Not Found"}, status=404)

    def _page(self, request: web.Request, rows: list[dict[str, Any]]) -> web.Response:
        start = self._cursors.get(request.query.get("cursor", ""), 0)
        answer = web.Response(
            body=json.dumps(rows[start : start + self.page_size]),
            content_type="application/json",
            headers={"RateLimit-Limit": "600", "RateLimit-Remaining": "599"},
        )
        if start + self.page_size < len(rows):
            cursor = secrets.token_hex(8)
            self._cursors[cursor] = start + self.page_size
            query = "&".join(f"{k}={v}" for k, v in request.query.items() if k != "cursor")
            target = f"{self.url}{request.raw_path.partition('?')[0][1:]}?{query}&cursor={cursor}"
            answer.headers["Link"] = f'<{target}>; rel="next"'
        return answer


@pytest.fixture
async def site(tmp_path: Path, serve: Serve) -> Gitlab:
    made = Gitlab(tmp_path / "gitlab")
    made.url = await serve(made.app())
    return made


class Feed:
    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.checkpoint: Checkpoint | None = None

    async def told(self) -> dict[str, str]:
        before = self.checkpoint or await self.watcher.start_position()
        page: Page = await self.watcher.poll(before)
        self.checkpoint = page.checkpoint
        return {notice.name: notice.action for notice in page.notices}


def settings(site: Gitlab, *places: str) -> NetworkSettings:
    return NetworkSettings(
        http=HttpSettings(tries=2),
        gitlab=GitlabSettings(api=f"{site.url}api/v4/", token=TOKEN),
        repositories=list(places),
    )


async def test_a_group_with_its_subgroups(
    site: Gitlab, machine: Machine, clock: PatientClock
) -> None:
    for number in range(5):
        site.create(f"acme/tools/r{number}")
    site.create("other/x")
    site.page_size = 2
    told = settings(site, "gitlab:acme")
    async with network.connect(told, machine, clock=clock) as net:
        feed = Feed(gitlab.watch(told, net)[0])
        assert set((await feed.told()).values()) == {actions.TRACKED}
        assert len(site.asked) == 3
        site.create("acme/new")
        site.create("acme/inside", visibility="private")
        site.create("acme/fork", forked_from_project={"id": 7})
        assert await feed.told() == {"acme/new": actions.FOUND, "acme/fork": actions.TRACKED}
        site.projects.pop("acme/new")
        assert await feed.told() == {"acme/new": actions.REMOVED}


async def test_a_busy_project_is_asked_by_git_since_its_time_stands_still(
    site: Gitlab, machine: Machine, clock: PatientClock
) -> None:
    folder = site.create("acme/app", active_at=clock.now().isoformat())
    site.commit(folder, "one")
    told = settings(site, "gitlab:acme")
    async with network.connect(told, machine, clock=clock) as net:
        feed = Feed(gitlab.watch(told, net)[0])
        await feed.told()
        assert await feed.told() == {}
        site.commit(folder, "two")
        assert await feed.told() == {"acme/app": actions.CHANGED}
        assert await feed.told() == {}


async def test_a_user_a_project_and_nobody(
    site: Gitlab, machine: Machine, clock: PatientClock
) -> None:
    site.create("kim/one")
    site.create("kim/two")
    told = settings(site, "gitlab:kim", "gitlab:kim/two", "gitlab:nobody", "gitlab:kim/later")
    async with network.connect(told, machine, clock=clock) as net:
        user, project, nobody, later = map(Feed, gitlab.watch(told, net))
        assert set(await user.told()) == {"kim/one", "kim/two"}
        assert set(await project.told()) == {"kim/two"}
        with pytest.raises(NotFoundError, match="no such group or user"):
            await nobody.told()
        assert await later.told() == {}
        site.create("kim/later")
        assert await later.told() == {"kim/later": actions.FOUND}


async def test_only_what_gitlab_itself_keeps_of_a_release_is_fetched(
    site: Gitlab, machine: Machine, clock: PatientClock
) -> None:
    links = [
        {"name": "app.zip", "url": f"{site.url}acme/app/-/releases/v1/downloads/app.zip"},
        {"name": "evil.zip", "url": "https://evil.example/evil.zip"},
        {"name": "odd", "url": "file:///etc/passwd"},
        {"name": None, "url": 7},
        "nonsense",
    ]
    row = {"tag_name": "v1", "released_at": "2026-01-01T00:00:00Z", "assets": {"links": links}}
    site.releases["acme/app"] = [row, {"tag_name": "v0", "assets": None}]
    async with network.connect(settings(site), machine, clock=clock) as net:
        first, second = await net.gitlab.releases("acme/app", is_whole=False)
    assert [each.filename for each in first.artifacts] == ["app.zip"]
    assert first.artifacts[0].purl == "pkg:gitlab/acme/app@v1?file_name=app.zip"
    assert second.artifacts == []


async def test_the_past_of_a_group(site: Gitlab, machine: Machine, clock: PatientClock) -> None:
    site.create("acme/app")
    told = settings(site, "gitlab:acme")
    async with network.connect(told, machine, clock=clock) as net:
        (feed,) = gitlab.watch(told, net)
        pages = [page async for page in feed.backfill(None, Interest())]
        assert [(n.name, n.action) for p in pages for n in p.notices] == [
            ("acme/app", actions.HISTORY)
        ]


async def test_an_address_of_git(site: Gitlab, machine: Machine, clock: PatientClock) -> None:
    folder = site.create("acme/app")
    site.commit(folder, "one")
    address = f"{site.url}acme/app.git"
    told = NetworkSettings(repositories=[address, "https://git.acme.example/team", "github:acme"])
    assert git.tracked(told) == [address]
    async with network.connect(told, machine, clock=clock) as net:
        feed = Feed(git.watch(told, net)[0])
        (name,) = await feed.told()
        assert name == address.removeprefix("http://").removesuffix(".git")
        assert await feed.told() == {}
        site.commit(folder, "two")
        assert await feed.told() == {name: actions.CHANGED}
        folder.rename(folder.parent / "away")
        assert await feed.told() == {name: actions.REMOVED}
        (folder.parent / "away").rename(folder)
        assert await feed.told() == {name: actions.FOUND}
