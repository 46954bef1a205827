"""A cluster of two watches and a worker: the work is shared, one tells, the other takes over.

And the short form of ``make crash`` with PostgreSQL: nothing is lost, nobody is told twice.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e import postgresql
from tests.e2e.cluster import Cluster
from tests.e2e.crash_cluster import ClusterRun
from tests.e2e.daemon import token
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


def test_work_is_shared_and_a_watch_takes_over(cluster: Cluster) -> None:
    cluster.start()
    cluster.ready()
    worker = cluster.members["worker-0"]
    cluster.until(lambda: cluster.get("readyz", worker.port) == (200, "ready\n"), "not ready")
    published = 0

    def publish() -> None:
        nonlocal published
        published += 1
        name = f"@acme/shared-{published}"
        cluster.npm.put(name, "1.0.0", {".env": f"T={token(name)}\n"}, license="UNLICENSED")

    def is_worked() -> bool:
        scans = r"leakmon_scan_seconds_count.* ([1-9][\d.]*)"
        return bool(re.search(scans, cluster.get("metrics", worker.port)[1]))

    while not is_worked():
        assert published < 40
        publish()
        cluster.until(lambda: len(cluster.slack.ids()) >= published, "not told")
    told = json.loads(cluster.run("status", "--json").stdout)
    first = cluster.leader()
    assert first in ("watch-0", "watch-1")
    assert f".{cluster.members[first].process.pid}." in told["leader"]  # type: ignore[union-attr]
    assert cluster.stop_member(first) == 0
    other = "watch-1" if first == "watch-0" else "watch-0"
    cluster.until(lambda: cluster.leader() == other, "nobody takes over")
    publish()
    cluster.until(lambda: len(cluster.slack.ids()) >= published, "not told by the other")
    cluster.until(cluster.is_idle, "something is left undone")
    assert len(cluster.slack.ids()) == len(set(cluster.slack.ids())) == published
    assert cluster.stop_member("worker-0") == 0


def test_a_cluster_survives_kills_a_restart_and_an_upgrade(cluster: Cluster) -> None:
    run = ClusterRun(cluster, seed=7, has_faults=False)
    counts = run.go(publishes=6, kills=2, patience=300)
    assert counts.is_right, f"{counts}\n{cluster.said()[-3000:]}"
    assert (counts.kills, counts.restarts, counts.upgrades) == (2, 1, 3)
    assert counts.incidents > 1
    forms = {row[0] for row in cluster.rows("select distinct version from jobs")}
    assert len(forms) == 2  # this one's and the next one's: both were at work
