"""An OSV API on loopback, with the limits of the real one: its batches, pages and error codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web
from packaging.utils import canonicalize_name
from packaging.version import Version

from monitor.registries import semver

if TYPE_CHECKING:
    from collections.abc import Callable

    Fault = Callable[[], web.Response]

MAX_QUERIES = 1000
ECOSYSTEMS = {"npm", "PyPI"}


class OsvServer:
    """``records`` by id; ``asked`` logs every request; ``faults`` are answered first, one each."""

    def __init__(self, page_size: int = 1000) -> None:
        self.page_size = page_size
        self.records: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, int]] = []
        self.faults: list[Fault] = []
        self.broken: dict[str, Fault] = {}
        self.names: set[str] = set()

    def add(
        self,
        name: str,
        *affected: tuple[str, str],
        events: list[dict[str, str]] | None = None,
        versions: list[str] | None = None,
        **fields: Any,
    ) -> None:
        """An advisory on ``(ecosystem, package)`` pairs, affected from 0 on unless told else."""
        ranges = [{"type": "ECOSYSTEM", "events": events or [{"introduced": "0"}]}]
        self.records[name] = {
            "schema_version": "1.7.0",
            "id": name,
            "modified": "2026-01-01T00:00:00Z",
            "published": "2025-01-01T00:00:00Z",
            "summary": f"Trouble in {affected[0][1]}",
            "details": "Long.",
            "affected": [
                {"package": {"ecosystem": ecosystem, "name": package}}
                | ({"versions": versions} if versions else {"ranges": ranges})
                for ecosystem, package in affected
            ],
        } | fields

    def app(self) -> web.Application:
        app = web.Application(client_max_size=32 << 20)
        app.router.add_post("/v1/query", self._query)
        app.router.add_post("/v1/querybatch", self._batch)
        app.router.add_get("/v1/vulns/{id}", self._vulnerability)
        return app

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    async def _query(self, request: web.Request) -> web.Response:
        query = json.loads(await request.text())
        self.asked.append((request.path, 1))
        if self.faults:
            return self.faults.pop(0)()
        if (fault := self.broken.get(query["package"]["name"])) is not None:
            return fault()
        found, token = self._page(query)
        return web.json_response(_result(found, token))

    async def _batch(self, request: web.Request) -> web.Response:
        queries = (await request.json())["queries"]
        self.asked.append((request.path, len(queries)))
        if self.faults:
            return self.faults.pop(0)()
        if len(queries) > MAX_QUERIES:
            return web.json_response({"code": 3, "message": "Too many queries."}, status=400)
        if any(query["package"]["ecosystem"] not in ECOSYSTEMS for query in queries):
            return web.json_response({"code": 3, "message": "Invalid ecosystem."}, status=400)
        results = []
        for query in queries:
            found, token = self._page(query)
            short = [{"id": each["id"], "modified": each["modified"]} for each in found]
            results.append(_result(short, token))
        return web.json_response({"results": results})

    async def _vulnerability(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, 1))
        if self.faults:
            return self.faults.pop(0)()
        record = self.records.get(request.match_info["id"])
        if record is None:
            return web.json_response({"code": 5, "message": "Bug not found."}, status=404)
        return web.json_response(record)

    def _page(self, query: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
        package = query["package"]
        self.names.add(package["name"])
        found = [
            record
            for record in self.records.values()
            if any(_is_affected(each, package, query["version"]) for each in record["affected"])
        ]
        start = int(query.get("page_token") or 0)
        end = start + self.page_size
        return found[start:end], str(end) if end < len(found) else ""


def _result(found: list[dict[str, Any]], token: str) -> dict[str, Any]:
    return ({"vulns": found} if found else {}) | ({"next_page_token": token} if token else {})


def _is_affected(affected: dict[str, Any], package: dict[str, str], version: str) -> bool:
    named = affected["package"]
    is_python = package["ecosystem"] == "PyPI"
    names = [named["name"], package["name"]]
    if is_python:
        names = [canonicalize_name(name) for name in names]
    if named["ecosystem"] != package["ecosystem"] or names[0] != names[1]:
        return False
    if "versions" in affected:
        return version in affected["versions"]
    events = [event for each in affected["ranges"] for event in each["events"]]
    is_inside = False
    for event in events:
        ((kind, bound),) = event.items()
        order = _order(version, bound, is_python=is_python)
        if kind == "introduced":
            is_inside = is_inside or bound == "0" or order >= 0
        elif kind == "fixed":
            is_inside = is_inside and order < 0
        else:
            is_inside = is_inside and order <= 0
    return is_inside


def _order(version: str, bound: str, *, is_python: bool) -> int:
    if bound == "0":
        return 1
    if is_python:
        left, right = Version(version), Version(bound)
        return (left > right) - (left < right)
    ours, theirs = semver.parse(version), semver.parse(bound)
    assert ours is not None
    assert theirs is not None
    return (ours > theirs) - (ours < theirs)
