"""One artifact's whole way through the store, in a process that can be killed at any statement.

``python -m tests.contract.steps`` reads lines ``ENGINE URL FOLDER KILL_AT``. For each it forks a
process which starts as the daemon does after a crash and works until nothing is left. Before the
statement (or the end of a transaction, or the step outside the database) of that number, it kills
itself with SIGKILL. The answer is a line: ``killed``, ``failed``, or how many such points there
were.
The channel is a file to which a line is added for each message; it is looked at before an
uncertain one is sent again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from procrastinate import PsycopgConnector

from monitor.evidence.places import open_evidence
from monitor.jobs import choice
from monitor.model import Notice, Ownership
from monitor.store import Store
from tests.contract import samples

KINDS = ("resolve", "artifact", "deliver")
ARTIFACT_BYTES = b"the artifact's bytes"


class Fuse:
    """Counts what the database is asked, and kills the process before one of these."""

    def __init__(self, kill_at: int) -> None:
        self.kill_at = kill_at
        self.count = 0

    def burn(self, *_: Any) -> None:
        self.count += 1
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def burning_tickets(fuse: Fuse) -> None:
    """What procrastinate asks goes by the driver: counted as well."""
    for name in ("one", "all"):
        method = f"execute_query_{name}_async_with_connection"
        asked = getattr(PsycopgConnector, method)

        async def burn(*arguments: Any, asked: Any = asked, **more: Any) -> Any:
            fuse.burn()
            return await asked(*arguments, **more)

        setattr(PsycopgConnector, method, burn)


async def main(engine_name: str, url: str, folder: Path, fuse: Fuse) -> None:
    evidence = open_evidence(f"file:{folder / 'evidence'}", None).evidence
    store = Store.open(url, enqueue=choice.enqueue(engine_name))
    burning_tickets(fuse)
    engine = store.database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", fuse.burn)
    sa.event.listen(engine, "commit", fuse.burn)
    await store.unlock(evidence.keyring)
    queue = choice.queue(engine_name, store)
    await queue.release("daemon")
    await queue.ensure(await store.unfinished())
    if "npm" not in await store.checkpoints():
        page = samples.page()
        await store.record_page(page, [(page.notices[0], samples.OWNER)])
    while (job := await queue.take("daemon", KINDS, 60)) is not None:
        await WORK[job.kind](store, folder, job.payload, fuse)
        await queue.done(job)
    await store.close()


async def resolve(store: Store, _folder: Path, payload: dict[str, Any], _fuse: Fuse) -> None:
    notice = msgspec.convert(payload["notice"], Notice)
    ownership = msgspec.convert(payload["ownership"], Ownership)
    for version in ("1.0.0", "2.0.0"):
        release = samples.release(version, notice.name)
        await store.announce(release, ownership, notice=payload["notice_key"])


async def artifact(store: Store, folder: Path, payload: dict[str, Any], fuse: Fuse) -> None:
    stored = await store.artifact(payload["artifact"])
    evidence = open_evidence(f"file:{folder / 'evidence'}", None).evidence
    if stored.state == "announced":
        (folder / "fetched").write_bytes(ARTIFACT_BYTES)
        kept = await evidence.put(str(folder / "fetched"))
        fuse.burn()
        await store.fetched(
            stored.artifact_id, evidence_key=kept.key, sha256=kept.sha256, size=kept.size
        )
    found = samples.finding(value=samples.SECRET)
    await store.settle(
        stored.artifact_id,
        samples.report([found]),
        samples.decide,
        samples.SCAN,
        channels=["file"],
    )


async def deliver(store: Store, folder: Path, _payload: dict[str, Any], fuse: Fuse) -> None:
    channel = folder / "channel"
    channel.touch()
    now = datetime.now(UTC)
    for outgoing in await store.outbox_due("file", now, 10):
        if not (outgoing.is_uncertain and outgoing.id in channel.read_text().splitlines()):
            await store.outbox_sending(outgoing.id, now)
            fuse.burn()
            with channel.open("a") as stream:
                stream.write(f"{outgoing.id}\n")
            fuse.burn()
        await store.outbox_sent(outgoing.id, f"message of {outgoing.id}", now)


WORK = {"resolve": resolve, "artifact": artifact, "deliver": deliver}


def forked(engine_name: str, url: str, folder: Path, kill_at: int) -> str:
    """Work in a child, so that imports are paid once."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        fuse = Fuse(kill_at)
        try:
            asyncio.run(main(engine_name, url, folder, fuse))
            os.write(writer, str(fuse.count).encode())
        except BaseException:  # noqa: BLE001 - the parent only has to know that it went wrong
            traceback.print_exc()
            os.write(writer, b"failed")
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text or "killed"


if __name__ == "__main__":
    for line in sys.stdin:
        engine_of, place, where, number = line.split()
        sys.stdout.write(f"{forked(engine_of, place, Path(where), int(number))}\n")
        sys.stdout.flush()
