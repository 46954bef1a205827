"""jsDelivr's data API and unpkg's listings on loopback: they keep what npm has removed.

Shapes and limits are those of the real ones: jsDelivr lists nested unless it is asked for a flat
list, answers 404 for a version that it does not know and 403 for a package above its size; unpkg
answers ``?meta`` with whole paths. A request for a file itself is a failure of whoever sent it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web

from tests.network.servers import free_port
from tests.watch_servers import shim

if TYPE_CHECKING:
    from collections.abc import Iterator


class CdnServer:
    """``kept`` are the files by ``NAME@VERSION``; ``asked`` logs every request."""

    def __init__(self) -> None:
        self.kept: dict[str, list[str]] = {}
        self.too_large: set[str] = set()
        self.asked: list[str] = []
        self.jsdelivr = ""
        self.unpkg = ""

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        path = unquote(request.path)
        if path.startswith("/data/v1/packages/npm/"):
            return self._jsdelivr(path.removeprefix("/data/v1/packages/npm/"), request)
        if path.startswith("/unpkg/") and path.endswith("/") and "meta" in request.query:
            return self._unpkg(path.removeprefix("/unpkg/").rstrip("/"))
        return web.Response(status=500, text="a file was asked for")

    def _jsdelivr(self, spec: str, request: web.Request) -> web.Response:
        if spec in self.too_large:
            return web.json_response({"status": 403, "message": "too large"}, status=403)
        if spec not in self.kept:
            return web.json_response({"status": 404, "message": "no such"}, status=404)
        name, _, version = spec.rpartition("@")
        if request.query.get("structure") == "flat":
            files: list[Any] = [
                {"name": f"/{path}", "hash": "x", "size": 1} for path in self.kept[spec]
            ]
        else:
            files = nested(self.kept[spec])
        told = {"type": "npm", "name": name, "version": version, "default": None, "files": files}
        return web.json_response(told)

    def _unpkg(self, spec: str) -> web.Response:
        if spec not in self.kept:
            return web.Response(status=404, text=f"Cannot find package {spec}")
        name, _, version = spec.rpartition("@")
        files = [{"path": f"/{path}", "size": 1, "type": "text/plain"} for path in self.kept[spec]]
        return web.json_response(
            {"package": name, "version": version, "prefix": "/", "files": files}
        )


def nested(paths: list[str]) -> list[Any]:
    """Paths as jsDelivr's tree."""
    top: list[Any] = []
    for path in paths:
        *folders, last = path.split("/")
        level = top
        for folder in folders:
            found = next((each for each in level if each["name"] == folder), None)
            if found is None:
                found = {"type": "directory", "name": folder, "files": []}
                level.append(found)
            level = found["files"]
        level.append({"type": "file", "name": last, "hash": "x", "size": 1})
    return top


@contextmanager
def cdn_server() -> Iterator[CdnServer]:
    """Both CDNs on one port of loopback."""
    made = CdnServer()
    with shim.hosted(made.application(), free_port()) as address:
        made.jsdelivr, made.unpkg = f"{address}data/", f"{address}unpkg/"
        yield made
