"""Back up, lose everything, restore as the runbook says: nothing is lost, nobody is told twice."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.e2e import postgresql
from tests.e2e.daemon import Site, token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.alerts.fake_slack import FakeSlack
    from tests.watch_servers.npm import NpmServer
    from tests.watch_servers.pypi import PypiServer

KEY = "evidence.key"
DUMP = "leakmon.backup"


class SqliteSite(Site):
    """One machine; its backup is a copy of the file."""

    def back_up(self, kept: Path) -> None:
        """While the daemon runs."""
        done = self.run("db", "backup", str(kept / DUMP))
        assert done.returncode == 0, done.stderr

    def lose(self) -> None:
        """The database goes with the disk."""
        for path in self.folder.glob("leakmon.db*"):
            path.unlink()

    def restore(self, kept: Path) -> None:
        shutil.copy(kept / DUMP, self.folder / "leakmon.db")


class PostgresqlSite(Site):
    """The same with the database, and procrastinate's tables in it, on a server."""

    server: postgresql.Server

    def back_up(self, kept: Path) -> None:
        self._tool("pg_dump", "--format=custom", f"--file={kept / DUMP}", self.database)

    def lose(self) -> None:
        """It is not gone but spoilt, so that what is restored has to replace it."""
        with psycopg.connect(self.database) as connection:
            connection.execute("DELETE FROM findings")
            connection.execute("DELETE FROM checkpoints")

    def restore(self, kept: Path) -> None:
        into = f"--dbname={self.database}"
        self._tool("pg_restore", "--clean", "--if-exists", into, str(kept / DUMP))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        try:
            with psycopg.connect(self.database, autocommit=True) as connection:
                return connection.execute(query.encode()).fetchall()
        except psycopg.errors.UndefinedTable:
            return []

    def _tool(self, name: str, *arguments: str) -> None:
        command = [self.server.tool(name), *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.fixture(params=["sqlite", "postgresql"])
def watched(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    npm: NpmServer,
    pypi: PypiServer,
    slack: FakeSlack,
) -> Iterator[SqliteSite | PostgresqlSite]:
    folder = tmp_path_factory.mktemp("restore")
    if request.param == "sqlite":
        plain = SqliteSite(folder, npm, pypi, slack)
        yield plain
        plain.end()
        return
    with postgresql.server() as server:
        served = PostgresqlSite(folder, npm, pypi, slack)
        served.server = server
        served.database = server.database("leakmon_restore")
        served.configure()
        yield served
        served.end()


def test_what_is_restored_goes_on_where_it_was(
    watched: SqliteSite | PostgresqlSite, tmp_path: Path
) -> None:
    site = watched
    first, second, third = (f"@acme/kept-{number}-{site.port}" for number in range(3))
    site.start()
    site.ready()
    leaked(site, first)
    site.until(lambda: site.slack.messages and site.is_idle(), "the first leak is not told")
    site.back_up(tmp_path)
    shutil.copytree(site.folder / "evidence", tmp_path / "evidence")
    shutil.copy(site.folder / KEY, tmp_path / KEY)
    site.kill()
    leaked(site, second)  # while nobody watches

    site.lose()
    shutil.rmtree(site.folder / "evidence")
    (site.folder / KEY).unlink()
    shutil.copy(tmp_path / KEY, site.folder / KEY)
    shutil.copytree(tmp_path / "evidence", site.folder / "evidence")
    site.restore(tmp_path)

    assert site.run("db", "status").returncode == 0
    assert site.run("evidence", "verify").returncode == 0
    (incident,) = json.loads(site.run("incidents", "list", "--json").stdout)
    assert incident["package"] == first
    assert "package/.env" in site.run("incidents", "show", incident["id"]).stdout
    ((digest,),) = site.rows("select sha256 from artifacts")
    assert read_back(site, digest, tmp_path / "out.tgz") == digest

    site.start()
    site.ready()
    leaked(site, third)
    site.until(lambda: len(site.slack.messages) >= 3 and site.is_idle(), "the rest is not told")
    assert site.stop() == 0
    told = [re.findall(r"@acme/kept-\d-\d+", json.dumps(each))[0] for each in site.slack.messages]
    assert told[0] == first
    assert sorted(told) == [first, second, third]  # the two later ones in any order
    assert site.run("evidence", "verify").returncode == 0


def leaked(site: Site, name: str) -> None:
    files = {"index.js": "1;\n", ".env": f"GITHUB_TOKEN={token(name)}\n"}
    site.npm.put(name, "1.0.0", files, license="UNLICENSED")


def read_back(site: Site, digest: str, path: Path) -> str:
    """The digest of what ``leakmon evidence get`` gives out for one."""
    done = site.run("evidence", "get", digest, "--reason", "restored?", "--output", str(path))
    assert done.returncode == 0, done.stderr
    return hashlib.sha256(path.read_bytes()).hexdigest()
