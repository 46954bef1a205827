"""What the daemon is made of, built once from the settings and handed to every step."""

from __future__ import annotations

import asyncio
import copy
import os
import shutil
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from monitor.alerts import channels
from monitor.alerts.routing import hearers
from monitor.config import network as network_settings_of
from monitor.config.channels import alert_settings, last_digest_at, routing
from monitor.config.storage import open_evidence
from monitor.http.pace import Clock
from monitor.jobs import choice
from monitor.registries.network import connect
from monitor.service.copies import Sources
from monitor.service.followed import Followed
from monitor.service.intake import Intake
from monitor.service.logs import logger
from monitor.service.meters import Meters
from monitor.service.siblings import Sdists
from monitor.service.strangers import Strangers
from monitor.service.suspects import Suspects
from monitor.store import Store
from monitor.watchers.perimeter import Perimeter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime

    from monitor.alerts import Channel
    from monitor.config import Settings
    from monitor.evidence import Evidence
    from monitor.jobs import Queue
    from monitor.model import Ownership
    from monitor.pipeline.learning import Learning
    from monitor.pipeline.private_code import PrivateCode
    from monitor.registries.client_config import Machine
    from monitor.registries.network import Network
    from monitor.registries.settings import NetworkSettings
    from monitor.sandbox import Sandbox
    from monitor.store.database import Guard

_SCRATCH = "leakmon-watch-"
_log = logger()


class Parts:
    """The parts, open. ``woken`` is set by whoever put work into the queue."""

    def __init__(
        self,
        *,
        settings: Settings,
        registries: NetworkSettings,
        network: Network,
        store: Store,
        queue: Queue,
        evidence: Evidence,
        sandbox: Sandbox,
        another: Callable[[Sandbox], Sandbox],
        told: list[Channel],
        folder: str,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.registries = registries
        self.network = network
        self.store = store
        self.queue = queue
        self.evidence = evidence
        self.sandbox = sandbox
        self._another = another
        self._renewing = asyncio.Lock()
        self.channels = told
        self.private_code: PrivateCode | None = None
        self.learning: Learning | None = None
        self.hearers = hearers(routing(settings))
        self.folder = folder
        self.clock = clock
        self.perimeter = Perimeter(settings.organisations, settings.provenance.ask)
        self.suspects = Suspects(self.perimeter)
        self.followed = Followed(settings.copies)
        self.sources = Sources()
        self.sdists = Sdists()
        self.meters = Meters()
        self.intake = Intake(clock)
        self.strangers = Strangers()
        self.owners: dict[tuple[str, str], Ownership] = {}
        self.woken = asyncio.Condition()

    def look_for(self, private_code: PrivateCode | None) -> None:
        """Hold every artifact against these indexes, and learn for them what everybody has."""
        self.private_code = private_code
        if private_code is not None:
            from monitor.pipeline.learning import Learning  # numpy: where there is an index alone

            self.learning = Learning(private_code.indexes, self.settings.organisations)

    @property
    def rules_digest(self) -> str:
        """The rules that this daemon inspects with."""
        return self.sandbox.hello.rules_digest

    def guarded(self, guard: Guard) -> Parts:
        """The same parts; every transaction that writes to their store begins with ``guard``."""
        made = copy.copy(self)
        made.store = self.store.guarded(guard)
        return made

    @property
    def last_digest_at(self) -> datetime:
        """The latest moment at which digests were due."""
        return last_digest_at(self.settings, self.clock.now())

    async def recall(self) -> None:
        """Know again whose the packages on record are: theirs goes before any stranger's."""
        names = {each.name for each in self.settings.organisations}
        known = await self.store.owners()
        self.owners = {key: own for key, own in known.items() if own.organisation in names}
        await self.suspects.refresh(self)

    async def wake(self) -> None:
        """There is work: whoever waits for some looks now."""
        async with self.woken:
            self.woken.notify_all()

    async def rest(self, seconds: float) -> None:
        """Wait for ``wake``, at most so long."""
        try:
            async with asyncio.timeout(seconds), self.woken:
                await self.woken.wait()
        except TimeoutError:
            return

    async def renew_sandbox(self, lost: Sandbox) -> None:
        """Put a new sandbox in the place of one that has died; the first who asks does it."""
        async with self._renewing:
            if self.sandbox is lost:
                _log.error("the sandbox died: starting another", step="scan", reason="sandbox-lost")
                self.sandbox = await asyncio.to_thread(self._another, lost)

    async def read_evidence(self, key: str, path: str, why: str) -> None:
        """Kept bytes into a file of ours, with the audit's entry first. Raises NotFoundError."""
        await self.store.audit("leakmon", "evidence-read", key, reason=why)
        await self.evidence.get(key, path)

    def scratch(self) -> str:
        """A new private folder for one piece of work, whose caller removes it."""
        return tempfile.mkdtemp(dir=self.folder)


@asynccontextmanager
async def opened(
    settings: Settings,
    url: str,
    machine: Machine,
    sandbox: Sandbox,
    another: Callable[[Sandbox], Sandbox],
    *,
    is_telling: bool = True,
) -> AsyncIterator[Parts]:
    """Everything that the settings name, until the block ends. The schema is current by now.

    Who is not ``is_telling`` needs none of the channels' secrets.
    """
    environ: Mapping[str, str] = machine.environ
    async with AsyncExitStack() as stack:
        clock = Clock()
        engine = choice.engine(settings.jobs.engine, url)
        store = Store.open(url, clock=clock.now, enqueue=choice.enqueue(engine))
        stack.push_async_callback(store.close)
        kept = await asyncio.to_thread(open_evidence, settings, environ)
        if kept.made_key:
            _log.warning(
                f"made the evidence's key: {kept.made_key}. Back it up: without "
                "it neither the evidence nor the fingerprints in the database can be read",
                step="start",
            )
        await store.unlock(kept.evidence.keyring)
        registries = network_settings_of(settings, environ)
        network = await stack.enter_async_context(connect(registries, machine, clock=clock))
        await asyncio.to_thread(_swept)
        folder = tempfile.mkdtemp(prefix=f"{_SCRATCH}{os.getpid()}-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield Parts(
            settings=settings,
            registries=registries,
            network=network,
            store=store,
            queue=choice.queue(engine, store),
            evidence=kept.evidence,
            sandbox=sandbox,
            another=another,
            told=channels(alert_settings(settings, environ)) if is_telling else [],
            folder=folder,
            clock=clock,
        )


def _swept() -> None:
    """Remove what a killed daemon of this user left behind: half-fetched files are large."""
    top = tempfile.gettempdir()
    for name in os.listdir(top):
        pid = name.removeprefix(_SCRATCH).partition("-")[0]
        path = os.path.join(top, name)
        if name.startswith(_SCRATCH) and pid.isdecimal() and not _is_alive(int(pid)):
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
