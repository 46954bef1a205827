"""Which engine hands out the jobs of a database, and what has to be done for it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from monitor.errors import ConfigError

if TYPE_CHECKING:
    from monitor.jobs import Queue
    from monitor.store import Store
    from monitor.store.core import Enqueue

EMBEDDED = "embedded"
PROCRASTINATE = "procrastinate"
AUTO = "auto"

REMEDY = "pip install 'leakmon[cluster]'"


def engine(wanted: str, url: str) -> str:
    """``embedded`` or ``procrastinate``, for the setting ``jobs.engine`` and a database.

    ``auto`` is procrastinate where the database is PostgreSQL and the library is there. Raises
    ConfigError for procrastinate without either.
    """
    is_possible = url.startswith("postgresql")
    if wanted == PROCRASTINATE:
        if not is_possible:
            raise ConfigError(
                "jobs.engine: procrastinate needs PostgreSQL: write "
                "database.url = 'postgresql://host/name', or jobs.engine = 'embedded'"
            )
        require()
        return PROCRASTINATE
    return PROCRASTINATE if wanted == AUTO and is_possible and _is_there() else EMBEDDED


def require() -> None:
    """Raises ConfigError, with the remedy, where procrastinate is not installed."""
    if not _is_there():
        raise ConfigError(f"jobs.engine: procrastinate is not installed: {REMEDY}")


def enqueue(chosen: str) -> Enqueue | None:
    """How a store puts jobs in, for ``Store.open``; None: into its table, and that is all."""
    if chosen != PROCRASTINATE:
        return None
    from monitor.jobs.cluster import tickets

    return tickets.enqueue


def queue(chosen: str, store: Store) -> Queue:
    """The queue on a store that was opened with ``enqueue``."""
    if chosen == PROCRASTINATE:
        from monitor.jobs.cluster import ClusterQueue

        return ClusterQueue(store)
    from monitor.jobs.embedded import EmbeddedQueue

    return EmbeddedQueue(store)


def upgrade(chosen: str, url: str, *, timeout: float = 30) -> list[str]:
    """Bring the engine's own tables up to date, after ours; what was done."""
    if chosen != PROCRASTINATE:
        return []
    from monitor.jobs.cluster import schema

    return schema.upgrade(url, timeout=timeout)


def _is_there() -> bool:
    return find_spec("procrastinate") is not None
