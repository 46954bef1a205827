"""A full disk, whichever: intake stops, that is said once, nothing is lost, and it resumes."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import obstore
import pytest
import sqlalchemy as sa
import structlog

from monitor.model import NpmNames, Organisation
from monitor.service.health import Health
from monitor.service.intake import PAUSE
from tests.e2e.daemon import token
from tests.service.conftest import worked
from tests.service.test_resolving import feed_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from monitor.service.parts import Parts
    from tests.service.conftest import MovedClock
    from tests.watch_servers.npm import NpmServer

    Opened = Callable[..., AbstractAsyncContextManager[Parts]]

ACME = Organisation(name="acme", npm=NpmNames(scopes=["@acme"]))


@contextmanager
def temporary(_parts: Parts) -> Iterator[None]:
    """Files can be made, and nothing be written into them."""
    with pytest.MonkeyPatch.context() as patch:

        def full(handle: int, _mode: str) -> Any:
            os.close(handle)
            return FullFile()

        patch.setattr(os, "fdopen", full)
        yield


class FullFile(io.BytesIO):
    def write(self, _chunk: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def scratch(_parts: Parts) -> Iterator[None]:
    """Not even a folder can be made."""
    with pytest.MonkeyPatch.context() as patch:

        def full(*_arguments: Any, **_named: Any) -> str:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

        patch.setattr(tempfile, "mkdtemp", full)
        yield


@contextmanager
def evidence(_parts: Parts) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:

        def full(*_arguments: Any, **_named: Any) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr(obstore, "put", full)
        yield


@contextmanager
def database(parts: Parts) -> Iterator[None]:
    """SQLite may use no more pages than it has: its own answer to a full disk."""
    engine = parts.store.database.engine.sync_engine

    def limited(connection: sa.Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    sa.event.listen(engine, "begin", limited)
    try:
        yield
    finally:
        sa.event.remove(engine, "begin", limited)

        def unlimited(connection: sa.Connection) -> None:
            connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")

        sa.event.listen(engine, "begin", unlimited)


@pytest.mark.parametrize("disk", [temporary, scratch, evidence, database])
async def test_a_full_disk_stops_the_intake_until_there_is_room(
    opened: Opened,
    npm: NpmServer,
    clock: MovedClock,
    disk: Callable[[Parts], AbstractAsyncContextManager[None]],
) -> None:
    async with opened(npm, None, [ACME]) as parts:
        feed = await feed_of(parts, "npm")
        health = Health(parts, lambda: [feed], lambda: False)
        name = f"@acme/full-{disk.__name__}"
        tokens = "".join(f"TOKEN_{number}={token(name + str(number))}\n" for number in range(60))
        npm.put(name, "1.0.0", {".env": tokens}, license="UNLICENSED")
        await feed.poll()
        await worked(parts, ["resolve"])
        answers = []
        with structlog.testing.capture_logs() as said:
            with disk(parts):  # type: ignore[attr-defined]  # contextmanager
                for _ in range(8):
                    await worked(parts, ["artifact"])
                    answers.append((await health.readyz(None)).text)  # type: ignore[arg-type]
                    assert not await feed.poll()
                    clock.move(seconds=PAUSE.total_seconds() + 15)
            clock.move(seconds=150)
            await worked(parts)
        full = [line for line in said if line.get("reason") == "disk-full"]
        assert ["intake stopped" in line["event"] for line in full] == [True], full
        assert "disk-full\n" in answers
        (past,) = await parts.store.history("npm", name)
        assert past.status == "complete"
        assert not parts.intake.is_full
        assert "there is room again" in said[-2]["event"] + said[-1]["event"]
        assert (await parts.queue.depth())["artifact"] == {"done": 1}
