"""``leakmon index setup | background``: the canonicaliser, and what is everybody's code anyway."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import time
from typing import TYPE_CHECKING

from monitor import config
from monitor.cli.network import machine
from monitor.config import private_code
from monitor.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from monitor.pipeline.background import Learnt
    from monitor.pipeline.progress import Progress
    from monitor.private_code.index.public import PublicPrints

FAILED = 3


def setup(call: argparse.Namespace) -> int:
    """Fetch the pinned esbuild into the cache, unless it is there, and see that it runs."""
    from monitor.errors import LeakmonError
    from monitor.pipeline import tooling
    from monitor.private_code import esbuild
    from monitor.registries.network import connect

    settings, environ = config.load(call.config), config.environment()
    cache = config.cache_folder(environ)
    kept = esbuild.kept_at(cache)
    if os.path.exists(kept) and not call.force:
        try:
            tooling.check(kept)
        except LeakmonError as error:
            print(f"leakmon: {error}: it is fetched again", file=sys.stderr)
        else:
            print(f"esbuild {esbuild.VERSION} is ready: {kept}")
            return 0

    async def fetched() -> str:
        async with connect(config.network(settings, environ), machine()) as network:
            name = esbuild.platform_name(platform.system(), platform.machine())
            return await tooling.set_up(network, cache, name)

    print(f"esbuild {esbuild.VERSION} is ready: {asyncio.run(fetched())}")
    return 0


def background(call: argparse.Namespace) -> int:
    """Learn from public packages; 3 if one could not be fetched or opened."""
    from monitor.private_code.index.public import PublicPrints

    environ = config.environment()
    settings = config.load(call.config)
    names = _names(call)
    place = private_code.place(settings, environ, call.organisation)
    index = private_code.opened(place, environ)
    with PublicPrints(index) as public:
        if call.forget:
            for name in names:
                gone = public.withdraw(package=name.lower())
                print(f"{name}: {'forgotten' if gone else 'was not learnt from'}")
            failed = False
        else:
            new = [name for name in names if not public.has(name.lower())]
            learnt = asyncio.run(_learnt(call, settings, public, new)) if new else []
            failed = _show(learnt)
        tally = public.publish()
        if not failed:
            public.settle()
    print(
        f"{tally.packages:,} packages learnt from: they have {tally.shared:,} of our fingerprints, "
        f"{tally.public:,} are public"
    )
    return FAILED if failed else 0


def _names(call: argparse.Namespace) -> list[str]:
    """The packages that are named, read from a list, or those that leakmon brings."""
    import re
    from pathlib import Path

    from monitor.private_code import index

    texts = list(call.packages)
    if call.list is not None:
        texts += _listed(Path(call.list))
    if not texts and not call.forget:
        texts = _listed(Path(index.__file__).with_name("popular.txt"))
    for text in texts:
        if not re.match(r"(?:npm|pypi|pkg):", text):
            raise UsageError(f"{text}: no package: write npm:name or pypi:name")
    return texts


def _listed(path: object) -> list[str]:
    try:
        with open(str(path), encoding="utf-8") as stream:
            lines = [line.strip() for line in stream]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--list {path}: {error}") from None
    return [line for line in lines if line and not line.startswith("#")]


async def _learnt(
    call: argparse.Namespace, settings: config.Settings, public: PublicPrints, names: Sequence[str]
) -> list[Learnt]:
    from monitor.detectors import Context
    from monitor.pipeline.background import WISH, Background
    from monitor.rules import bundled_rules_folder
    from monitor.sandbox import Sandbox
    from monitor.sandbox import Settings as SandboxSettings

    environ = config.environment()
    avoided, avoided_publishers = await _avoided(settings)
    told = SandboxSettings(
        rule_folders=(bundled_rules_folder(),), cache_folder=config.cache_folder(environ), code=WISH
    )
    with Sandbox(told) as sandbox, _bars(call) as progress:
        learner = Background(
            public, sandbox, settings.organisations, avoided=avoided,
            avoided_publishers=avoided_publishers,
            context=Context(now=int(time.time())), workers=os.cpu_count() or 1,
        )  # fmt: skip
        network = config.network(settings, environ)
        return [one async for one in learner.run(names, network, machine(), progress)]


async def _avoided(settings: config.Settings) -> tuple[set[str], set[str]]:
    """Packages and publishers with an open incident, where this host has the daemon's database."""
    from monitor.config.storage import database_url
    from monitor.pipeline.publishers import publishers_of
    from monitor.store import Store, migrations

    url = database_url(settings, config.environment())
    schema = await asyncio.to_thread(migrations.status, url)
    if schema.standing is not migrations.Standing.CURRENT:
        return set(), set()
    store = Store.open(url)
    try:
        found = [one for one in await store.suspects() if one.is_open]
    finally:
        await store.close()
    publishers = {name for one in found if one.release for name in publishers_of(one.release)}
    return {f"{one.ecosystem}:{one.name}" for one in found}, publishers


def _bars(call: argparse.Namespace) -> _Shown:
    return _Shown(is_wanted=not call.no_progress and sys.stderr.isatty())


class _Shown:
    """Bars on a terminal, else nothing."""

    def __init__(self, *, is_wanted: bool) -> None:
        from monitor.pipeline.progress import Silent

        self._bars = None
        if is_wanted:
            from monitor.cli.bars import Bars

            self._bars = Bars()
        self._silent = Silent()

    def __enter__(self) -> Progress:
        return self._bars.__enter__() if self._bars is not None else self._silent

    def __exit__(self, *failure: object) -> None:
        if self._bars is not None:
            self._bars.__exit__(*failure)


def _show(learnt: Sequence[Learnt]) -> bool:
    """Say what came of packages; whether one could not be learnt from."""
    quiet = {"ours", "open-incident"}
    failed = False
    for one in learnt:
        if one.reason:
            failed |= one.reason not in quiet
            print(f"{one.package}: not learnt from: {one.reason}")
        elif one.shared:
            print(f"{one.package}: {one.shared:,} of our fingerprints")
    return failed
