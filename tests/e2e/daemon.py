"""A machine with ``leakmon watch`` on it: its configuration, its process, what it said and did."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

from monitor.config import cache_folder
from tests.network.servers import PASSWORD, USER, free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.alerts.fake_slack import FakeSlack
    from tests.watch_servers.npm import NpmServer
    from tests.watch_servers.pypi import PypiServer

LEAKMON = [sys.executable, "-m", "monitor"]
POLL_SECONDS = 1

CONFIG = """
[database]
url = "{database}"
[evidence]
url = "file:{folder}/evidence"
[service]
listen = "127.0.0.1:{port}"
canary_minutes = {canary_minutes}
drain_seconds = {drain_seconds}
[http]
contact = "security@acme.example"
tries = 2
idle_seconds = {idle_seconds}
[registries.git]
cache = "{folder}/mirrors"
poll_seconds = {poll}
[registries.npm]
url = "{npm}"
changes = "{changes}"
token = "env:NPM_TOKEN"
poll_seconds = {poll}
[registries.pypi]
url = "{pypi}"
username = "{user}"
password = "env:PYPI_PASSWORD"
poll_seconds = {poll}
[[organisations]]
name = "acme"
posture = "proprietary"
npm.scopes = ["@acme"]
npm.packages = ["acme-*"]
pypi.packages = ["acme*"]
{more}
"""
SLACK = """
[alerts.slack]
token = "env:SLACK_BOT_TOKEN"
channel = "#leaks"
base_url = "{url}"
"""


class Site:
    """Where the daemon runs. ``start`` and ``kill`` it as often as you like: the folder stays."""

    def __init__(self, folder: Path, npm: NpmServer, pypi: PypiServer, slack: FakeSlack) -> None:
        self.folder = folder
        self.npm = npm
        self.pypi = pypi
        self.slack = slack
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.secrets: dict[str, str] = {}
        self.log = folder / "watch.log"
        self.database = f"sqlite:///{folder}/leakmon.db"
        self.configure()

    def configure(
        self,
        more: str = "",
        *,
        has_slack: bool = True,
        canary_minutes: int = 0,
        drain_seconds: int = 15,
        idle_seconds: int = 5,
    ) -> None:
        text = self.configuration(
            self.port,
            more,
            canary_minutes,
            drain_seconds=drain_seconds,
            idle_seconds=idle_seconds,
        )
        if has_slack:
            text += SLACK.format(url=self.slack.url)
        (self.folder / "leakmon.toml").write_text(text, encoding="utf-8")

    def configuration(
        self,
        port: int,
        more: str = "",
        canary_minutes: int = 0,
        *,
        drain_seconds: int = 15,
        idle_seconds: int = 5,
    ) -> str:
        """The text of ``leakmon.toml`` without a channel."""
        return CONFIG.format(
            folder=self.folder,
            database=self.database,
            port=port,
            npm=self.npm.url,
            changes=self.npm.changes,
            pypi=self.pypi.url,
            user=USER,
            poll=POLL_SECONDS,
            more=more,
            canary_minutes=canary_minutes,
            drain_seconds=drain_seconds,
            idle_seconds=idle_seconds,
        )

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": os.path.dirname(cache_folder(os.environ)),  # noqa: PTH120 - as it is given
            "NPM_TOKEN": self.npm.registry.token,
            "PYPI_PASSWORD": PASSWORD,
            "SLACK_BOT_TOKEN": self.slack.token,
            "PYTHONPATH": os.getcwd(),  # noqa: PTH109 - the checkout under test
            **self.secrets,
        }

    def start(self, *arguments: str) -> None:
        """Start the daemon; its lines go to ``log``."""
        command = [*LEAKMON, "watch", "--config", str(self.folder / "leakmon.toml"), *arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )

    def ready(self) -> None:
        """Wait until every feed has answered."""
        self.until(self._is_ready, "the daemon is not ready")

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.said()[-6000:]
        return self.get("readyz")[0] == 200

    def kill(self) -> None:
        """``kill -9``."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit status. It has twenty seconds, whatever is in hand."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Any other command of leakmon, on the same configuration."""
        config = ["--config", str(self.folder / "leakmon.toml")]
        return subprocess.run(
            [*LEAKMON, *arguments, *config],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def get(self, path: str, port: int = 0) -> tuple[int, str]:
        """What the daemon answers for its health; status 0 while nobody listens."""
        done = subprocess.run(
            ["curl", "-s", "-w", "\n%{http_code}", f"http://127.0.0.1:{port or self.port}/{path}"],
            capture_output=True,
            text=True,
            check=False,
        )
        body, _, status = done.stdout.rpartition("\n")
        return int(status or 0), body

    def until(self, holds: Callable[[], object], what: str, seconds: float = 180) -> None:
        """Wait for a condition, polled; the daemon's own words are the error if it never holds."""
        deadline = time.monotonic() + seconds
        pause = Pause()
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}\n{self.said()[-6000:]}")
            pause()

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def lines(self) -> list[dict[str, Any]]:
        """The daemon's log."""
        return [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What stands in the database, read beside the daemon; nothing before there is one."""
        path = self.folder / "leakmon.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
            try:
                return database.execute(query).fetchall()
            except sqlite3.OperationalError:
                return []

    def is_idle(self) -> bool:
        """Nothing is left to do: every notice, artifact and alert is dealt with."""
        notices = self.rows("select count(*) from notices where outcome = ''")
        artifacts = self.rows("select count(*) from artifacts where state != 'settled'")
        alerts = self.rows("select count(*) from outgoing where state != 'sent'")
        return [notices, artifacts, alerts] == [[(0,)]] * 3


class Pause:
    """Gives the processor to the daemon between two looks."""

    def __call__(self) -> None:
        select.select([], [], [], 0.05)


def token(seed: str) -> str:
    """A secret in the shape of a GitHub classic token, valid by its checksum; opens nothing."""
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    digest = hashlib.sha256(seed.encode()).digest()
    body = "".join(letters[byte % 62] for byte in digest)[:30]
    rest, digits = zlib.crc32(body.encode()), ""
    while rest:
        rest, digit = divmod(rest, 62)
        digits = letters[digit] + digits
    return "gh" + "p_" + body + digits.rjust(6, "0")


def leaky_map(text: str) -> str:
    """A bundle with an inline source map that carries first-party source."""
    document = {
        "version": 3,
        "sources": ["../src/secret-sauce.ts"],
        "sourcesContent": [text],
        "mappings": "AAAA",
    }
    packed = base64.b64encode(json.dumps(document).encode()).decode()
    return f"let a=1;\n//# sourceMappingURL=data:application/json;base64,{packed}\n"
