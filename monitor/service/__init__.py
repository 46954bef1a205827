"""The daemon's composition root: settings meet parts, steps meet loops.

One verb a step, in the log's ``step=``, in metrics and in the modules: poll (and enqueue),
resolve, then fetch, scan, judge and settle of an artifact, deliver. ``daemon`` holds the loops,
``watching`` those of which there is one in a cluster, ``supervision`` keeps them alive,
``schedule`` says when; nothing here knows SQL or a protocol.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from monitor.config.storage import database_url
from monitor.errors import ConfigError, TransientError
from monitor.jobs import choice
from monitor.service.logs import configure, logger
from monitor.service.sandboxes import sandboxes as sandboxes_of
from monitor.store.keys import REPOSITORIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from monitor.config import Settings
    from monitor.pipeline.private_code import PrivateCode
    from monitor.registries.client_config import Machine
    from monitor.service.parts import Parts
    from monitor.service.sandboxes import Sandboxes

_log = logger()
ALL = "all"
LABELS = {
    "npm": "npm",
    "pypi": "PyPI",
    "github": "GitHub",
    "gitlab": "GitLab",
    "git": "git addresses",
}
_POSTGRESQL = "postgresql"
_MAX_WAIT = 15.0


class Wish(Struct, frozen=True, kw_only=True):
    """What the call asks for: ``backfill`` is a number of days, ``all`` or nothing."""

    backfill: str = ""
    is_once: bool = False


def run(settings: Settings, machine: Machine, cache_folder: str, wish: Wish) -> None:
    """Watch until a signal ends it. Raises an error of ours where it cannot go on."""
    configure()
    if not settings.organisations:
        raise ConfigError("organisations: none: name yours under [[organisations]]")
    url = database_url(settings, machine.environ)
    engine = choice.engine(settings.jobs.engine, url)
    with _alone(url):
        reached(lambda: _upgraded(url, engine), url)
        private = opened_private_code(settings, machine.environ, cache_folder)
        with sandboxes_of(settings, cache_folder, private) as sandboxes:
            asyncio.run(_watch(settings, url, machine, sandboxes, wish))


async def _watch(
    settings: Settings, url: str, machine: Machine, sandboxes: Sandboxes, wish: Wish
) -> None:
    from monitor.service.daemon import Daemon
    from monitor.service.leading import Leadership
    from monitor.service.parts import opened
    from monitor.service.window import Window

    async with opened(settings, url, machine, sandboxes.now, sandboxes.another) as parts:
        parts.look_for(sandboxes.private_code)
        await _asked(wish, parts)
        _greet(parts)
        if url.startswith(_POSTGRESQL):
            name = own_name()
            daemon = Daemon(
                parts,
                name=name,
                leadership=Leadership(parts, name),
                window=Window(url, parts.queue),
            )
        else:
            daemon = Daemon(parts)
        await (daemon.once() if wish.is_once else daemon.run())
    _log.info("stopped", step="stop")


def work(settings: Settings, machine: Machine, cache_folder: str, jobs: int) -> None:
    """Take jobs from the cluster's queue until a signal ends it; ``jobs`` artifacts at once."""
    configure()
    url = database_url(settings, machine.environ)
    if not url.startswith(_POSTGRESQL):
        raise ConfigError(
            "database.url: leakmon worker shares a PostgreSQL database with leakmon watch: "
            "write postgresql://host/name (on SQLite the watch does all the work)"
        )
    if choice.engine(settings.jobs.engine, url) != choice.PROCRASTINATE:
        choice.require()
        raise ConfigError("jobs.engine: embedded is for one process: write auto or procrastinate")
    reached(lambda: _ready(url), url)
    private = opened_private_code(settings, machine.environ, cache_folder)
    with sandboxes_of(settings, cache_folder, private) as sandboxes:
        asyncio.run(_work(settings, url, machine, sandboxes, jobs))


async def _work(
    settings: Settings, url: str, machine: Machine, sandboxes: Sandboxes, jobs: int
) -> None:
    from monitor.service.daemon import Daemon
    from monitor.service.parts import opened
    from monitor.service.window import Window

    async with opened(
        settings, url, machine, sandboxes.now, sandboxes.another, is_telling=False
    ) as parts:
        parts.look_for(sandboxes.private_code)
        name = own_name()
        _log.info(f"working as {name}", step="start")
        await _same_evidence(parts)
        window = Window(url, parts.queue)
        await Daemon(parts, name=name, jobs=jobs, is_watching=False, window=window).run()
    _log.info("stopped", step="stop")


