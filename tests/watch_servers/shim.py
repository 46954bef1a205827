"""A server in front of a real one: in a thread of its own, on a port of its own, with faults."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from tests.watch_servers.faults import ANSWERS, Faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

SESSION = web.AppKey("session", aiohttp.ClientSession)
_NOT_FORWARDED = {"transfer-encoding", "content-length", "connection", "content-encoding", "date"}
_MAX_UPLOAD = 1 << 30


@contextmanager
def hosted(app: web.Application, port: int) -> Iterator[str]:
    """The application on a port of loopback until the block ends; gives its address."""
    ready = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        runner = web.AppRunner(
            app, shutdown_timeout=0.01, handler_cancellation=True, access_log=None
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10), "the shim did not start"
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


def application(faults: Faults) -> web.Application:
    """An application that meets the faults of answers and can ask the server behind it."""

    async def session(app: web.Application) -> AsyncIterator[None]:
        # A kept connection may be closed by the server just as an upload begins on it.
        once = aiohttp.TCPConnector(force_close=True)
        app[SESSION] = aiohttp.ClientSession(auto_decompress=False, connector=once)
        yield
        await app[SESSION].close()

    @web.middleware
    async def faulty(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        kind = faults.take(request.path_qs, ANSWERS) if request.method == "GET" else ""
        if kind == "too-many":
            return web.Response(status=429, headers={"Retry-After": "0"})
        if kind == "unavailable":
            return web.Response(status=503)
        if kind == "not-found":
            return web.Response(status=404, text="{}")
        if kind == "garbage-answer":
            return web.Response(text='{"versions": [', content_type="application/json")
        answer = await handler(request)
        return await spoilt(request, answer, kind) if kind else answer

    app = web.Application(middlewares=[faulty], client_max_size=_MAX_UPLOAD)
    app.cleanup_ctx.append(session)
    return app


async def spoilt(request: web.Request, answer: web.StreamResponse, kind: str) -> web.StreamResponse:
    """The real answer, as the fault has it."""
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    body = answer.body
    if kind == "wrong-digest":
        middle = len(body) // 2
        body = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
        return web.Response(body=body, content_type=answer.content_type)
    if kind == "cut":
        _hang_up(request)
        return answer
    headers = {"Content-Length": str(len(body)), "Content-Type": answer.content_type}
    stream = web.StreamResponse(headers=headers)
    await stream.prepare(request)
    await stream.write(body[: len(body) // 2 if kind == "truncated" else 1])
    if kind == "slow-loris":
        await asyncio.Event().wait()  # until the client has had enough
    _hang_up(request)
    return stream


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()


async def forward(
    request: web.Request, url: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """The real server's answer to the same request; ``headers`` replace those of the client."""
    sent = {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in _NOT_FORWARDED | {"accept-encoding"}
    }
    sent |= {"Accept-Encoding": "identity", **(headers or {})}
    body = await request.read()
    async with request.app[SESSION].request(
        request.method, url, data=body or None, headers=sent, allow_redirects=False
    ) as answer:
        kept = {
            name: value
            for name, value in answer.headers.items()
            if name.lower() not in _NOT_FORWARDED
        }
        return web.Response(status=answer.status, body=await answer.read(), headers=kept)
