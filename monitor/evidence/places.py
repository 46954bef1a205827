"""Where evidence is kept: ``file:FOLDER`` or ``s3://BUCKET/PREFIX``, through obstore."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from monitor.errors import ConfigError
from monitor.evidence import Evidence
from monitor.evidence.keys import kept_at, parse

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

    from monitor.evidence.keys import Keyring


class Bucket(Struct, frozen=True, kw_only=True):
    """How to reach an S3 service; what is empty comes from AWS's own configuration.

    ``endpoint`` is the address of another service than AWS (MinIO, Ceph, a test); over plain HTTP
    only if it says so.
    """

    endpoint: str = ""
    region: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""

    def __repr__(self) -> str:
        return f"Bucket({self.endpoint!r}, {self.region!r})"


class Opened(Struct, frozen=True):
    """The evidence, and the path of the key file that was made just now, if one was."""

    evidence: Evidence
    made_key: str | None


def open_evidence(url: str, key: str | None, bucket: Bucket | None = None) -> Opened:
    """The evidence at ``url``; ``key`` is the text of the ring (see ``monitor.evidence.keys``).

    Without a key, one is made in a file beside the folder (``evidence.key`` beside ``evidence``);
    a bucket needs one. Raises ConfigError.
    """
    if url.startswith("s3://"):
        if key is None:
            raise ConfigError(
                "evidence.key: missing; a bucket needs one: write env:NAME or file:PATH"
            )
        return Opened(Evidence(_bucket(url, bucket or Bucket()), parse(key)), None)
    folder = os.path.abspath(os.path.expanduser(url.removeprefix("file:")))
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"evidence.url: {folder}: {error.strerror}") from None
    keyring, made = _local_key(folder, key)
    return Opened(Evidence(_folder(folder), keyring, folder=folder), made)


def _local_key(folder: str, key: str | None) -> tuple[Keyring, str | None]:
    if key is not None:
        return parse(key), None
    path = f"{folder}.key"
    keyring, is_new = kept_at(path)
    return keyring, path if is_new else None


def _folder(folder: str) -> Any:
    from obstore.store import LocalStore

    return LocalStore(folder)


def _bucket(url: str, bucket: Bucket) -> Any:
    from obstore.store import S3Store

    name, _, prefix = url.removeprefix("s3://").partition("/")
    given = {
        "endpoint": bucket.endpoint,
        "region": bucket.region,
        "access_key_id": bucket.access_key_id,
        "secret_access_key": bucket.secret_access_key,
    }
    config = cast("S3Config", {word: value for word, value in given.items() if value})
    options: ClientConfig = {"timeout": timedelta(seconds=60)}
    if bucket.endpoint.startswith("http://"):
        options["allow_http"] = True
    return S3Store(
        name,
        prefix=prefix or None,
        client_options=options,
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
        config=config,
    )
