"""Registries that publish without end, by arithmetic: ``-m tests.bench.load_server PORT OURS``.

One process serves npm's change feed, records and tarballs, and PyPI's journal, news, pages and
files. Row N is a function of N, so that millions of them take no memory. ``OURS`` is one row in how
many that belongs to the watched organisation. ``POST /advance?rows=N`` lets time pass.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import random
import sys
import tarfile
import time
import xmlrpc.client
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from aiohttp import web

from tests.e2e.daemon import token

PYPI_SHARE = 5  # one row in five is PyPI's
PACKAGES = 50
VARIANTS = 24
LEAKY = 8  # one variant in eight leaks
STRANGERS = 400_000
SIMPLE = "application/vnd.pypi.simple.v1+json"


class Feed:
    """How far the feeds are, and when which row came: the marks of each advance."""

    def __init__(self, ours: int) -> None:
        self.ours = ours
        self.head = 0
        self.marks: list[tuple[int, float]] = [(0, time.time())]

    def advance(self, rows: int) -> None:
        self.head += rows
        self.marks.append((self.head, time.time()))
        if len(self.marks) > 100_000:
            del self.marks[:50_000]

    def came_at(self, number: int) -> datetime:
        low, high = 0, len(self.marks) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.marks[middle][0] >= number else (middle + 1, high)
        return datetime.fromtimestamp(self.marks[low][1], UTC)

    def is_ours(self, number: int) -> bool:
        return number % self.ours == 0

    def is_pypi(self, number: int) -> bool:
        return (number // self.ours if self.is_ours(number) else number) % PYPI_SHARE == 0

    def package(self, number: int) -> int:
        return (number // self.ours) % PACKAGES

    def own(self, package: int, *, is_pypi: bool) -> list[int]:
        """The rows so far of one of our packages."""
        first = package or PACKAGES
        rows = range(first * self.ours, self.head + 1, PACKAGES * self.ours)
        return [number for number in rows if self.is_pypi(number) == is_pypi][-400:]


def stranger(number: int) -> str:
    return f"pkg-{(number * 2_654_435_761) % STRANGERS}"


def code(variant: int) -> bytes:
    """About 150 kB of a package, packed; one in ``LEAKY`` holds a token."""
    words = random.Random(variant)
    text = "".join(f"export const v{n} = {words.random()};\n" for n in range(5000))
    files = {"index.js": text, "README.md": "# load\n" * 50}
    if variant % LEAKY == 0:
        files[".env"] = f"GITHUB_TOKEN={token(str(variant))}\n"
    return packed(files) + gzip.compress(bytes(1024), mtime=0)


def manifest(name: str, version: str) -> bytes:
    """The other part of a package, which says whose it is."""
    about = {"name": name, "version": version, "license": "UNLICENSED"}
    if name.startswith("@"):
        return packed({"package.json": json.dumps(about)})
    return packed({"PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"})


def packed(files: dict[str, str]) -> bytes:
    """Records of a tar archive: packed parts behind one another are one archive."""
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w") as tar:
        for path, text in files.items():
            record = tarfile.TarInfo(f"package/{path}")
            record.size = len(text)
            tar.addfile(record, io.BytesIO(text.encode()))
        records = into.getvalue()  # closing it would end the archive
    return gzip.compress(records, 1, mtime=0)


class Server:
    """All addresses."""

    def __init__(self, url: str, ours: int) -> None:
        self.url = url
        self.feed = Feed(ours)
        self.code = [code(variant) for variant in range(VARIANTS)]
        self.digests = lru_cache(100_000)(self._digests)
        self.asked = 0

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/advance", self.advance)
        app.router.add_get("/feed", self.database)
        app.router.add_get("/feed/_changes", self.changes)
        app.router.add_get("/pypi/rss/updates.xml", self.rss)
        app.router.add_get("/pypi/simple/", self.root)
        app.router.add_get("/pypi/simple/{name}/", self.page)
        app.router.add_get("/pypi/pypi/{name}/json", self.project)
        app.router.add_post("/pypi/pypi", self.journal)
        app.router.add_get("/file/{number}", self.file)
        app.router.add_get("/npm/{path:.*}", self.npm)
        return app

    async def advance(self, request: web.Request) -> web.Response:
        self.feed.advance(int(request.query["rows"]))
        return web.json_response({"head": self.feed.head, "asked": self.asked})

    async def database(self, _request: web.Request) -> web.Response:
        return web.json_response({"update_seq": self.feed.head})

    async def changes(self, request: web.Request) -> web.Response:
        since, limit = int(request.query["since"]), int(request.query["limit"])
        last = min(since + limit, self.feed.head)
        rows = [
            f'{{"seq":{number},"id":"{self.name(number)}","changes":[{{"rev":"{number}-a"}}]}}'
            for number in range(since + 1, last + 1)
        ]
        return web.Response(
            text=f'{{"results":[{",".join(rows)}],"last_seq":{last}}}',
            content_type="application/json",
        )

    def name(self, number: int) -> str:
        """What npm's row is about; PyPI's rows are other strangers here."""
        is_ours = self.feed.is_ours(number) and not self.feed.is_pypi(number)
        return self.name_of_ours(number) if is_ours else stranger(number)

    async def npm(self, request: web.Request) -> web.Response:
        self.asked += 1
        path = request.match_info["path"].replace("%2f", "/")
        if path.endswith("/latest"):
            people = [{"name": "somebody", "email": "a@somebody.example"}]
            return web.json_response({"name": path[:-7], "maintainers": people})
        if path.startswith("-/npm/v1/attestations/"):
            raise web.HTTPNotFound
        package = int(path.rpartition("-")[2])
        rows = self.feed.own(package, is_pypi=False)
        versions = {f"1.0.{number}": self._version(path, number) for number in rows}
        times = {f"1.0.{number}": self.feed.came_at(number).isoformat() for number in rows}
        revision = f"{rows[-1] if rows else 0}-a"
        record = {"name": path, "_rev": revision, "versions": versions, "time": times}
        return web.json_response(record)

    def _version(self, name: str, number: int) -> dict[str, Any]:
        integrity = self.digests(name, number)[1]
        dist = {"tarball": f"{self.url}file/{number}", "integrity": f"sha512-{integrity}"}
        return {"name": name, "version": f"1.0.{number}", "license": "UNLICENSED", "dist": dist}

    async def file(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        return web.Response(body=self.archive(self.name_of_ours(number), number))

    def name_of_ours(self, number: int) -> str:
        prefix = "acmeload" if self.feed.is_pypi(number) else "@acme/load"
        return f"{prefix}-{self.feed.package(number)}"

    def archive(self, name: str, number: int) -> bytes:
        """The bytes that row published."""
        version = f"1.{number}" if self.feed.is_pypi(number) else f"1.0.{number}"
        return manifest(name, version) + self.code[number // self.feed.ours % VARIANTS]

    def _digests(self, name: str, number: int) -> tuple[str, str]:
        """The archive's SHA-256 in hex, its SHA-512 in base64."""
        data = self.archive(name, number)
        return (
            hashlib.sha256(data).hexdigest(),
            base64.b64encode(hashlib.sha512(data).digest()).decode(),
        )

    async def journal(self, request: web.Request) -> web.Response:
        arguments, method = xmlrpc.client.loads(await request.read())
        answer: Any = self.feed.head
        if method == "changelog_since_serial":
            since = int(str(arguments[0]))
            numbers = range(since + 1, min(since + 250_000, self.feed.head) + 1)
            answer = [self._row(number) for number in numbers if self.feed.is_pypi(number)][:50_000]
        text = xmlrpc.client.dumps((answer,), methodresponse=True, allow_none=True)
        return web.Response(text=text, content_type="text/xml")

    def _row(self, number: int) -> list[Any]:
        at = int(self.feed.came_at(number).timestamp())
        if not self.feed.is_ours(number):
            return [stranger(number), "1.0", at, "add py3 file x-1.0-py3-none-any.whl", number]
        name, version = self.name_of_ours(number), f"1.{number}"
        return [name, version, at, f"add source file {name}-{version}.tar.gz", number]

    async def rss(self, _request: web.Request) -> web.Response:
        numbers = [n for n in range(max(1, self.feed.head - 499), self.feed.head + 1) if n % 5 == 0]
        items = "".join(
            f"<item><link>{self.url}project/{stranger(number)}/1.{number}/</link></item>"
            for number in reversed(numbers)
        )
        text = f"<rss><channel>{items}</channel></rss>"
        return web.Response(text=text, content_type="text/xml")

    async def root(self, _request: web.Request) -> web.Response:
        projects = [
            {"name": f"acmeload-{package}", "_last-serial": rows[-1]}
            for package in range(PACKAGES)
            if (rows := self.feed.own(package, is_pypi=True))
        ]
        root = {"meta": {"api-version": "1.3", "_last-serial": self.feed.head}}
        return web.Response(text=json.dumps({**root, "projects": projects}), content_type=SIMPLE)

    async def page(self, request: web.Request) -> web.Response:
        self.asked += 1
        name = request.match_info["name"]
        rows = self.feed.own(int(name.rpartition("-")[2]), is_pypi=True)
        files = [
            {
                "filename": f"{name}-1.{number}.tar.gz",
                "url": f"{self.url}file/{number}",
                "hashes": {"sha256": self.digests(name, number)[0]},
                "upload-time": self.feed.came_at(number).isoformat(),
            }
            for number in rows
        ]
        meta = {"api-version": "1.4", "_last-serial": rows[-1] if rows else 0}
        page = {"name": name, "meta": meta, "files": files}
        return web.Response(text=json.dumps(page), content_type=SIMPLE)

    async def project(self, request: web.Request) -> web.Response:
        self.asked += 1
        about = {"name": request.match_info["name"], "author_email": "a@somebody.example"}
        return web.json_response({"info": about, "ownership": {"organization": None, "roles": []}})


def main(port: int, ours: int) -> None:
    server = Server(f"http://127.0.0.1:{port}/", ours)
    web.run_app(server.application(), host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