async def _same_evidence(parts: Parts) -> None:
    """Raises ConfigError if what the others keep is not to be seen from here."""
    key = await parts.store.latest_evidence()
    if key is not None and not await parts.evidence.has(key):
        url = parts.settings.evidence.url
        raise ConfigError(
            f"evidence.url: {url} does not hold what the others keep: name their bucket, or a "
            "folder that all machines share"
        )


def own_name() -> str:
    """Of this process in the cluster: where it runs, and a name that nobody had before."""
    return f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(3)}"


def reached(step: Callable[[], None], url: str) -> None:
    """Do the first thing with the database; PostgreSQL, and its schema, may come up later."""
    wait = 1.0
    while True:
        try:
            return step()
        except TransientError as error:
            if not url.startswith(_POSTGRESQL):
                raise
            if wait == 1.0:
                _log.warning(f"{error}: waiting for it", step="start", reason=error.reason)
        time.sleep(wait)
        wait = min(_MAX_WAIT, wait * 2)


async def _asked(wish: Wish, parts: Parts) -> None:
    """Note the backfill that the call asks for."""
    if not wish.backfill:
        return
    from datetime import timedelta

    from monitor.service import backfilling
    from monitor.watchers import WATCHERS

    is_all = wish.backfill == ALL
    since = None if is_all else parts.clock.now() - timedelta(days=int(wish.backfill))
    for ecosystem in WATCHERS:
        if parts.perimeter.is_on(ecosystem):
            await backfilling.ask(ecosystem, since, parts)


def _greet(parts: Parts) -> None:
    """What is watched, how often, and how to look at it: idle feeds have nothing to show."""
    from monitor.service.watching import interval
    from monitor.watchers import WATCHERS

    names = ", ".join(each.name for each in parts.settings.organisations)
    watched = {
        ecosystem: feeds
        for ecosystem, registry in WATCHERS.items()
        if ecosystem in REPOSITORIES or parts.perimeter.is_on(ecosystem)
        if (feeds := registry.watch(parts.registries, parts.network))
    }
    if not watched:
        raise ConfigError("organisations: none names packages, owners, repositories or domains")
    told = " and ".join(LABELS[each] for each in watched)
    _log.info(f"watching {told} for {names}", step="start")
    for ecosystem, feeds in watched.items():
        keys = "; ".join(parts.perimeter.told(ecosystem))
        every = ", ".join(f"{each.feed} every {interval(each.feed, parts):g} s" for each in feeds)
        _log.info(f"{LABELS[ecosystem]}: {keys}. Asked: {every}", step="start")
    if "github" in watched and not parts.registries.github.token:
        _log.info("no [registries.github] token: GitHub answers 60 questions an hour", step="start")
    is_wanted = parts.perimeter.has_builders(watched)
    if is_wanted and not parts.network.attestations.root.is_available:
        _log.warning(
            "builds cannot be proven to be ours: pip install 'leakmon[provenance]', or set "
            '[provenance] ask = "off"',
            step="start",
            reason="not-installed",
        )
    listen = parts.settings.service.listen
    if listen:
        _log.info(f"health and metrics: http://{listen}/metrics", step="start")
    _log.info(
        "to look at it: leakmon status --watch; whose a package is: leakmon perimeter explain; "
        "what a message looks like: leakmon alerts preview",
        step="start",
    )
    if not parts.channels:
        _log.warning(
            "no channel is configured: incidents are shown by leakmon incidents alone; "
            "[alerts.slack] in leakmon.toml tells people",
            step="start",
            reason="no-channel",
        )


def opened_private_code(
    settings: Settings, environ: Mapping[str, str], cache_folder: str
) -> PrivateCode | None:
    """The indexes of private code, open; None where there are none."""
    from monitor.config import private_code as places

    if not places.places(settings, environ):
        return None
    from monitor.pipeline.private_code import PrivateCode

    rereader = places.rereader(settings, environ, cache_folder)
    made = PrivateCode(places.open_indexes(settings, environ), rereader)
    _log.info("private code is looked for in every artifact", step="start")
    return made


def _upgraded(url: str, engine: str) -> None:
    from monitor.store import migrations

    before = migrations.upgrade(url)
    if before.standing in (migrations.Standing.EMPTY, migrations.Standing.OLDER):
        _log.info(f"database: schema {before.revision or 'none'} -> {before.newest}", step="start")
    for name in choice.upgrade(engine, url):
        _log.info(f"database: procrastinate's {name}", step="start")


def _ready(url: str) -> None:
    from monitor.store import migrations

    migrations.working(url)


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """One daemon a SQLite database: two would take each other's leases."""
    if not url.startswith("sqlite:///"):
        yield
        return
    path = f"{url.removeprefix('sqlite:///')}.watch"
    try:
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"database.url: {path}: {error.strerror}") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"another leakmon watch is at work on this database ({path} is locked)"
            ) from None
        yield
    finally:
        os.close(lock)
