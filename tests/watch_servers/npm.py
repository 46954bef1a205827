"""npm for tests: a real verdaccio to publish to, a real CouchDB feed of what was published.

The shim in front forwards everything to verdaccio; after each change that verdaccio took, the
package's record is announced in the feed under its real revision, as npm does it.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from aiohttp import web

from tests.network import servers
from tests.watch_servers import shim
from tests.watch_servers.faults import PAGES, Faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FEED = servers.SERVERS / "changes.mjs"
Json = dict[str, Any]


class NpmServer:
    """A running npm: ``registry`` to publish to, ``changes`` to watch, ``faults`` to switch on."""

    def __init__(self, behind: servers.Registry, feed: str, port: int) -> None:
        self.faults = Faults()
        self.registry = servers.Registry(f"http://127.0.0.1:{port}/", behind.token, behind.home)
        self.url = self.registry.url
        self.changes = f"{self.url}-/feed/registry/"
        self._behind = behind.url
        self._feed = feed
        self._database = "registry"
        self.has_listing = True
        self._held: set[tuple[str, str]] = set()
        self._stale: dict[str, bytes] = {}
        self._attested: dict[str, tuple[Json, str]] = {}
        self.asked: list[str] = []
        self.sha512: dict[str, str] = {}

    def publish(
        self, name: str, version: str, files: Mapping[str, str] | None = None, **manifest: object
    ) -> None:
        """``npm publish`` of a package with these files."""
        whole = {"name": name, "version": version, "license": "MIT", **manifest}
        servers.npm_publish(self.registry, whole, files or {"index.js": f"// {version}\n"})

    def put(
        self, name: str, version: str, files: Mapping[str, str] | None = None, **manifest: object
    ) -> None:
        """The one request that ``npm publish`` makes, a hundred times quicker."""
        whole = {"name": name, "version": version, "license": "MIT", **manifest}
        tarball = _packed(whole, files or {"index.js": f"// {version}\n"})
        filename = f"{name.rpartition('/')[2]}-{version}.tgz"
        self.sha512[f"{name}@{version}"] = hashlib.sha512(tarball).hexdigest()
        sha512 = base64.b64encode(hashlib.sha512(tarball).digest()).decode()
        dist = {
            "integrity": f"sha512-{sha512}",
            "shasum": hashlib.sha1(tarball).hexdigest(),  # noqa: S324 - the protocol's
            "tarball": f"{self.url}{name}/-/{filename}",
        }
        attached = {
            "content_type": "application/octet-stream",
            "data": base64.b64encode(tarball).decode(),
            "length": len(tarball),
        }
        document = {
            "_id": name,
            "name": name,
            "dist-tags": {"next" if "-" in version else "latest": version},
            "versions": {version: {**whole, "_id": f"{name}@{version}", "dist": dist}},
            "access": "public",
            "_attachments": {f"{name}-{version}.tgz": attached},
        }
        login = {"Authorization": f"Bearer {self._token}"}
        servers.call("PUT", f"{self.url}{name.replace('/', '%2f')}", document, login)

    def attest(self, name: str, version: str, answer: Json, url: str = "") -> None:
        """The version has attestations: announced in its record, under ``url`` if that is given.

        ``asked`` lists the versions whose attestations were asked for, ``sha512`` has the digests.
        """
        one = f"{name}@{version}"
        self._attested[one] = (answer, url or f"{self.url}-/npm/v1/attestations/{quote(one)}")

    def npm(self, *arguments: str) -> None:
        """Any other command of the real npm (``unpublish``, ``dist-tag add`` ...)."""
        servers.npm(self.registry, *arguments)

    def sequence(self) -> str:
        """How far the feed is now."""
        found = servers.call("GET", f"{self._feed}{self._database}", None)
        return str(found["update_seq"])

    def reset_feed(self) -> None:
        """The feed is begun anew, as npm's was in 2016 and 2021: empty, at sequence 0."""
        number = int(self._database.partition("-")[2] or 1) + 1
        database = f"registry-{number}"
        servers.call("PUT", f"{self._feed}{database}", {})
        self._database = database

    def hold(self, name: str, version: str) -> None:
        """The version is announced and not there: it is being scanned."""
        self._held.add((name, version))

    def free(self, name: str, version: str) -> None:
        """The scan is over."""
        self._held.discard((name, version))

    def lag(self, name: str) -> None:
        """The record that is served stays as it is, whatever is published."""
        address = f"{self.url}{name.replace('/', '%2f')}"
        record = servers.call("GET", address, None, {"Authorization": f"Bearer {self._token}"})
        self._stale[name] = json.dumps(record).encode()

    def catch_up(self, name: str) -> None:
        """The record is served as it is."""
        self._stale.pop(name)

    @property
    def _token(self) -> str:
        return self.registry.token

    def application(self) -> web.Application:
        """The shim."""
        app = shim.application(self.faults)
        app.router.add_route("*", "/-/feed/{path:.*}", self._feeds)
        app.router.add_get("/-/npm/v1/attestations/{one:.*}", self._attestations)
        app.router.add_route("*", "/{path:.*}", self._registry)
        return app

    async def _feeds(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.take(request.path_qs, PAGES) if "_changes" in request.path else ""
        if fault == "garbage":
            return web.Response(text='{"results": [{"seq": 1, "id"')
        if fault == "empty-page":
            since = request.query.get("since", "0")
            return web.json_response({"results": [], "last_seq": int(since)})
        if "_all_docs" in request.path and not self.has_listing:
            return web.json_response({"error": "not_found"}, status=404)
        rest = request.path_qs.partition("/-/feed/registry")[2]
        return await shim.forward(request, f"{self._feed}{self._database}{rest}")

    async def _registry(self, request: web.Request) -> web.StreamResponse:
        name, tarball = _parts(request.path)
        if request.method in {"GET", "HEAD"}:
            if any(held == name and f"-{version}.tgz" in tarball for held, version in self._held):
                return web.Response(status=404, text="{}")
            if name in self._stale and not tarball:
                return web.Response(body=self._stale[name], content_type="application/json")
        # npm's qualifier of searches; verdaccio's search is for parts of names.
        path = request.raw_path.replace("text=scope%3A", "text=@")
        answer = await shim.forward(request, self._behind.rstrip("/") + path)
        if request.method in {"PUT", "DELETE"} and answer.status < 300 and name:
            await self._announce(request, name)
        if request.method == "GET" and answer.status == 200 and not tarball:
            return self._announcing(self._without_held(answer, name), name)
        return answer

    async def _attestations(self, request: web.Request) -> web.StreamResponse:
        one = unquote(request.match_info["one"])
        self.asked.append(one)
        if one not in self._attested:
            return web.json_response({"error": "Attestations Not Found"}, status=404)
        return web.json_response(self._attested[one][0])

    def _announcing(self, answer: web.Response, name: str) -> web.Response:
        """The record or manifest with ``dist.attestations`` where a version has some."""
        if not any(one.rpartition("@")[0] == name for one in self._attested):
            return answer
        assert isinstance(answer.body, bytes)
        record: Json = json.loads(answer.body)
        versions = record.get("versions") or {record.get("version"): record}
        for version, manifest in versions.items():
            found = self._attested.get(f"{name}@{version}")
            if found is not None:
                manifest["dist"]["attestations"] = {
                    "url": found[1],
                    "provenance": {"predicateType": "https://slsa.dev/provenance/v1"},
                }
        return web.json_response(record)

    def _without_held(self, answer: web.Response, name: str) -> web.Response:
        held = {version for owner, version in self._held if owner == name}
        if not held:
            return answer
        assert isinstance(answer.body, bytes)
        record: Json = json.loads(answer.body)
        kept = {text: one for text, one in record["versions"].items() if text not in held}
        tags = {tag: text for tag, text in record["dist-tags"].items() if text not in held}
        return web.json_response({**record, "versions": kept, "dist-tags": tags})

    async def _announce(self, request: web.Request, name: str) -> None:
        """The package's new revision in the feed; a tombstone if there is no record any more."""
        session = request.app[shim.SESSION]
        headers = {"Authorization": f"Bearer {self._token}", "Accept-Encoding": "identity"}
        address = f"{self._behind}{name.replace('/', '%2f')}"
        async with session.get(address, headers=headers) as answer:
            record: Json = json.loads(await answer.read()) if answer.status == 200 else {}
        database = f"{self._feed}{self._database}"
        entry: Json = {"new_edits": False, "docs": [{"_id": name, "_rev": record.get("_rev")}]}
        if not record:
            # Each revision is a leaf of its own, verdaccio tells no ancestors: all must go.
            address = f"{database}/{quote(name, safe='')}?conflicts=true"
            async with session.get(address) as answer:
                known: Json = json.loads(await answer.read())
            leaves = [known["_rev"], *known.get("_conflicts", [])]
            entry = {"docs": [{"_id": name, "_rev": leaf, "_deleted": True} for leaf in leaves]}
        async with session.post(f"{database}/_bulk_docs", json=entry) as answer:
            assert answer.status in {200, 201}, await answer.text()


def _packed(manifest: Mapping[str, object], files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for member, text in ({"package.json": json.dumps(manifest)} | dict(files)).items():
            record = tarfile.TarInfo(f"package/{member}")
            record.size = len(text.encode())
            tar.addfile(record, io.BytesIO(text.encode()))
    return packed.getvalue()


def _parts(path: str) -> tuple[str, str]:
    """The package that a path is about, and its tarball if it is about that."""
    plain = unquote(path).strip("/")
    name, _, tarball = plain.partition("/-/")
    if plain.startswith("-/"):
        _, _, rest = plain.partition("-/package/")
        name = rest.partition("/dist-tags")[0]
    name = name.partition("/-rev/")[0]
    words = name.split("/")
    return "/".join(words[: 2 if name.startswith("@") else 1]), tarball


@contextmanager
def npm_server(folder: Path, port: int = 0) -> Iterator[NpmServer]:
    """All of it, on loopback, until the block ends."""
    feed_port, own_port = servers.free_port(), port or servers.free_port()
    feed = f"http://127.0.0.1:{feed_port}/"
    folder.mkdir(parents=True, exist_ok=True)
    command = ["node", str(FEED), str(feed_port)]
    with (
        servers.verdaccio(folder) as behind,
        servers.running(command, servers.environment(folder), "changes ready"),
    ):
        servers.call("PUT", f"{feed}registry", {})
        server = NpmServer(behind, feed, own_port)
        with shim.hosted(server.application(), own_port):
            yield server
