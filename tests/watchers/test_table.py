"""The table of watchers is the folder, and each entry keeps the protocol."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import monitor.watchers
from monitor.watchers import WATCHERS
from tests.watchers.conftest import settings_of

if TYPE_CHECKING:
    from monitor.registries.network import Network
    from monitor.watchers import Watcher
    from tests.watch_servers.npm import NpmServer
    from tests.watch_servers.pypi import PypiServer


def test_every_registry_of_the_folder_is_in_the_table() -> None:
    folder = Path(monitor.watchers.__file__).parent
    modules = [
        each.parent.name if each.name == "__init__.py" else each.stem
        for each in (*folder.glob("*.py"), *folder.glob("*/__init__.py"))
        if "def watch(" in each.read_text(encoding="utf-8")
    ]
    assert sorted(modules) == sorted(WATCHERS)


def test_each_feed_has_a_name_of_its_own_and_the_protocol(
    npm: NpmServer, pypi: PypiServer, npm_network: Network
) -> None:
    watchers: list[Watcher] = [
        watcher
        for registry in WATCHERS.values()
        for watcher in registry.watch(settings_of(npm, pypi), npm_network)
    ]
    names = [watcher.feed for watcher in watchers]
    assert names == ["npm/changes", "pypi/changelog", "pypi/updates", "pypi/listing"]
    for watcher in watchers:
        assert inspect.iscoroutinefunction(watcher.poll)
        assert inspect.iscoroutinefunction(watcher.start_position)
