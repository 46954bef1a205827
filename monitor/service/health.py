"""``/healthz``, ``/readyz`` and ``/metrics``, for whoever watches the watcher."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from monitor.errors import ConfigError, LeakmonError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from monitor.service.parts import Parts
    from monitor.service.polling import Feed

    Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Health:
    """The three answers."""

    def __init__(
        self, parts: Parts, feeds: Callable[[], list[Feed]], is_stopping: Callable[[], bool]
    ) -> None:
        self._parts = parts
        self._feeds = feeds
        self._is_stopping = is_stopping

    async def healthz(self, _request: web.Request) -> web.Response:
        """The process runs and its loop answers."""
        return web.Response(text="ok\n")

    async def readyz(self, _request: web.Request) -> web.Response:
        """Whether it works: the database and the primary feeds answer, disks have room."""
        problems = []
        try:
            await self._parts.store.checkpoints()
        except LeakmonError as error:
            problems.append(f"database: {error.reason}")
        now = self._parts.clock.now()
        told = [feed.problem(now) for feed in self._feeds() if feed.is_primary]
        problems += [each for each in told if each]
        if self._parts.intake.is_full:
            problems.append("disk-full")
        if self._is_stopping():
            problems.append("stopping")
        text = "\n".join(problems) or "ready"
        return web.Response(text=f"{text}\n", status=503 if problems else 200)

    async def metrics(self, _request: web.Request) -> web.Response:
        """Prometheus' text."""
        meters, now = self._parts.meters, self._parts.clock.now()
        polled = {feed.name: feed.answered_at for feed in self._feeds() if feed.answered_at}
        try:
            meters.show(await self._parts.store.metrics(), polled, now)
        except LeakmonError as error:
            meters.errors.labels("metrics", error.reason).inc()
        network = self._parts.network
        meters.show_limits(network.client.limits.accounts, network.mirrors.bytes_fetched)
        meters.disk_full.set(int(self._parts.intake.is_full))
        body = generate_latest(meters.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


@asynccontextmanager
async def served(
    health: Health, listen: str, posted: Sequence[tuple[str, Answering]] = ()
) -> AsyncIterator[None]:
    """The answers at ``host:port`` until the block ends; nothing for an empty one.

    ``posted`` are further answers, to POST, by path.
    """
    if not listen:
        yield
        return
    app = web.Application()
    app.router.add_get("/healthz", health.healthz)
    app.router.add_get("/readyz", health.readyz)
    app.router.add_get("/metrics", health.metrics)
    for path, answer in posted:
        app.router.add_post(path, answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    host, _, port = listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigError(
            f"service.listen: {listen}: {error.strerror}: choose another address, or none"
        ) from None
    try:
        yield
    finally:
        await runner.cleanup()
