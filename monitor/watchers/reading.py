"""One question to a feed: conditional where the server can tell that nothing changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from monitor.errors import TargetError
from monitor.http.failures import too_large

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.http.client import Client
    from monitor.model import Checkpoint

MiB = 1024 * 1024
_LARGE = MiB  # about 80 ms of XML-RPC

Value = TypeVar("Value")


class Answer(Struct, frozen=True, kw_only=True):
    """What a feed answered. ``body`` is None where it said "as before" (304)."""

    body: bytes | None
    tag: str = ""
    media_type: str = ""


class Memory:
    """The tag of a feed's last answer, good while the checkpoint stands where that answer led.

    It is kept in memory and tied to the position: a page that could not be stored is asked for
    again, and a restart asks for the whole once.
    """

    def __init__(self) -> None:
        self._position: str | None = None
        self._tag = ""

    def tag(self, checkpoint: Checkpoint) -> str:
        """The tag to ask with, or the empty string."""
        return self._tag if checkpoint.position == self._position else ""

    def keep(self, position: str, tag: str) -> None:
        """Note the tag of the answer which led to a position."""
        self._position, self._tag = position, tag


async def parsed(parse: Callable[[bytes], Value], body: bytes) -> Value:
    """What a reader makes of a body; a large one in a thread, so that the loop goes on."""
    if len(body) > _LARGE:
        return await asyncio.to_thread(parse, body)
    return parse(body)


async def ask(
    client: Client,
    url: str,
    *,
    accept: str = "application/json",
    max_bytes: int,
    tag: str = "",
) -> Answer:
    """The feed's answer; errors of a passing kind were retried when one is raised.

    Raises TransientError (down, busy), LimitError (larger, slower) or another TargetError.
    """
    headers = {"Accept": accept} | ({"If-None-Match": tag} if tag else {})

    async def attempt(_number: int) -> Answer:
        return await once(client, url, headers, max_bytes=max_bytes)

    return await client.retried(attempt)


async def once(
    client: Client,
    url: str,
    headers: Mapping[str, str],
    *,
    max_bytes: int,
    question: bytes | None = None,
) -> Answer:
    """One try, for ``Client.retried``."""
    body = bytearray()
    try:
        async with client.open(url, headers, question=question) as (response, final_url):
            async for chunk in client.chunks(response, final_url):
                body += chunk
                if len(body) > max_bytes:
                    raise too_large(final_url, max_bytes)
            return Answer(
                body=bytes(body),
                tag=response.headers.get("ETag", ""),
                media_type=response.headers.get("Content-Type", "").partition(";")[0].strip(),
            )
    except TargetError as error:
        if error.reason == "http-304" and "If-None-Match" in headers:
            return Answer(body=None, tag=headers["If-None-Match"])
        raise
