"""What CDNs list of an npm version: whether they have its files still. No file is ever fetched.

jsDelivr keeps a file for good once it is asked for, so only listings are: its data API
(``/v1/packages/npm/NAME@VERSION``) and unpkg's ``?meta``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from msgspec import Struct

from monitor.errors import NotFoundError, TargetError
from monitor.http.answers import decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.http.client import Client

MAX_FILES = 200_000
MAX_BYTES = 32 * 1024 * 1024
_MAX_DEPTH = 64


class _Listing(Struct):
    files: list[Any]
    version: str | None = None


def jsdelivr(address: str, name: str, version: str) -> str:
    """Where jsDelivr lists a version."""
    return f"{address}v1/packages/npm/{_spec(name, version)}?structure=flat"


def unpkg(address: str, name: str, version: str) -> str:
    """Where unpkg lists a version."""
    return f"{address}{_spec(name, version)}/?meta"


CDNS: Mapping[str, tuple[str, Callable[[str, str, str], str]]] = {
    "jsdelivr": ("jsDelivr", jsdelivr),
    "unpkg": ("unpkg", unpkg),
}
"""By their key in the configuration: the name for people, and where a version is listed."""


async def listed(client: Client, url: str, version: str) -> frozenset[str] | None:
    """The paths that a CDN lists of a version (``dist/cli.js.map``); None if it has no such.

    Raises TargetError (``bad-answer``) for what is no listing, DeniedError, TransientError.
    """
    try:
        document = await client.document(url, max_bytes=MAX_BYTES)
    except NotFoundError:
        return None
    try:
        return read(document.body, version)
    except ValueError as error:
        raise TargetError(f"{url}: {error}", reason="bad-answer") from error


def read(body: bytes, version: str) -> frozenset[str]:
    """The paths of a listing, flat or nested; ValueError for what is none or another version's."""
    told = decoded(body, _Listing)
    if told.version not in {None, version}:
        raise ValueError("it lists another version")
    found: set[str] = set()
    waiting: list[tuple[list[Any], str, int]] = [(told.files, "", 0)]
    while waiting:
        entries, above, depth = waiting.pop()
        for entry in entries:
            path = _path(entry, above)
            if not path:
                continue
            below = entry.get("files")
            if isinstance(below, list) and depth < _MAX_DEPTH:
                waiting.append((below, f"{path}/", depth + 1))
            elif entry.get("type", "file") != "directory":
                found.add(path)
            if len(found) >= MAX_FILES:
                return frozenset(found)
    return frozenset(found)


def _path(entry: Any, above: str) -> str:
    """Of unpkg whole paths, of jsDelivr names."""
    if not isinstance(entry, dict):
        return ""
    path, name = entry.get("path"), entry.get("name")
    if isinstance(path, str):
        return path.strip("/")
    return f"{above}{name.strip('/')}" if isinstance(name, str) else ""


def _spec(name: str, version: str) -> str:
    return f"{quote(name, safe='@/')}@{quote(version, safe='')}"
