"""What pip and npm are told of addresses, credentials and certificates, read as they read it.

The environment comes in as a mapping and the folders as paths: nothing here looks them up itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from monitor.http.settings import Credential


class Machine(Struct, frozen=True, kw_only=True):
    """Where a client would look: the environment, the home and the working folder.

    ``prefix`` is the virtual environment or interpreter that pip would belong to, ``platform`` is
    ``sys.platform``, ``root`` the file system's root (another one in tests).
    """

    environ: Mapping[str, str]
    home: str
    folder: str
    prefix: str = ""
    platform: str = "linux"
    root: str = "/"

    def __repr__(self) -> str:
        # The environment holds secrets.
        return f"Machine({self.home!r}, {self.folder!r}, {self.platform!r})"


class Index(Struct, frozen=True, kw_only=True):
    """A Simple index (address without login, ends with ``/``) and who named it."""

    url: str
    source: str


class ClientConfig(Struct, frozen=True, kw_only=True):
    """What one client is told.

    ``indexes`` (``index-url``; empty: pip's default) and ``extra_indexes`` are pip's; ``registry``
    and ``scopes`` (``@scope`` -> address) are npm's. ``is_offline`` is pip's ``no-index``.
    ``files`` are those that were read.
    """

    indexes: list[Index] = field(default_factory=list)
    extra_indexes: list[Index] = field(default_factory=list)
    registry: str = ""
    scopes: dict[str, str] = field(default_factory=dict)
    credentials: list[Credential] = field(default_factory=list)
    ca_files: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    is_offline: bool = False
