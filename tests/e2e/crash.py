"""Publishes while the daemon is killed with -9 at random points and the servers fail around it.

``python -m tests.e2e.crash [--seed N] [--publishes N] [--kills N]`` prints its counts; afterwards
every file was inspected, and people were told of every incident exactly once. With ``--database
postgresql --workers N`` it is a cluster of two watches and N workers, any of which is killed, whose
PostgreSQL is restarted without warning and which is upgraded to the next version on the way.
"""

from __future__ import annotations

import argparse
import secrets
import select
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from msgspec import Struct, field

from tests.alerts import fake_slack
from tests.e2e.daemon import Site, token
from tests.e2e.faults import Weather
from tests.evidence import s3
from tests.watch_servers.npm import npm_server
from tests.watch_servers.pypi import pypi_server

if TYPE_CHECKING:
    from collections.abc import Sequence


class Counts(Struct, kw_only=True):
    """What was done, and what came of it."""

    seed: int
    kills: int = 0
    leader_kills: int = 0
    restarts: int = 0
    upgrades: int = 0
    files: int = 0
    faults: int = 0
    taken: dict[str, int] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    vanished: int = 0
    settled: int = 0
    leaky: int = 0
    incidents: int = 0
    told: int = 0
    doubled: int = 0
    lost: int = 0
    ended: int = 0
    seconds: float = 0.0

    @property
    def is_right(self) -> bool:
        is_whole = self.settled == self.files and self.incidents == self.leaky
        return is_whole and self.doubled == self.lost == self.ended == 0


class Run:
    """One run against one site; the same seed makes the same plan."""

    def __init__(self, site: Site, seed: int, *, has_faults: bool) -> None:
        self.site = site
        self.random = Random(seed)
        self.counts = Counts(seed=seed)
        self.has_faults = has_faults
        self.prefix = f"s{seed}"
        self.versions: Counter[str] = Counter()
        self.leaky: set[str] = set()
        self.deleted: set[tuple[str, str]] = set()
        self.weather = Weather(self, self.random)

    def go(self, publishes: int, kills: int, patience: float) -> Counts:
        """Do all of it, in an order of chance, and count."""
        started = time.monotonic()
        self.site.start()
        self.site.ready()
        for deed in self._plan(publishes, kills):
            self._do(deed)
            if self.has_faults and self.random.random() < 0.4:
                self.counts.faults += 1
                self.weather.strike()
        self.weather.calm()
        self.site.until(self._is_over, "something is left undone", patience)
        self.counts.seconds = time.monotonic() - started
        return self._counted()

    def collapse(self) -> None:
        """Two versions of one package while nobody looks: one row of the feed."""
        self.site.kill()
        name = f"@acme/{self.prefix}-{self.random.randrange(12)}"
        for _ in range(2):
            self._publish_npm(name)
        self.site.start()

    def delete(self) -> None:
        """A file that goes right after it came: captured in time, or told as vanished."""
        name = f"acme{self.prefix}gone{len(self.deleted)}"
        (made,) = self.site.pypi.put(name, "1.0", "s")
        self.site.pypi.remove_file(made.name)
        self.deleted.add((name, "1.0"))

    def _plan(self, publishes: int, kills: int) -> list[str]:
        plan = ["publish"] * publishes + ["kill"] * kills
        self.random.shuffle(plan)
        return plan

    def _do(self, deed: str) -> None:
        if deed == "publish":
            self._publish()
        else:
            self._kill()

    def _publish(self) -> None:
        number = self.random.randrange(12)
        if self.random.random() < 0.6:
            self._publish_npm(f"@acme/{self.prefix}-{number}")
            return
        name = f"acme{self.prefix}n{number}"
        self.versions[name] += 1
        kinds = self.random.choice(["s", "w", "sw"])
        made = self.site.pypi.put(name, f"1.{self.versions[name]}", kinds)
        self.counts.files += len(made)
        if "w" in kinds:  # a wheel whose RECORD does not list its members
            self.leaky.add(name)

    def _publish_npm(self, name: str) -> None:
        self.versions[name] += 1
        files = {".env": f"GITHUB_TOKEN={token(name)}\n", "index.js": "1;\n"}
        if self.random.random() < 0.3:
            del files[".env"]
        else:
            self.leaky.add(name)
        self.site.npm.put(name, f"1.0.{self.versions[name]}", files, license="UNLICENSED")
        self.counts.files += 1

    def _kill(self) -> None:
        select.select([], [], [], self.random.uniform(0, 2.5))
        self.site.kill()
        self.counts.kills += 1
        self.site.start()

    def _is_over(self) -> bool:
        return (
            self._settled() == self.counts.files
            and self._are_deleted_known()
            and self.site.is_idle()
        )

    def _settled(self) -> int:
        """Files that were inspected, without those of what was deleted."""
        return self._count(
            "artifacts join releases on releases.id = release_id "
            "join packages on packages.id = package_id "
            "where artifacts.state = 'settled' and packages.name not like '%gone%'"
        )

    def _are_deleted_known(self) -> bool:
        rows = self.site.rows(
            "select distinct packages.name, releases.version from artifacts "
            "join releases on releases.id = release_id join packages on packages.id = package_id"
        )
        return self.deleted <= {(row[0], row[1]) for row in rows}

    def _count(self, what: str) -> int:
        rows = self.site.rows(f"select count(*) from {what}")  # noqa: S608 - ours
        return int(rows[0][0]) if rows else 0

    def _counted(self) -> Counts:
        told = Counter(self.site.slack.ids())
        wanted = {row[0] for row in self.site.rows("select id from outgoing")}
        counts = self.counts
        counts.settled = self._settled()
        counts.incidents = self._count("incidents where cause != 'vanished'")
        counts.vanished = self._count("incidents where cause = 'vanished'")
        counts.leaky = len(self.leaky)
        counts.told = len(told)
        counts.doubled = sum(number - 1 for number in told.values())
        counts.lost = len(wanted - set(told))
        if self.has_faults:
            counts.taken, counts.missed = self.weather.taken, self.weather.missed
        return counts


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    parser.add_argument("--publishes", type=int, default=200)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--patience", type=float, default=4500, help="seconds for the rest")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--workers", type=int, default=4, help="with postgresql")
    call = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="leakmon-crash-") as folder:
        top = Path(folder)
        with ExitStack() as stack:
            npm = stack.enter_context(npm_server(top / "npm"))
            pypi = stack.enter_context(pypi_server(top / "pypi"))
            slack = stack.enter_context(fake_slack.running())
            (top / "watch").mkdir()
            run: Run
            if call.database == "sqlite":
                run = Run(Site(top / "watch", npm, pypi, slack), call.seed, has_faults=True)
            else:
                from tests.e2e import cluster, crash_cluster, postgresql  # noqa: PLC0415 - they build on this module

                server = stack.enter_context(postgresql.server())
                _, bucket = stack.enter_context(s3.served())
                members = cluster.Cluster(
                    top / "watch",
                    npm,
                    pypi,
                    slack,
                    server=server,
                    bucket=bucket,
                    workers=call.workers,
                )
                run = crash_cluster.ClusterRun(members, call.seed, has_faults=True)
            stack.callback(run.site.end)
            counts = run.go(call.publishes, call.kills, call.patience)
    for name in counts.__struct_fields__:
        if name != "taken":
            sys.stdout.write(f"{name:>10}  {getattr(counts, name)}\n")
    for name, number in counts.taken.items():
        sys.stdout.write(f"{number:>10}  times met: {name}\n")
    sys.stdout.write("as it should be\n" if counts.is_right else "NOT as it should be\n")
    return 0 if counts.is_right else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
