"""What the settings say of the database and of the evidence, with their secrets read now."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.config.secrets import SecretRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.config.settings import Settings
    from monitor.evidence.places import Opened
    from monitor.store import Retention


def database_url(settings: Settings, environ: Mapping[str, str]) -> str:
    """The database's address. Raises ConfigError where it is a reference to nothing."""
    url = settings.database.url
    return url.reveal(environ) if isinstance(url, SecretRef) else url


def open_evidence(settings: Settings, environ: Mapping[str, str]) -> Opened:
    """The evidence, its key read or made. Raises ConfigError."""
    from monitor.evidence import places

    table = settings.evidence
    bucket = places.Bucket(
        endpoint=table.endpoint,
        region=table.region,
        access_key_id=_revealed(table.access_key_id, environ),
        secret_access_key=_revealed(table.secret_access_key, environ),
    )
    key = table.key.reveal(environ) if table.key else None
    return places.open_evidence(table.url, key, bucket)


def retention(settings: Settings) -> Retention:
    """How long bytes and finished work are kept."""
    from monitor.store import Retention

    return Retention(
        clean=timedelta(days=settings.evidence.keep_days),
        closed=timedelta(days=settings.evidence.keep_closed_days),
    )


def _revealed(reference: SecretRef | None, environ: Mapping[str, str]) -> str:
    return reference.reveal(environ) if reference else ""
