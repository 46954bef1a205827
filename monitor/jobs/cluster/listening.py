"""Listening: PostgreSQL says when somebody has put work in, over one connection a process."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from procrastinate import PsycopgConnector, exceptions
from procrastinate.manager import JobManager

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import sqlalchemy as sa

MAX_WAIT = 30.0
"""Seconds between two attempts to reach a database that does not answer, at most."""

logging.getLogger("procrastinate").setLevel(logging.WARNING)


class Ear:
    """One listener. What it misses while it is not connected, the waiting find by looking."""

    def __init__(self, url: sa.URL) -> None:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        # The pool is never used: it only holds the address of the connection that listens.
        self._connector = PsycopgConnector(conninfo=plain, min_size=0, max_size=1)

    async def listen(self, queues: Sequence[str], wake: Callable[[], Awaitable[None]]) -> None:
        """Call ``wake`` at each ticket that comes in, until cancelled."""

        async def heard(**_: Any) -> None:
            await wake()

        wait = 0.5
        await self._connector.open_async()
        try:
            while True:
                started = asyncio.get_running_loop().time()
                try:
                    await JobManager(self._connector).listen_for_jobs(
                        on_notification=heard, queues=queues
                    )
                except (exceptions.ConnectorException, OSError):
                    lived = asyncio.get_running_loop().time() - started
                    wait = 0.5 if lived > MAX_WAIT else min(MAX_WAIT, wait * 2)
                await asyncio.sleep(wait)
                await wake()
        finally:
            await self._connector.close_async()
