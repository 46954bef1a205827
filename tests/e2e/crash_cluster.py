"""The crash run for a cluster: any member is killed, PostgreSQL restarts, versions change.

In the first third everybody is of this version. Then the database is upgraded by the next version
while this one is at work, and the members are replaced one by one until the end, workers and
watches as chance has it; those that are killed before come back as what they were.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from tests.e2e.crash import Run

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster
    from tests.e2e.crash import Counts

LEADER_KILLS = 0.3
"""How many of the kills are for the leader."""


class ClusterRun(Run):
    """One run against a cluster."""

    def __init__(self, site: Cluster, seed: int, *, has_faults: bool) -> None:
        super().__init__(site, seed, has_faults=has_faults)
        self.cluster = site

    def _plan(self, publishes: int, kills: int) -> list[str]:
        plan = super()._plan(publishes, kills)
        third, rest = len(plan) // 3, len(plan) - len(plan) // 3
        names = list(self.cluster.members)
        self.random.shuffle(names)
        for number, name in reversed(list(enumerate(names, 1))):
            plan.insert(third + rest * number // (len(names) + 1), f"upgrade {name}")
        plan.insert(third, "upgrade database")
        plan.insert(third + rest // 2, "restart")  # while versions are mixed
        return plan

    def _do(self, deed: str) -> None:
        name = deed.removeprefix("upgrade ")
        if deed == "restart":
            self.cluster.server.restart_immediately()
            self.counts.restarts += 1
        elif name == "database":
            if not self.counts.files:
                self._publish()
            rows = "select 1 from jobs where kind = 'artifact' limit 1"
            # Work of this version's form, for those of mixed versions to do.
            self.cluster.until(lambda: self.cluster.rows(rows), "nothing was given out")
            self.cluster.upgrade_database()
        elif name != deed:
            self.cluster.upgrade_member(name)
            self.counts.upgrades += 1
        else:
            super()._do(deed)

    def _counted(self) -> Counts:
        counts = super()._counted()
        counts.ended = len(self.cluster.ended())
        return counts

    def _kill(self) -> None:
        select.select([], [], [], self.random.uniform(0, 2.5))
        is_leaders = self.random.random() < LEADER_KILLS
        any_of_them = self.random.choice(list(self.cluster.members))
        name = (self.cluster.leader() if is_leaders else "") or any_of_them
        self.counts.leader_kills += name == self.cluster.leader()
        self.cluster.kill_member(name)
        self.counts.kills += 1
        self.cluster.start_member(name)
