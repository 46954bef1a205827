"""What an operator may set of the network, and the credentials that were found for it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterable

MiB = 1024 * 1024


class HttpSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[http]`` of leakmon.toml. Sizes in bytes, times in seconds.

    ``allow_private`` names hosts (``host`` or ``host:port``), addresses or networks (CIDR) that may
    be talked to although they are private. ``min_bytes_per_second`` is the slowest body that is
    waited for, judged after ``slow_seconds``. ``max_wait_seconds`` bounds one wait before a retry.
    """

    allow_private: list[str] = field(default_factory=list)
    connect_seconds: float = 15.0
    idle_seconds: float = 60.0
    total_seconds: float = 3600.0
    slow_seconds: float = 30.0
    min_bytes_per_second: int = 1024
    max_document_bytes: int = 256 * MiB
    max_artifact_bytes: int = 4096 * MiB
    tries: int = 5
    max_wait_seconds: float = 120.0
    connections_per_host: int = 8
    seconds_between_requests: float = 0.0
    contact: str = ""


class Credential(Struct, frozen=True, kw_only=True):
    """An ``Authorization`` header for one place.

    ``scheme`` may be empty (any of http and https, as npm's ``//host/path/``); ``netloc`` is
    ``host``, ``host:port`` or ``host:*`` (any port, as netrc's); ``path`` ends with ``/``.
    ``source`` tells the operator which key of which file it came from.
    """

    scheme: str
    netloc: str
    path: str
    header: str
    source: str

    def __repr__(self) -> str:
        return f"Credential({self.scheme}//{self.netloc}{self.path} from {self.source})"

    def covers(self, url: str) -> bool:
        """Whether the address lies below the place that this was configured for."""
        parts = urlsplit(url)
        if self.scheme and parts.scheme != self.scheme:
            return False
        path = _plain_path(parts.path)
        if "/../" in f"{path}/" or "/./" in f"{path}/":
            return False
        return self._is_host_of(url) and f"{path}/".startswith(self.path)

    def _is_host_of(self, url: str) -> bool:
        if self.netloc.endswith(":*"):
            return netloc_of(url).rpartition(":")[0] == self.netloc[:-2].lower()
        return netloc_of(url) == _netloc(urlsplit(url).scheme, self.netloc)


def best(credentials: Iterable[Credential], url: str) -> Credential | None:
    """The credential with the longest path that covers the address; the first of equals."""
    covering = [credential for credential in credentials if credential.covers(url)]
    return max(covering, key=lambda credential: len(credential.path), default=None)


def netloc_of(url: str) -> str:
    """``host:port`` of an address, lower case, the port always written."""
    parts = urlsplit(url)
    return _netloc(parts.scheme, parts.netloc.rpartition("@")[2])


def joined(origin: str, reference: str) -> str:
    """An address as it is meant below another; what is malformed stays as it is, to be refused."""
    try:
        return urljoin(origin, reference)
    except ValueError:
        return reference


def is_web(url: str) -> bool:
    """Whether this is a well-formed http(s) address: a registry's answer may name nothing else."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def shown(url: str) -> str:
    """The address as it may be told: without login, query and fragment (which may be secrets)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a malformed address"
    plain = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return "".join(character if character.isprintable() else "?" for character in plain)[:500]


def _netloc(scheme: str, netloc: str) -> str:
    parts = urlsplit(f"//{netloc}")
    port = parts.port or {"http": 80, "https": 443}.get(scheme, 0)
    return f"{(parts.hostname or '').lower()}:{port}"


def _plain_path(path: str) -> str:
    """The path with its escapes resolved: ``%2e%2e`` must not climb out of a prefix unseen.

    An escaped slash stays escaped: it is how npm writes the slash of a scoped name.
    """
    kept = path.replace("%2f", "%252f").replace("%2F", "%252F")
    return unquote(kept).replace("\\", "/")
