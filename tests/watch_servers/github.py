"""GitHub on loopback: real git over HTTP, and the REST and GraphQL APIs with their real limits.

Repositories are bare ones on disk, pushed to by the real git. What the APIs tell of them is read
from the disk and from the pushes that went through here. Limits are enforced: 60 questions an hour
without a token, 5,000 with one, a 304 free only with one, at most a hundred rows a page, lists
continued by ``Link`` alone (with a cursor that cannot be guessed), secondary limits on demand.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from msgspec import Struct, field

from tests.network import servers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

TOKEN = "ghp_" + "NobodysTokenForTests"
NO_COMMIT = "0" * 40


class Repo(Struct):
    """One repository and what GitHub would know of it."""

    name: str
    number: int
    path: Path
    is_private: bool = False
    is_fork: bool = False
    pushed_at: float = 0.0
    releases: list[dict[str, Any]] = field(default_factory=list)
    activity: list[dict[str, Any]] = field(default_factory=list)


class Github:
    """One GitHub. ``url`` is both its site and its API."""

    def __init__(self, root: Path, *, now: Callable[[], float] = time.time) -> None:
        self.root = root
        self.url = ""
        self.now = now
        self.repos: dict[str, Repo] = {}
        self.gists: dict[str, Repo] = {}
        self.kinds: dict[str, str] = {"acme": "Organization"}
        self.members: dict[str, list[str]] = {}
        self.events: list[dict[str, Any]] = []
        self.assets: dict[str, bytes] = {}
        self.page_size = 100
        self.limits = {"core": 5_000, "graphql": 5_000}
        self.anonymous_limit = 60
        self.spent: dict[str, int] = {}
        self.resets_at = now() + 3600
        self.secondary = 0
        self.secondary_after: int | None = None
        self.poll_interval = 1
        self.has_graphql = True
        self.has_activity = True
        self.is_down = False
        self.asked: list[tuple[str, int]] = []
        self._cursors: dict[str, tuple[str, int]] = {}
        self._number = 1000

    def create(self, name: str, **facts: Any) -> Repo:
        """A new empty repository that takes pushes."""
        self._number += 1
        path = self.root / f"{name}.git"
        path.mkdir(parents=True)
        servers.git(path, "init", "-q", "--bare")
        for key in ("http.receivepack", "uploadpack.allowFilter"):
            servers.git(path, "config", key, "true")
        made = Repo(name=name, number=self._number, path=path, pushed_at=self.now(), **facts)
        (self.gists if "/gists/" in name else self.repos)[name] = made
        return made

    def list_only(self, name: str, **facts: Any) -> Repo:
        """A repository that the APIs tell of, with nothing on the disk."""
        self._number += 1
        facts = {"pushed_at": self.now()} | facts
        made = Repo(name=name, number=self._number, path=self.root / "none", **facts)
        self.repos[name] = made
        return made

    def delete(self, name: str) -> None:
        self.repos.pop(name)

    def release(self, name: str, tag: str, files: dict[str, bytes], **more: Any) -> None:
        """Publish a release with its assets."""
        self._number += 1
        assets: list[dict[str, Any]] = []
        for filename, content in files.items():
            key = f"{self._number}{len(assets)}"
            self.assets[key] = content
            digest = hashlib.sha256(content).hexdigest()
            asset = {
                "id": int(key),
                "name": filename,
                "size": len(content),
                "digest": f"sha256:{digest}",
                "url": f"{self.url}repos/{name}/releases/assets/{key}",
                "browser_download_url": f"https://evil.example/{name}/{filename}",
                "updated_at": self._iso(self.now()),
            }
            assets.append(asset)
        told = {
            "id": self._number,
            "tag_name": tag,
            "draft": False,
            "author": {"login": "robot"},
            "published_at": self._iso(self.now()),
            "assets": assets,
        }
        self.repos[name].releases.insert(0, told | more)

    def _iso(self, at: float) -> str:
        return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")

    def app(self) -> web.Application:
        """The application; ``url`` is to be set to where it is served."""
        git = servers.git_backend(self.root)

        async def serve(request: web.Request) -> web.StreamResponse:
            path = request.path.lstrip("/")
            if ".git/" in path:
                return await self._git(request, path, git)
            return await self._api(request, path)

        app = web.Application(client_max_size=1 << 28)
        app.router.add_route("*", "/{path:.*}", serve)
        return app

    async def _git(
        self, request: web.Request, path: str, git: web.Application
    ) -> web.StreamResponse:
        name = path.partition(".git/")[0]
        repo = self.repos.get(name) or self.gists.get(name)
        if repo is None or (repo.is_private and not self._is_known(request)):
            return web.Response(status=404)
        before = self._refs(repo) if path.endswith("git-receive-pack") else {}
        (route,) = git.router.routes()
        handler: Callable[[web.Request], Awaitable[web.Response]] = route.handler  # type: ignore[assignment]
        answer = await handler(request)
        if request.method == "POST" and path.endswith("git-receive-pack"):
            self._pushed(repo, before)
        return answer

    def _refs(self, repo: Repo) -> dict[str, str]:
        if not repo.path.exists():
            return {}
        lines = servers.git(repo.path, "for-each-ref", "--format=%(refname) %(objectname)")
        return dict(line.split(" ") for line in lines.splitlines())

    def _pushed(self, repo: Repo, before: dict[str, str]) -> None:
        after = self._refs(repo)
        for ref in sorted({*before, *after}):
            old, new = before.get(ref, NO_COMMIT), after.get(ref, NO_COMMIT)
            if old != new:
                self._happened(repo, ref, old, new)
        repo.pushed_at = max(self.now(), repo.pushed_at + 1)

    def _happened(self, repo: Repo, ref: str, old: str, new: str) -> None:
        self._number += 1
        kind = "push"
        if NO_COMMIT in (old, new):
            kind = "branch_creation" if old == NO_COMMIT else "branch_deletion"
        elif servers.git(repo.path, "merge-base", old, new) != old:
            kind = "force_push"
        at = self._iso(self.now())
        repo.activity.insert(
            0,
            {
                "id": self._number,
                "before": old,
                "after": new,
                "ref": ref,
                "timestamp": at,
                "activity_type": kind,
            },
        )
        self.event(repo.name, "PushEvent", {"ref": ref, "before": old, "head": new})

    def event(self, name: str, kind: str, payload: dict[str, Any]) -> None:
        self._number += 1
        self.events.insert(
            0,
            {
                "id": str(self._number),
                "type": kind,
                "repo": {"id": 1, "name": name},
                "payload": payload,
                "created_at": self._iso(self.now()),
            },
        )

    def _is_known(self, request: web.Request) -> bool:
        basic = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        return request.headers.get("Authorization") in {f"Bearer {TOKEN}", f"Basic {basic}"}

    async def _api(self, request: web.Request, path: str) -> web.Response:
        is_known = self._is_known(request)
        account = "graphql" if path == "graphql" else "core"
        limit = self.limits[account] if is_known else self.anonymous_limit
        if self.now() >= self.resets_at:
            self.spent, self.resets_at = {}, self.now() + 3600
        if self.is_down:
            return self._told(request, web.Response(status=503))
        if self.secondary:
            self.secondary -= 1
            text = "You have exceeded a secondary rate limit. Please wait a few minutes."
            answer = web.json_response({"message": text}, status=403)
            if self.secondary_after is not None:
                answer.headers["retry-after"] = str(self.secondary_after)
            return self._counted(request, answer, account, limit)
        if self.spent.get(account, 0) >= limit:
            answer = web.json_response({"message": "API rate limit exceeded"}, status=403)
            return self._counted(request, answer, account, limit)
        answer = await self._answer(request, path)
        is_free = is_known and answer.status == 304
        self.spent[account] = self.spent.get(account, 0) + (not is_free)
        return self._counted(request, answer, account, limit)

    def _counted(
        self, request: web.Request, answer: web.Response, account: str, limit: int
    ) -> web.Response:
        answer.headers["x-ratelimit-limit"] = str(limit)
        answer.headers["x-ratelimit-remaining"] = str(max(0, limit - self.spent.get(account, 0)))
        answer.headers["x-ratelimit-reset"] = str(int(self.resets_at))
        answer.headers["x-ratelimit-resource"] = account
        return self._told(request, answer)

    def _told(self, request: web.Request, answer: web.Response) -> web.Response:
        self.asked.append((request.path_qs, answer.status))
        return answer

    async def _answer(self, request: web.Request, path: str) -> web.Response:  # noqa: PLR0911 - one for each endpoint
        words = path.split("/")
        query = request.query
        if path == "graphql" and request.method == "POST":
            return self._graphql(await request.json(), is_known=self._is_known(request))
        if words[0] == "users" and len(words) == 2 and words[1] in self.kinds:
            return self._one(request, {"login": words[1], "type": self.kinds[words[1]]})
        if words[0] in {"orgs", "users"} and len(words) >= 3:
            kind = "Organization" if words[0] == "orgs" else "User"
            if words[1] not in self.kinds or (self.kinds[words[1]] != kind and kind != "User"):
                return web.json_response({"message": "Not Found"}, status=404)
            return self._listed(request, words, query)
        if words[0] == "gists":
            return self._gist(request, words[1])
        if words[0] == "repos":
            return self._repo(request, words)
        return web.json_response({"message": "Not Found"}, status=404)

    def _listed(self, request: web.Request, words: list[str], query: Any) -> web.Response:
        login, what = words[1], words[2]
        if what == "repos":
            own = [each for each in self.repos.values() if each.name.startswith(f"{login}/")]
            rows = [self._row(each) for each in own if not each.is_private]
            rows.sort(key=lambda row: (row["pushed_at"], row["id"]), reverse=True)
        elif what == "public_members":
            rows = [{"login": member} for member in self.members.get(login, [])]
        elif what == "gists":
            rows = [self._gist_row(each) for each in self.gists.values()
                    if each.name.startswith(f"{login}/")]  # fmt: skip
        elif what == "events":
            rows = [each for each in self.events if each["repo"]["name"].startswith(f"{login}/")]
        else:
            return web.json_response({"message": "Not Found"}, status=404)
        answer = self._page(request, rows, query)
        if what == "events":
            answer.headers["X-Poll-Interval"] = str(self.poll_interval)
        return answer

    def _page(self, request: web.Request, rows: list[dict[str, Any]], query: Any) -> web.Response:
        size = min(int(query.get("per_page", "30")), self.page_size)
        start = 0
        if "cursor" in query:
            place, start = self._cursors[query["cursor"]]
            assert place == request.path
        answer = self._one(request, rows[start : start + size])
        if start + size < len(rows):
            cursor = secrets.token_hex(8)
            self._cursors[cursor] = (request.path, start + size)
            target = f"{self.url}{request.path.lstrip('/')}?per_page={size}&cursor={cursor}"
            answer.headers["Link"] = f'<{target}>; rel="next", <{self.url}>; rel="first"'
        return answer

    def _one(self, request: web.Request, value: object) -> web.Response:
        body = json.dumps(value).encode()
        tag = f'W/"{hashlib.sha256(body).hexdigest()}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        return web.Response(body=body, content_type="application/json", headers={"ETag": tag})

    def _row(self, repo: Repo) -> dict[str, Any]:
        return {
            "id": repo.number,
            "full_name": repo.name,
            "private": repo.is_private,
            "fork": repo.is_fork,
            "pushed_at": self._iso(repo.pushed_at),
            "clone_url": "https://evil.example/x.git",
        }

    def _gist_row(self, repo: Repo) -> dict[str, Any]:
        return {
            "id": repo.name.rpartition("/")[2],
            "public": True,
            "updated_at": self._iso(repo.pushed_at),
            "git_pull_url": f"{self.url}{repo.name}.git",
        }

    def _gist(self, request: web.Request, gist: str) -> web.Response:
        found = [each for each in self.gists.values() if each.name.endswith(f"/{gist}")]
        if not found:
            return web.json_response({"message": "Not Found"}, status=404)
        return self._one(request, self._gist_row(found[0]))

    def _repo(self, request: web.Request, words: list[str]) -> web.Response:  # noqa: PLR0911 - one for each endpoint
        repo = self.repos.get("/".join(words[1:3]))
        if repo is None or repo.is_private:
            return web.json_response({"message": "Not Found"}, status=404)
        if len(words) == 3:
            return self._one(request, self._row(repo))
        if words[3:4] == ["activity"] and self.has_activity:
            return self._page(request, repo.activity, request.query)
        if words[3:] == ["releases"]:
            return self._page(request, repo.releases, request.query)
        if words[3:5] == ["releases", "assets"]:
            if request.headers.get("Accept") != "application/octet-stream":
                return web.json_response({"message": "that is JSON"}, status=400)
            return web.Response(body=self.assets[words[5]], content_type="application/octet-stream")
        return web.json_response({"message": "Not Found"}, status=404)

    def _graphql(self, question: dict[str, Any], *, is_known: bool) -> web.Response:
        if not is_known:
            return web.json_response({"message": "requires authentication"}, status=401)
        if not self.has_graphql:
            return web.json_response({"errors": [{"message": "insufficient scopes"}], "data": None})
        login = question["variables"]["login"]
        if login not in self.kinds:
            errors = [{"type": "NOT_FOUND", "message": "Could not resolve"}]
            return web.json_response({"data": {"repositoryOwner": None}, "extensions": errors})
        own = [each for each in self.repos.values() if each.name.startswith(f"{login}/")]
        nodes = [self._node(each) for each in own if not each.is_private]
        after = question["variables"].get("after")
        start = int(base64.b64decode(after)) if after else 0
        end = start + self.page_size
        cursor = base64.b64encode(str(end).encode()).decode()
        about = {"hasNextPage": end < len(nodes), "endCursor": cursor}
        listed = {"nodes": nodes[start:end], "pageInfo": about}
        return web.json_response({"data": {"repositoryOwner": {"repositories": listed}}})

    def _node(self, repo: Repo) -> dict[str, Any]:
        newest = [
            {"databaseId": each["id"], "updatedAt": each["published_at"],
             "releaseAssets": {"totalCount": len(each["assets"])}}
            for each in repo.releases[:1]
        ]  # fmt: skip
        return {
            "databaseId": repo.number,
            "nameWithOwner": repo.name,
            "isFork": repo.is_fork,
            "isPrivate": repo.is_private,
            "pushedAt": self._iso(repo.pushed_at),
            "releases": {"nodes": newest},
            "refs": {"totalCount": len(self._refs(repo))},
            "defaultBranchRef": {"target": {"oid": self._refs(repo).get("refs/heads/main", "")}},
        }


@contextmanager
def running(root: Path, *, now: Callable[[], float] = time.time) -> Iterator[Github]:
    """A GitHub in a thread of its own, beside other processes."""
    github = Github(root, now=now)
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(github.app(), shutdown_timeout=0.01)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        github.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield github
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Checkout:
    """A clone that pushes over HTTP, as a developer does."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        servers.git(folder, "init", "-q")
        servers.git(folder, "remote", "add", "origin", url)

    def commit(self, files: dict[str, str], message: str = "work") -> str:
        """Commit files; the commit's id."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        servers.git(self.folder, "add", "-A")
        servers.git(self.folder, "commit", "-q", "--allow-empty", "-m", message)
        return servers.git(self.folder, "rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        return servers.git(self.folder, *arguments)

    def push(self, *arguments: str) -> None:
        servers.git(self.folder, "push", "-q", *(arguments or ("origin", "HEAD:main")))
