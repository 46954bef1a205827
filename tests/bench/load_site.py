"""The daemon under load: its process, its own figures, what it and its children cost."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from monitor.config import cache_folder
from tests.bench.measure import descendants, sizes
from tests.e2e.daemon import SLACK, Site
from tests.network.servers import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.alerts.fake_slack import FakeSlack

CONFIG = """
[database]
url = "sqlite:///{folder}/leakmon.db"
[evidence]
url = "file:{folder}/evidence"
[service]
listen = "127.0.0.1:{port}"
canary_minutes = 0
[registries.npm]
url = "{url}npm/"
changes = "{url}feed"
poll_seconds = 5
[registries.pypi]
url = "{url}pypi/"
poll_seconds = 20
[[organisations]]
name = "acme"
posture = "proprietary"
npm.scopes = ["@acme"]
pypi.packages = ["acmeload-*"]
{more}
"""
LAGS = """
select (julianday(settled_at) - julianday(published_at)) * 86400 from artifacts
where state = 'settled' and published_at is not null
"""


class LoadSite(Site):
    """As the end-to-end tests', on other registries and at the default intervals."""

    def __init__(self, folder: Path, url: str, slack: FakeSlack, more: str) -> None:
        self.folder = folder
        self.slack = slack
        self.port = free_port()
        self.process = None
        self.log = folder / "watch.log"
        text = CONFIG.format(folder=folder, port=self.port, url=url, more=more)
        text += SLACK.format(url=slack.url)
        (folder / "leakmon.toml").write_text(text, encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        cache = os.path.dirname(cache_folder(os.environ))  # noqa: PTH120 - as it is given
        own = {"HOME": str(self.folder), "XDG_CACHE_HOME": cache}
        return {**os.environ, **own, "SLACK_BOT_TOKEN": self.slack.token}

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def settled(self) -> int:
        rows = self.rows("select count(*) from artifacts where state = 'settled'")
        return int(rows[0][0]) if rows else 0

    def lags(self) -> list[float]:
        with closing(sqlite3.connect(self.folder / "leakmon.db")) as database:
            return [row[0] for row in database.execute(LAGS)]


def tree_cost(pid: int) -> tuple[float, float]:
    """CPU seconds so far and MiB now (proportional) of a process and its descendants.

    The scans' own processes end within each look: what they used is with their parent.
    """
    ticks = os.sysconf("SC_CLK_TCK")
    cpu = size = 0.0
    for each in (pid, *descendants(pid)):
        try:
            with open(f"/proc/{each}/stat", encoding="ascii", errors="replace") as file:  # noqa: PTH123 - as measure.py
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        cpu += sum(int(fields[place]) for place in (11, 12, 13, 14)) / ticks
        size += sizes(each)[0]
    return cpu, size / 1024 / 1024
