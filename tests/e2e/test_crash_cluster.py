"""The short form of ``make crash`` with PostgreSQL: nothing is lost, nobody is told twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e import postgresql
from tests.e2e.cluster import Cluster
from tests.e2e.crash_cluster import ClusterRun
from tests.evidence import s3

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.alerts.fake_slack import FakeSlack
    from tests.watch_servers.npm import NpmServer
    from tests.watch_servers.pypi import PypiServer


@pytest.fixture
def cluster(
    tmp_path_factory: pytest.TempPathFactory, npm: NpmServer, pypi: PypiServer, slack: FakeSlack
) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with postgresql.server() as server, s3.served() as (_, bucket):
        made = Cluster(folder, npm, pypi, slack, server=server, bucket=bucket, workers=1)
        try:
            yield made
        finally:
            made.end()


def test_a_cluster_survives_kills_a_restart_and_an_upgrade(cluster: Cluster) -> None:
    run = ClusterRun(cluster, seed=7, has_faults=False)
    counts = run.go(publishes=6, kills=2, patience=300)
    assert counts.is_right, f"{counts}\n{cluster.said()[-3000:]}"
    assert (counts.kills, counts.restarts, counts.upgrades) == (2, 1, 3)
    assert counts.incidents > 1
    forms = {row[0] for row in cluster.rows("select distinct version from jobs")}
    assert len(forms) == 2  # this one's and the next one's: both were at work
