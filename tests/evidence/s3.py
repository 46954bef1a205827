"""An S3 service on loopback: objects, ranges, conditional writes, parts, listings.

It speaks what object_store asks of S3 and keeps everything in memory. Requests must be signed.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterator

MODIFIED = "Thu, 01 Jan 2026 12:00:00 GMT"


class Bucket:
    """One bucket. ``failures`` answers are 503 before any more work is done."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.failures = 0
        self.requests: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.method)
        if not request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256"):
            return web.Response(status=403)
        if self.failures:
            self.failures -= 1
            return web.Response(status=503)
        return await self._allowed(request, request.match_info["key"].lstrip("/"))

    async def _allowed(self, request: web.Request, key: str) -> web.StreamResponse:
        if request.method == "PUT":
            return await self._put(request, key)
        if request.method == "POST":
            return await self._post(request, key)
        if request.method == "DELETE":
            self.objects.pop(key, None)
            return web.Response(status=204)
        if not key:
            return self._list(request.query.get("prefix", ""))
        return self._get(request, key)

    async def _put(self, request: web.Request, key: str) -> web.Response:
        body = await request.read()
        if "uploadId" in request.query:
            self.parts[request.query["uploadId"]][int(request.query["partNumber"])] = body
        elif request.headers.get("If-None-Match") == "*" and key in self.objects:
            return web.Response(status=412)
        else:
            self.objects[key] = body
        return web.Response(headers={"ETag": _tag(body)})

    async def _post(self, request: web.Request, key: str) -> web.Response:
        if "uploads" in request.query:
            number = str(len(self.parts) + 1)
            self.parts[number] = {}
            return _xml(
                f"<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>{escape(key)}</Key>"
                f"<UploadId>{number}</UploadId></InitiateMultipartUploadResult>"
            )
        body = await request.text()
        if "delete" in request.query:
            keys = re.findall("<Key>(.*?)</Key>", body)
            for each in keys:
                self.objects.pop(each, None)
            rows = "".join(f"<Deleted><Key>{each}</Key></Deleted>" for each in keys)
            return _xml(f"<DeleteResult>{rows}</DeleteResult>")
        parts = self.parts.pop(request.query["uploadId"])
        self.objects[key] = b"".join(parts[number] for number in sorted(parts))
        return _xml(
            "<CompleteMultipartUploadResult><Location>l</Location><Bucket>b</Bucket>"
            f"<Key>{escape(key)}</Key><ETag>{_tag(self.objects[key])}</ETag>"
            "</CompleteMultipartUploadResult>"
        )

    def _get(self, request: web.Request, key: str) -> web.Response:
        if key not in self.objects:
            return web.Response(status=404)
        body = self.objects[key]
        headers = {"ETag": _tag(body), "Last-Modified": MODIFIED}
        if "Range" in request.headers:
            part = request.http_range
            chosen = body[part]
            start = part.start or 0
            headers["Content-Range"] = f"bytes {start}-{start + len(chosen) - 1}/{len(body)}"
            return web.Response(status=206, body=chosen, headers=headers)
        return web.Response(body=body, headers=headers)

    def _list(self, prefix: str) -> web.Response:
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T12:00:00.000Z</LastModified>"
            f"<ETag>{_tag(body)}</ETag><Size>{len(body)}</Size></Contents>"
            for key, body in sorted(self.objects.items())
            if key.startswith(prefix)
        )
        return _xml(
            f"<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>{rows}"
            "</ListBucketResult>"
        )


@contextmanager
def served() -> Iterator[tuple[Bucket, str]]:
    """A bucket and the address of its service."""
    bucket = Bucket()
    loop = asyncio.new_event_loop()
    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("*", "/bucket{key:.*}", bucket.answer)
    runner = web.AppRunner(application)
    loop.run_until_complete(runner.setup())
    site = web.TCPSite(runner, "127.0.0.1", 0)
    loop.run_until_complete(site.start())
    port = runner.addresses[0][1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield bucket, f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(runner.cleanup())
        loop.close()


def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _xml(text: str) -> web.Response:
    return web.Response(text=f'<?xml version="1.0"?>{text}', content_type="application/xml")
