"""The whole daemon as a process, against registries and a Slack on loopback.

The registries are a module's own: a backfill of one finds nothing that another published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.alerts import fake_slack
from tests.e2e.daemon import Site
from tests.watch_servers.npm import npm_server
from tests.watch_servers.pypi import pypi_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.watch_servers.npm import NpmServer
    from tests.watch_servers.pypi import PypiServer


@pytest.fixture(scope="module")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NpmServer]:
    with npm_server(tmp_path_factory.mktemp("npm")) as server:
        yield server


@pytest.fixture(scope="module")
def pypi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PypiServer]:
    with pypi_server(tmp_path_factory.mktemp("pypi")) as server:
        yield server


@pytest.fixture
def slack() -> Iterator[fake_slack.FakeSlack]:
    with fake_slack.running() as workspace:
        yield workspace


@pytest.fixture
def site(
    tmp_path_factory: pytest.TempPathFactory,
    npm: NpmServer,
    pypi: PypiServer,
    slack: fake_slack.FakeSlack,
) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("watch"), npm, pypi, slack)
    try:
        yield made
    finally:
        made.end()
