"""The sandbox on an event loop: for everything that also talks to the network."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.sandbox import Job, Outcome, Sandbox


async def run(sandbox: Sandbox, job: Job) -> Outcome:
    """Run one job; the outcome once its child has ended."""
    running = sandbox.submit(job)
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Outcome] = loop.create_future()
    descriptor = running.fileno()

    def advance() -> None:
        outcome = running.advance()
        if outcome is not None:
            loop.remove_reader(descriptor)
            if not done.done():
                done.set_result(outcome)

    loop.add_reader(descriptor, advance)
    try:
        return await done
    finally:
        loop.remove_reader(descriptor)
        running.close()
