"""The names of npm's database that fit a glob: its listing, read from the glob's first letters on.

Source: CouchDB's ``_all_docs``, which is in the order of names; npm keeps it beside ``_changes``.
"""

from __future__ import annotations

import json
import re
from fnmatch import translate
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from msgspec import Struct

from monitor.errors import TargetError
from monitor.http.answers import decoded
from monitor.watchers import reading

if TYPE_CHECKING:
    from monitor.http.client import Client

PAGE = 10_000
MAX_PAGES = 600
"""All of npm is about 400; a glob with a beginning of its own mostly has one."""

_WILD = re.compile(r"[*?\[]")
_MAX_BYTES = 64 * reading.MiB
_LAST = "\ufff0"


class _Listing(Struct):
    rows: list[Any]


async def names(client: Client, database: str, glob: str) -> set[str]:
    """The names that fit ``glob``.

    Raises NotFoundError or another TargetError where the registry gives no listing (``too-long``:
    more of it than is read), TransientError.
    """
    prefix = _WILD.split(glob)[0]
    fits = re.compile(translate(glob)).match
    found: set[str] = set()
    start = prefix
    for _ in range(MAX_PAGES):
        ids = await _page(client, database, start, prefix)
        found.update(name for name in ids if fits(name.lower()))
        is_beyond = bool(ids) and not ids[-1].startswith(prefix) and ids[-1] > prefix
        if len(ids) < PAGE or is_beyond or ids[-1] <= start:
            return found
        start = ids[-1]
    raise TargetError(f"{database}: more than {MAX_PAGES} pages of names", reason="too-long")


async def _page(client: Client, database: str, start: str, prefix: str) -> list[str]:
    query: dict[str, str | int] = {"limit": PAGE}
    if start:
        query |= {"startkey": json.dumps(start)}
    if prefix:
        query |= {"endkey": json.dumps(prefix + _LAST, ensure_ascii=False)}
    url = f"{database}_all_docs?{urlencode(query)}"
    answer = await reading.ask(client, url, max_bytes=_MAX_BYTES)
    try:
        rows = (await reading.parsed(lambda body: decoded(body, _Listing), answer.body or b"")).rows
    except ValueError as error:
        raise TargetError(f"{url}: {error}", reason="bad-answer") from error
    ids = (row.get("id") if isinstance(row, dict) else None for row in rows)
    return [each for each in ids if isinstance(each, str)]
