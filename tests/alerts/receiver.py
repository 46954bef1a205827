"""A server on loopback that takes what a channel sends, with bad days to order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web
from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Taken(Struct):
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(Struct):
    """``answer(taken)`` makes the answer; ``faults`` are spent first, one a request.

    A fault is a status (the request is not taken), ``lost`` (taken, then the connection breaks) or
    ``(status, headers)``.
    """

    answer: Callable[[Taken], web.StreamResponse]
    url: str = ""
    taken: list[Taken] = field(default_factory=list)
    faults: list[Any] = field(default_factory=list)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = request.path_qs
        taken = Taken(request.method, path, headers, await request.read())
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            return web.Response(status=fault)
        if isinstance(fault, tuple):
            return web.Response(status=fault[0], headers=fault[1])
        self.taken.append(taken)
        made = self.answer(taken)
        if fault == "lost":
            assert request.transport is not None
            request.transport.close()
        return made


@asynccontextmanager
async def receiving(
    answer: Callable[[Taken], web.StreamResponse] = lambda _taken: web.Response(status=202),
) -> AsyncIterator[Receiver]:
    """The server, until the block ends."""
    receiver = Receiver(answer)
    app = web.Application(client_max_size=4 * 2**20)
    app.router.add_route("*", "/{path:.*}", receiver.respond)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()
