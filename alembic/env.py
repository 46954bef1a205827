"""Alembic's entry: it migrates over the connection which monitor.store.migrations hands it.

The caller has begun the transaction, holds the lock and commits: an upgrade is whole or not at all.
"""

from __future__ import annotations

from alembic import context
from monitor.store.migrations import OPTIONS

context.configure(connection=context.config.attributes["connection"], **OPTIONS)
context.run_migrations()
