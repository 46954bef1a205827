"""The grammar of ``leakmon db`` and ``leakmon evidence``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    Command = Callable[..., argparse.ArgumentParser]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], command: Command) -> None:
    """Add both commands; ``command`` makes one action of a group."""
    database = commands.add_parser("db", help="upgrade, look at and back up the database")
    actions = database.add_subparsers(title="actions", metavar="ACTION", required=True)
    upgrade = command(
        actions, "upgrade", "database:upgrade", "bring the database up to date, whole or not at all"
    )
    upgrade.add_argument(
        "--timeout", type=float, default=30, metavar="SECONDS",
        help="how long to wait for another leakmon that is at it (default: 30)",
    )  # fmt: skip
    status = command(
        actions, "status", "database:status", "say how the database stands; exit 1 if not current"
    )
    backup = command(
        actions, "backup", "database:backup",
        "copy a SQLite database while it is in use (PostgreSQL: says how)",
    )  # fmt: skip
    backup.add_argument("file", metavar="FILE", help="the copy: a new file")
    audit = command(
        actions, "audit", "database:audit", "print the audit log: who did what to what, and why"
    )
    audit.add_argument("--action", default="", help="only this: evidence-get, acknowledged ...")
    audit.add_argument("--limit", type=int, default=100, metavar="N", help="default: 100")
    audit.add_argument("--json", action="store_true", help="as JSON")
    evidence = commands.add_parser("evidence", help="fetch, list and check the bytes that are kept")
    actions = evidence.add_subparsers(title="actions", metavar="ACTION", required=True)
    get = command(actions, "get", "evidence:get", "write kept bytes into a file; audited")
    get.add_argument("digest", metavar="DIGEST", help="sha256, or a beginning of it that is unique")
    get.add_argument("--reason", required=True, metavar="TEXT", help="why, for the audit log")
    get.add_argument("--output", required=True, metavar="FILE", help="a new file")
    listing = command(actions, "list", "evidence:listing", "list what is kept, one a line")
    verify = command(
        actions, "verify", "evidence:verify", "decrypt and check kept bytes; exit 1 if any is bad"
    )
    verify.add_argument("digests", nargs="*", metavar="DIGEST", help="only these (default: all)")
    reseal = command(
        actions, "rotate", "evidence:rotate", "seal with the current key what another key sealed"
    )
    for action in (upgrade, status, backup, audit, get, listing, verify, reseal):
        action.add_argument("--config", metavar="FILE", help="leakmon.toml (default: searched)")
