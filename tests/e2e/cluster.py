"""Several machines of one cluster, as processes: watches of which one leads, and workers."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING, Any

import psycopg

from tests.e2e import next_version
from tests.e2e.daemon import LEAKMON, SLACK, Site
from tests.network.servers import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.alerts.fake_slack import FakeSlack
    from tests.e2e.postgresql import Server
    from tests.watch_servers.npm import NpmServer
    from tests.watch_servers.pypi import PypiServer

KEY = "aa" * 32
EVIDENCE = """url = "s3://bucket/crash"
endpoint = "{url}"
region = "local"
access_key_id = "env:S3_ID"
secret_access_key = "env:S3_SECRET"
key = "env:EVIDENCE_KEY"
"""
FEEDS = "('npm/changes', 'pypi/changelog')"


class Member:
    """One machine: its command, its configuration, and the version that it runs."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.port = free_port()
        self.config = folder / f"{name}.toml"
        self.process: subprocess.Popen[bytes] | None = None
        self.is_next = False

    @property
    def command(self) -> str:
        return self.name.partition("-")[0]


class Cluster(Site):
    """``start`` starts all of it; the rest is done to one member. The evidence is a bucket."""

    def __init__(
        self,
        folder: Path,
        npm: NpmServer,
        pypi: PypiServer,
        slack: FakeSlack,
        *,
        server: Server,
        bucket: str,
        watches: int = 2,
        workers: int = 4,
    ) -> None:
        self.server = server
        self.bucket = bucket
        super().__init__(folder, npm, pypi, slack)
        self.database = server.database(f"crash_{folder.name.replace('-', '_')}")
        self.configure()
        names = [f"watch-{n}" for n in range(watches)] + [f"worker-{n}" for n in range(workers)]
        self.members = {name: Member(name, folder) for name in names}
        self.next = next_version.make(folder / "next")

    @property
    def environment(self) -> dict[str, str]:
        access = {"S3_ID": "leakmon", "S3_SECRET": "leakmon", "EVIDENCE_KEY": KEY}
        return super().environment | access

    def configuration(
        self,
        port: int,
        more: str = "",
        canary_minutes: int = 0,
        *,
        drain_seconds: int = 15,
        idle_seconds: int = 30,  # they are many
    ) -> str:
        text = super().configuration(
            port, more, canary_minutes, drain_seconds=drain_seconds, idle_seconds=idle_seconds
        )
        for old, new in (
            (f'url = "file:{self.folder}/evidence"\n', EVIDENCE.format(url=self.bucket)),
            ("[service]\n", "[service]\nworkers = 1\n"),
        ):
            assert old in text, old
            text = text.replace(old, new, 1)
        return text

    def start(self, *arguments: str) -> None:
        for name in self.members:
            self.start_member(name, *arguments)

    def start_member(self, name: str, *arguments: str) -> None:
        """Start one; all lines go to one log."""
        member = self.members[name]
        is_watch = member.command == "watch"
        text = self.configuration(member.port)
        member.config.write_text(text + SLACK.format(url=self.slack.url), encoding="utf-8")
        environment = dict(self.environment)
        if not is_watch:
            del environment["SLACK_BOT_TOKEN"]
        if member.is_next:
            environment["PYTHONPATH"] = str(self.next)
        command = [*LEAKMON, member.command, "--config", str(member.config), *arguments]
        with self.log.open("ab") as log:
            member.process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log
            )
        self.process = member.process

    def ready(self) -> None:
        self.until(self._is_watched, "nobody leads")

    def _is_watched(self) -> bool:
        assert not self.ended(), self.said()[-6000:]
        return self.rows(f"select count(*) from checkpoints where feed in {FEEDS}") == [(2,)]  # noqa: S608 - constants

    def kill_member(self, name: str) -> None:
        """``kill -9``."""
        process = self.members[name].process
        assert process is not None
        process.kill()
        process.wait()

    def stop_member(self, name: str) -> int:
        """SIGTERM, and the exit status."""
        process = self.members[name].process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        return process.wait(60)

    def upgrade_member(self, name: str) -> None:
        """Stop it, and start the next version in its place."""
        self.stop_member(name)
        self.members[name].is_next = True
        self.start_member(name)

    def upgrade_database(self) -> None:
        """By the next version, while this one is at work."""
        environment = self.environment | {"PYTHONPATH": str(self.next)}
        config = ["--config", str(self.folder / "leakmon.toml")]
        subprocess.run(
            [*LEAKMON, "db", "upgrade", *config], cwd=self.folder, env=environment, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def leader(self) -> str:
        """The member that leads."""
        rows = self.rows("select holder from leases where name = 'watch' and until > now()")
        return next((name for name in self.members if rows and self._is(name, rows[0][0])), "")

    def ended(self) -> dict[str, int]:
        """Members that ended by themselves, with their exit status."""
        found = {name: each.process.poll() for name, each in self.members.items() if each.process}
        return {name: status for name, status in found.items() if status is not None}

    def end(self) -> None:
        for member in self.members.values():
            if member.process is not None and member.process.poll() is None:
                member.process.kill()
                member.process.wait()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        try:
            with psycopg.connect(self.database, autocommit=True) as connection:
                return connection.execute(query.encode()).fetchall()
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
            return []

    def _is(self, name: str, holder: str) -> bool:
        process = self.members[name].process
        return process is not None and f".{process.pid}." in holder
