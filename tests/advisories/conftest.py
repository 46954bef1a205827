"""An OSV API on loopback and both engines that ask it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from monitor.advisories.cache import Cache
from monitor.advisories.osv import Osv
from monitor.advisories.pip_audit import PipAudit, find
from monitor.http.client import Client
from monitor.http.settings import HttpSettings
from tests.advisories.osv_server import OsvServer
from tests.network.conftest import TickingClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def server() -> OsvServer:
    return OsvServer()


@pytest.fixture
async def address(server: OsvServer) -> AsyncIterator[str]:
    runner = web.AppRunner(server.app(), shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@pytest.fixture
def cache(tmp_path: Path, clock: TickingClock) -> Cache:
    return Cache(str(tmp_path / "cache"), 6 * 3600, lambda: clock.now().timestamp())


@pytest.fixture
async def osv(address: str, cache: Cache, clock: TickingClock) -> AsyncIterator[Osv]:
    async with Client(HttpSettings(tries=3), clock=clock) as client:
        yield Osv(client, address, cache)


@pytest.fixture
def pip_audit(osv: Osv, cache: Cache) -> PipAudit:
    environ = dict(os.environ) | {"PIP_AUDIT_VULNERABILITY_SERVICE": "pypi"}
    return PipAudit(find(environ), osv.query_address, cache, environ)
